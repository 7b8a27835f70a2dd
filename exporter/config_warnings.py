"""The risks of a valid configuration, logged by every command."""

import re
import stat
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from structlog.typing import FilteringBoundLogger

from exporter.config.secret import Secret
from exporter.config.settings import Config
from exporter.config.storage import MEMORY
from exporter.config.token_types import ClassicToken, CloudFunction, StableToken
from exporter.file_descriptors import shortage

_APP_SECRET: Final = re.compile(r"[0-9a-fA-F]{32}")
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_CLASSIC: Final = (
    "token type access_token: each fetch ends the token that other programs hold; stable_token harms nobody"
)
_ODD: Final = "secrets that are not 32 hexadecimal digits, as WeChat's are: copied whole, and nothing else?"
_NAMESAKES: Final = "apps with one name: dashboards and `backfill --app` take them for one"


@dataclass(frozen=True, slots=True)
class ConfigWarning:
    """A risk in words, with the keys of what it concerns and, for the log, their count and first name."""

    what: str
    about: frozenset[str] = frozenset()
    fields: dict[str, object] = field(default_factory=dict, compare=False)

    def __str__(self) -> str:
        """Return the warning for people: `coffee-shop and 2 more: secrets that …`."""
        if not self.fields:
            return self.what
        more = len(self.about) - 1
        return f"{self.fields['first']}{f' and {more} more' if more else ''}: {self.what}"


class ConfigWarnings:
    """Logs the risks of a configuration that its predecessor did not have."""

    def __init__(self, log: FilteringBoundLogger) -> None:
        self._log = log
        self._logged: dict[str, frozenset[str]] = {}

    def log_new(self, config: Config) -> None:
        """Log the new risks of a configuration that is about to take effect."""
        before, self._logged = self._logged, {}
        for risk in config_warnings(config):
            self._logged[risk.what] = risk.about
            if risk.what not in before or risk.about - before[risk.what]:
                self._log.warning(risk.what, **risk.fields)


def config_warnings(config: Config) -> Iterator[ConfigWarning]:
    """Yield the risks of a configuration."""
    if config.platforms and config.storage.url == MEMORY:
        yield ConfigWarning("storage is memory://: refresh tokens and tickets do not survive a restart")
    if is_exposed(config.wechat.base_url):
        text = "wechat.base_url is plain http: secrets and tokens travel in the clear"
        yield ConfigWarning(text, frozenset({config.wechat.base_url}))
    if short := shortage(config.refresh.concurrency):
        yield ConfigWarning(short)
    classic = [app for app in config.apps if isinstance(app.token, ClassicToken)]
    yield from _several(_CLASSIC, "apps", {app.appid: app.name for app in classic})
    times = Counter(app.name for app in config.apps)
    namesakes = {app.appid: app.name for app in config.apps if times[app.name] > 1}
    yield from _several(_NAMESAKES, "apps", namesakes)


def doubts(config: Config) -> Iterator[ConfigWarning]:
    """Yield appids and secrets unlike WeChat's, and secret files that everybody may read."""
    capitals = {app.appid: app.name for app in config.apps if app.appid != app.appid.lower()}
    yield from _several("appids with capitals: WeChat writes them in lower case", "apps", capitals)
    secrets = [
        (app.name, app.token.secret)
        for app in config.apps
        if isinstance(app.token, StableToken | ClassicToken | CloudFunction)
    ] + [(platform.name, platform.component_appsecret) for platform in config.platforms]
    if urlsplit(config.wechat.base_url).hostname not in _LOOPBACK:  # a stand-in's are as it likes
        odd = {name: name for name, secret in secrets if not _APP_SECRET.fullmatch(_read(secret))}
        yield from _several(_ODD, "of", odd)
    paths = {str(secret.path) for secret in _secrets(config) if secret.path is not None}
    text = "secret files that every user of this machine can read: chmod o= them"
    yield from _several(text, "files", {path: path for path in sorted(paths) if _is_open(path)})


def is_exposed(base_url: str) -> bool:
    """Return whether a base URL would send secrets across the network unencrypted."""
    parts = urlsplit(base_url)
    return parts.scheme == "http" and parts.hostname not in _LOOPBACK


def _several(what: str, unit: str, found: dict[str, str]) -> Iterator[ConfigWarning]:
    """Yield one warning about all findings, if there are any; `found` maps keys to names."""
    if found:
        first = next(iter(found.values()))
        yield ConfigWarning(what, frozenset(found), {unit: len(found), "first": first})


def _secrets(found: object) -> Iterator[Secret]:
    """Yield all secrets of a configuration, at any depth."""
    if isinstance(found, Secret):
        yield found
    elif is_dataclass(found):
        for each in fields(found):
            yield from _secrets(getattr(found, each.name))
    elif isinstance(found, tuple):
        for item in found:
            yield from _secrets(item)


def _read(secret: Secret) -> str:
    with suppress(OSError, ValueError):
        return secret.read()
    return ""


def _is_open(path: str) -> bool:
    with suppress(OSError):
        return bool(Path(path).stat().st_mode & stat.S_IROTH)
    return False
