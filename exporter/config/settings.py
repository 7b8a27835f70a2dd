"""The settings that the rest of the program sees: plain frozen values, comparable for a reload.

An installation may have 100,000 apps, so everything here is slotted and nothing is kept twice.
"""

import dataclasses
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

LARGEST_SECRET: Final = 64 * 1024  # bytes; a wrong path, such as a log or a device, ends here


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret written in the configuration (`value`) or kept in a file (`path`); never shown.

    Two secrets are equal when they come from the same place: what a file holds is not compared.
    """

    value: str | None = None
    path: str | os.PathLike[str] | None = None

    def __post_init__(self) -> None:
        if (self.value is None) == (self.path is None):
            raise TypeError("a secret has either a value or a path")
        if self.path is not None:  # a text takes a fifth of a Path's memory
            object.__setattr__(self, "path", os.fspath(self.path))

    def __repr__(self) -> str:
        return "Secret(…)" if self.path is None else f"Secret(path={os.fspath(self.path)!r})"

    def read(self) -> str:
        """The secret without surrounding white space; a file is read anew at each call.

        Raises:
            OSError: the file cannot be read.
            ValueError: the file is empty, too large or not a UTF-8 text of one line.
        """
        if self.path is None:
            return self.value or ""
        with open(self.path, "rb") as file:  # noqa: PTH123 - the path is a text here
            content = file.read(LARGEST_SECRET + 1)
        if len(content) > LARGEST_SECRET:
            raise ValueError(f"larger than {LARGEST_SECRET // 1024} KiB")
        try:
            text = content.decode("utf-8-sig").strip()
        except UnicodeDecodeError:
            raise ValueError("not a UTF-8 text") from None  # the cause would show its bytes
        if not text:
            raise ValueError("empty")
        if not text.isprintable():
            raise ValueError("not a text of one line")
        return text


@dataclass(frozen=True, slots=True)
class StableToken:
    """Ask WeChat for a stable token: other holders of the app's token are left alone."""

    secret: Secret


@dataclass(frozen=True, slots=True)
class AccessToken:
    """Ask for a classic access token: each one invalidates the one that others hold."""

    secret: Secret


@dataclass(frozen=True, slots=True)
class FileToken:
    """Another program keeps the token in a file: bare, or in JSON under the key `field`."""

    path: Path
    field: str | None = None


@dataclass(frozen=True, slots=True)
class HttpToken:
    """Another program answers at `url`: with the token, or with JSON that has it under the key `field`.

    `body` is sent as a JSON object; `{refused}` in a value stands for the last token that WeChat refused.
    """

    url: str = dataclasses.field(repr=False)  # some keepers want their key in the query
    field: str | None = None
    headers: tuple[tuple[str, str], ...] = dataclasses.field(default=(), repr=False)
    method: str = "GET"
    body: tuple[tuple[str, str], ...] = dataclasses.field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class ThirdParty:
    """The account has authorised a third-party platform, which calls for it.

    `refresh_token` is the one to begin with, where the platform's list of accounts has none. `discovered`:
    the app stands in no configuration, it was found in that list.
    """

    platform: str
    refresh_token: Secret | None = None
    discovered: bool = False


@dataclass(frozen=True, slots=True)
class CloudHosting:
    """Inside WeChat's cloud hosting, which adds the credential itself; `from_appid` for a shared one.

    With `token_file` the platform keeps a cloudbase_access_token there, which is sent instead.
    """

    from_appid: str | None = None
    token_file: Path | None = None


@dataclass(frozen=True, slots=True)
class CloudFunction:
    """A cloud function of the environment `env` asks; it is called with the account's stable token."""

    env: str
    function: str
    secret: Secret


TokenSettings = StableToken | AccessToken | FileToken | HttpToken | ThirdParty | CloudHosting | CloudFunction


@dataclass(frozen=True, slots=True)
class TicketFile:
    """Another program writes the newest verify ticket to the file `path`."""

    path: Path


@dataclass(frozen=True, slots=True)
class TicketHttp:
    """Another program answers GET `url`: with the ticket, or with JSON that has it under the key `field`."""

    url: str = dataclasses.field(repr=False)
    field: str | None = None
    headers: tuple[tuple[str, str], ...] = dataclasses.field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class TicketCallback:
    """WeChat pushes verify tickets to this exporter: `token` signs, `aes_key` encrypts the pushes."""

    token: Secret
    aes_key: Secret


@dataclass(frozen=True, slots=True)
class Discovery:
    """All accounts that authorised a platform become apps, looked up every `interval` seconds.

    `include` and `exclude` hold appids and patterns such as `wx12*`; nothing included means all.
    """

    interval: float
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Platform:
    """A third-party platform: its own credential, where its verify ticket comes from."""

    name: str
    component_appid: str
    component_appsecret: Secret
    ticket: TicketFile | TicketHttp | TicketCallback
    discovery: Discovery | None = None


@dataclass(frozen=True, slots=True)
class App:
    """One mini program; `labels` are sorted by name and go to the info metric.

    `datasets` are the names of those that it has of `Config.datasets`; None: all of them.
    """

    appid: str
    name: str
    labels: tuple[tuple[str, str], ...]
    token: TokenSettings
    datasets: tuple[str, ...] | None = None

    def has(self, dataset: str) -> bool:
        """Whether the app has a dataset that is switched on."""
        return self.datasets is None or dataset in self.datasets


@dataclass(frozen=True, slots=True)
class DatasetSettings:
    """A dataset that is switched on, with those of the settings that it has.

    `history`: periods on show in the by-period family, 0: no such family. `days`: of retention. `top` and
    `allow`: how many pages are shown, and patterns of paths that always are. `interval`: seconds.
    """

    name: str
    history: int = 0
    days: tuple[int, ...] = ()
    top: int = 0
    allow: tuple[str, ...] = ()
    interval: float = 0.0


@dataclass(frozen=True, slots=True)
class WechatSettings:
    """Where WeChat answers (no trailing slash) and how long a whole call may take, in seconds.

    `private_ca` has certificates, as PEM, that are trusted besides the usual ones.
    """

    base_url: str
    timeout: float
    private_ca: str = dataclasses.field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class RefreshSettings:
    """How often (seconds), how far back (days) and how fast (0 = no limit) WeChat is asked."""

    interval: float
    history_days: int
    revisit_days: int
    concurrency: int
    requests_per_second: float


@dataclass(frozen=True, slots=True)
class RedisServer:
    """A Redis server, or with `master` the sentinels that know where it is; `hosts` are names and ports."""

    hosts: tuple[tuple[str, int], ...]
    database: int = 0
    master: str | None = None
    tls: bool = False
    user: str | None = None
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    password: Secret | None = None
    sentinel_password: Secret | None = None
    prefix: str = "wechat-miniprogram"


@dataclass(frozen=True, slots=True)
class StorageSettings:
    """`memory://`, `sqlite:////absolute/path` (the fourth slash begins the path), or Redis' address.

    The URL has no password in it. `encryption_key` encrypts tokens and refresh tokens.
    """

    url: str
    redis: RedisServer | None = None
    encryption_key: Secret | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """All settings of one configuration file and of the files that it names."""

    path: Path
    wechat: WechatSettings
    refresh: RefreshSettings
    storage: StorageSettings
    apps: tuple[App, ...]
    platforms: tuple[Platform, ...] = ()
    datasets: tuple[DatasetSettings, ...] = ()

    def datasets_of(self, app: App) -> tuple[DatasetSettings, ...]:
        """The datasets that an app has beside the daily trend."""
        return tuple(each for each in self.datasets if app.has(each.name))
