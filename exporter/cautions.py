"""What a valid configuration risks, told in the log once."""

from urllib.parse import urlsplit

from structlog.typing import FilteringBoundLogger

from exporter.config.settings import AccessToken, Config
from exporter.config.storage import MEMORY


class Cautions:
    """Warns when a configuration that is read brings a risk that was not told yet."""

    def __init__(self, log: FilteringBoundLogger) -> None:
        self._log = log
        self._classic_told: set[str] = set()
        self._exposed_told: str | None = None

    def tell(self, config: Config) -> None:
        """Look at a configuration that is about to be in force."""
        if config.platforms and config.storage.url == MEMORY:
            self._log.warning("storage is memory://: refresh tokens and tickets do not survive a restart")
        base_url = config.wechat.base_url
        if is_exposed(base_url) and base_url != self._exposed_told:
            self._exposed_told = base_url
            self._log.warning("wechat.base_url is plain http: secrets and tokens travel in the clear")
        self._tell_of_classic(config)

    def _tell_of_classic(self, config: Config) -> None:
        classic = {app.appid: app.name for app in config.apps if isinstance(app.token, AccessToken)}
        new = [name for appid, name in classic.items() if appid not in self._classic_told]
        self._classic_told |= classic.keys()
        if new:
            self._log.warning(
                "token type access_token: each fetch ends the token that other programs hold; "
                "stable_token harms nobody",
                apps=len(new),
                first=new[0],
            )


def is_exposed(base_url: str) -> bool:
    """Whether secrets would leave this machine in the clear."""
    parts = urlsplit(base_url)
    return parts.scheme == "http" and parts.hostname not in {"localhost", "127.0.0.1", "::1"}
