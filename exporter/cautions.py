"""What a valid configuration risks: told by every command that uses it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from structlog.typing import FilteringBoundLogger

from exporter.config.settings import AccessToken, Config
from exporter.config.storage import MEMORY
from exporter.descriptors import shortage


@dataclass(frozen=True, slots=True)
class Caution:
    """A risk in words, what it is about for the log, and whom it concerns: another one is told again."""

    what: str
    about: frozenset[str] = frozenset()
    fields: dict[str, object] = field(default_factory=dict, compare=False)

    def __str__(self) -> str:
        return " ".join([self.what, *(f"{name}={value}" for name, value in self.fields.items())])


def cautions(config: Config) -> Iterator[Caution]:
    """The risks of a configuration."""
    if config.platforms and config.storage.url == MEMORY:
        yield Caution("storage is memory://: refresh tokens and tickets do not survive a restart")
    if is_exposed(config.wechat.base_url):
        text = "wechat.base_url is plain http: secrets and tokens travel in the clear"
        yield Caution(text, frozenset({config.wechat.base_url}))
    if short := shortage(config.refresh.concurrency):
        yield Caution(short)
    classic = {app.appid: app.name for app in config.apps if isinstance(app.token, AccessToken)}
    if classic:
        yield Caution(
            "token type access_token: each fetch ends the token that other programs hold; stable_token harms "
            "nobody",
            frozenset(classic),
            {"apps": len(classic), "first": next(iter(classic.values()))},
        )


class Cautions:
    """Logs the risks that a configuration brings and the one before did not."""

    def __init__(self, log: FilteringBoundLogger) -> None:
        self._log = log
        self._told: dict[str, frozenset[str]] = {}

    def tell(self, config: Config) -> None:
        """Look at a configuration that is about to be in force."""
        before, self._told = self._told, {}
        for caution in cautions(config):
            self._told[caution.what] = caution.about
            if caution.what not in before or caution.about - before[caution.what]:
                self._log.warning(caution.what, **caution.fields)


def is_exposed(base_url: str) -> bool:
    """Whether secrets would leave this machine in the clear."""
    parts = urlsplit(base_url)
    return parts.scheme == "http" and parts.hostname not in {"localhost", "127.0.0.1", "::1"}
