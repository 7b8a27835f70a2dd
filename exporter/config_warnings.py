"""What a valid configuration risks: told by every command that uses it."""

import re
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from structlog.typing import FilteringBoundLogger

from exporter.config.settings import (
    AccessToken,
    CloudFunction,
    Config,
    Secret,
    StableToken,
    ThirdParty,
    TicketCallback,
)
from exporter.config.storage import MEMORY
from exporter.descriptors import shortage

_APP_SECRET: Final = re.compile(r"[0-9a-fA-F]{32}")


@dataclass(frozen=True, slots=True)
class ConfigWarning:
    """A risk in words, what it is about for the log, and whom it concerns: another one is told again."""

    what: str
    about: frozenset[str] = frozenset()
    fields: dict[str, object] = field(default_factory=dict, compare=False)

    def __str__(self) -> str:
        return " ".join([self.what, *(f"{name}={value}" for name, value in self.fields.items())])


def config_warnings(config: Config) -> Iterator[ConfigWarning]:
    """The risks of a configuration."""
    if config.platforms and config.storage.url == MEMORY:
        yield ConfigWarning("storage is memory://: refresh tokens and tickets do not survive a restart")
    if is_exposed(config.wechat.base_url):
        text = "wechat.base_url is plain http: secrets and tokens travel in the clear"
        yield ConfigWarning(text, frozenset({config.wechat.base_url}))
    if short := shortage(config.refresh.concurrency):
        yield ConfigWarning(short)
    classic = {app.appid: app.name for app in config.apps if isinstance(app.token, AccessToken)}
    if classic:
        yield ConfigWarning(
            "token type access_token: each fetch ends the token that other programs hold; stable_token harms "
            "nobody",
            frozenset(classic),
            {"apps": len(classic), "first": next(iter(classic.values()))},
        )


def doubts(config: Config) -> Iterator[ConfigWarning]:
    """What does not look as WeChat's appids and secrets do, and secret files that everybody may read."""
    capitals = [app.name for app in config.apps if app.appid != app.appid.lower()]
    yield from _several("appids with capitals: WeChat writes them in lower case", "apps", capitals)
    odd = [name for name, secret in _app_secrets(config) if not _APP_SECRET.fullmatch(_read(secret))]
    text = "secrets that are not 32 hexadecimal digits, as WeChat's are: in quotes, or cut at a #?"
    yield from _several(text, "of", odd)
    paths = dict.fromkeys(str(secret.path) for secret in _secrets(config) if secret.path is not None)
    text = "secret files that every user of this machine can read: chmod o= them"
    yield from _several(text, "files", [path for path in paths if _is_open(path)])


def _several(what: str, unit: str, found: list[str]) -> Iterator[ConfigWarning]:
    if found:
        yield ConfigWarning(what, frozenset(found), {unit: len(found), "first": found[0]})


def _app_secrets(config: Config) -> Iterator[tuple[str, Secret]]:
    for app in config.apps:
        if isinstance(app.token, StableToken | AccessToken | CloudFunction):
            yield app.name, app.token.secret
    for platform in config.platforms:
        yield platform.name, platform.component_appsecret


def _secrets(config: Config) -> Iterator[Secret]:
    for _, secret in _app_secrets(config):
        yield secret
    others = [app.token.refresh_token for app in config.apps if isinstance(app.token, ThirdParty)]
    for platform in config.platforms:
        if isinstance(platform.ticket, TicketCallback):
            others += [platform.ticket.token, platform.ticket.aes_key]
    redis = config.storage.redis
    others += [config.storage.encryption_key, *((redis.password, redis.sentinel_password) if redis else ())]
    yield from (secret for secret in others if secret is not None)


def _read(secret: Secret) -> str:
    with suppress(OSError, ValueError):
        return secret.read()
    return ""


def _is_open(path: str) -> bool:
    with suppress(OSError):
        return bool(Path(path).stat().st_mode & stat.S_IROTH)
    return False


class ConfigWarnings:
    """Logs the risks that a configuration brings and the one before did not."""

    def __init__(self, log: FilteringBoundLogger) -> None:
        self._log = log
        self._told: dict[str, frozenset[str]] = {}

    def log_new(self, config: Config) -> None:
        """Log the risks of a configuration that is about to be in force."""
        before, self._told = self._told, {}
        for config_warning in config_warnings(config):
            self._told[config_warning.what] = config_warning.about
            if config_warning.what not in before or config_warning.about - before[config_warning.what]:
                self._log.warning(config_warning.what, **config_warning.fields)


def is_exposed(base_url: str) -> bool:
    """Whether secrets would leave this machine in the clear."""
    parts = urlsplit(base_url)
    return parts.scheme == "http" and parts.hostname not in {"localhost", "127.0.0.1", "::1"}
