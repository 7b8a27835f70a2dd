"""What may stand in a configuration file: every key with its rule, default and meaning.

The checks, the error messages and the reference in the docs are all made from these models. A new token
type is one more model in `TokenEntry`; a new section is one more field of `MainFile`.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo

from exporter.config import texts
from exporter.config.rules import DurationRule, NumberRule, Rule
from exporter.config.settings import (
    AccessToken,
    App,
    FileToken,
    HttpToken,
    RefreshSettings,
    Secret,
    StableToken,
    StorageSettings,
    TokenSettings,
    WechatSettings,
)

PLANNED_KEYS: Final = ("platforms",)
PLANNED_TOKENS: Final = ("third_party", "cloud_hosting", "cloud_function")

Text = Annotated[str, Rule("a text")]
SecretText = Annotated[str, Rule("a text of one line", texts.secret, hidden=True)]
FilePath = Annotated[str, Rule("a file's path", texts.filled)]
LabelName = Annotated[
    str, Rule("a label name (letters, digits and _, no digit first, not two _ first)", texts.label)
]
HeaderName = Annotated[str, Rule("a header's name", texts.header_name, hidden=True)]
HeaderValue = Annotated[str, Rule("a header's value in printable ASCII", texts.header_value, hidden=True)]


@dataclass(frozen=True, slots=True)
class Place:
    """The folder (absolute) that relative paths start from; equal pairs of texts are kept `once`."""

    folder: str
    pairs: dict[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]] = field(default_factory=dict)

    def once(self, found: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
        """The pairs as a tuple that all apps with the same pairs share."""
        pairs = tuple(found)
        return self.pairs.setdefault(pairs, pairs)

    def path(self, written: str) -> str:
        """The absolute path of what was written."""
        return os.path.join(self.folder, written)  # noqa: PTH118 - 100,000 of them, as texts


def rule_of(field: FieldInfo) -> Rule | NumberRule | DurationRule | None:
    """The rule of a field that holds a single value."""
    inner = getattr(field.annotation, "__args__", (None,))[0]  # that of `rule | None`
    marks = (*field.metadata, *getattr(inner, "__metadata__", ()))
    return next((mark for mark in marks if isinstance(mark, Rule | NumberRule | DurationRule)), None)


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class WechatEntry(_Entry):
    """The section `wechat`."""

    base_url: Annotated[str, Rule("an http:// or https:// URL with a host", texts.base_url)] = Field(
        default="https://api.weixin.qq.com",
        description="Where WeChat's interface answers: another region of it, a proxy, a test server.",
    )
    timeout: Annotated[float, DurationRule(0.1, 300)] = Field(
        default=10.0,
        description="How long a whole call may take, from connecting to the last byte.",
    )

    def settings(self) -> WechatSettings:
        """The section as the program uses it."""
        return WechatSettings(self.base_url, self.timeout)


class RefreshEntry(_Entry):
    """The section `refresh`."""

    interval: Annotated[float, DurationRule(1, 86_400)] = Field(
        default=3600.0,
        description="Time between rounds; every round asks for yesterday's row of every app.",
    )
    history_days: Annotated[int, NumberRule("a whole number from 1 to 400", 1, 400)] = Field(
        default=9,
        description="Dates shown by the by-date metrics, yesterday included; 1 switches those metrics off.",
    )
    revisit_days: Annotated[int, NumberRule("a whole number from 0 to 400", 0, 400)] = Field(
        default=3,
        description="Recent dates that are asked for again once a day, in case WeChat corrected them.",
    )
    concurrency: Annotated[int, NumberRule("a whole number from 1 to 1024", 1, 1024)] = Field(
        default=16,
        description="Calls to WeChat that may be under way at the same time.",
    )
    requests_per_second: Annotated[
        float, NumberRule("a number from 0 (no limit) to 100000", 0, 100_000, whole=False)
    ] = Field(
        default=50.0, description="Most calls to WeChat per second, all apps together; 0 means no limit."
    )

    def settings(self) -> RefreshSettings:
        """The section as the program uses it."""
        return RefreshSettings(
            self.interval, self.history_days, self.revisit_days, self.concurrency, self.requests_per_second
        )


class StorageEntry(_Entry):
    """The section `storage`."""

    url: Annotated[str, Rule("memory:// or sqlite:///path", texts.storage_url)] = Field(
        default="sqlite:///data/exporter.db",
        description="Where rows survive a restart: an SQLite file, or nowhere with memory://.",
    )

    def settings(self, place: Place) -> StorageSettings:
        """The section as the program uses it: with an absolute path."""
        scheme, slashes, path = self.url.partition(":///")
        return StorageSettings(f"{scheme}{slashes}{place.path(path)}" if slashes else self.url)


class _SecretEntry(_Entry):
    secret: SecretText | None = Field(default=None, description="The app's AppSecret; better kept in a file.")
    secret_file: FilePath | None = Field(
        default=None,
        description="A file that holds the AppSecret; it is read again whenever a token is needed.",
    )

    def source(self, place: Place) -> Secret:
        """Where the secret is."""
        return Secret(self.secret, None if self.secret_file is None else place.path(self.secret_file))


class StableTokenEntry(_SecretEntry):
    """`token: {type: stable_token}`, the same as a secret beside the appid."""

    type: Literal["stable_token"] = Field(description="The default way: leaves other holders' tokens alone.")

    def settings(self, _appid: str, place: Place) -> TokenSettings:
        """The way to the token as the program uses it."""
        return StableToken(self.source(place))


class AccessTokenEntry(_SecretEntry):
    """`token: {type: access_token}`."""

    type: Literal["access_token"] = Field(
        description="The classic cgi-bin/token: each new token invalidates the one that others hold."
    )

    def settings(self, _appid: str, place: Place) -> TokenSettings:
        """The way to the token as the program uses it."""
        return AccessToken(self.source(place))


class FileTokenEntry(_Entry):
    """`token: {type: file}`."""

    type: Literal["file"] = Field(description="Another program writes the token to a file.")
    path: FilePath = Field(
        description="The file; it need not exist yet and is read whenever a token is needed."
    )
    field: Annotated[str, Rule("a key's name", texts.filled)] | None = Field(
        default=None,
        description="The key of the token if the file holds JSON; without it the file is the token.",
    )

    def settings(self, _appid: str, place: Place) -> TokenSettings:
        """The way to the token as the program uses it."""
        return FileToken(Path(place.path(self.path)), self.field)


class HttpTokenEntry(_Entry):
    """`token: {type: http}`."""

    type: Literal["http"] = Field(description="Another program hands out the token over HTTP, as JSON.")
    url: Annotated[str, Rule("an http:// or https:// URL with a host", texts.token_url)] = Field(
        description="The URL to GET; {appid} in it stands for the app's appid."
    )
    field: Annotated[str, Rule("a key's name", texts.filled)] = Field(
        default="access_token", description="The key of the token in the answer."
    )
    headers: dict[HeaderName, HeaderValue] = Field(
        default_factory=dict, description="Headers to send, such as Authorization."
    )

    def settings(self, appid: str, place: Place) -> TokenSettings:
        """The way to the token as the program uses it."""
        return HttpToken(self.url.replace("{appid}", appid), self.field, place.once(self.headers.items()))


TokenEntry = Annotated[
    StableTokenEntry | AccessTokenEntry | FileTokenEntry | HttpTokenEntry, Field(discriminator="type")
]
TOKENS: Final[dict[str, type[BaseModel]]] = {
    get_args(model.model_fields["type"].annotation)[0]: model for model in get_args(get_args(TokenEntry)[0])
}


class AppEntry(_SecretEntry):
    """One item of `apps`."""

    appid: Annotated[str, Rule("an appid (wx followed by 16 hexadecimal digits)", texts.appid)] = Field(
        description="The mini program's appid; it becomes the label appid."
    )
    name: Annotated[str, Rule(f"a name of 1 to {texts.LONGEST_NAME} characters", texts.name)] | None = Field(
        default=None, description="A name for people; it becomes the label name. Without it: the appid."
    )
    labels: dict[LabelName, Text] = Field(
        default_factory=dict, description="More labels, for the info metric."
    )
    token: TokenEntry | None = Field(
        default=None, description="How to get the token, if not from a secret as the default way does."
    )

    def settings(self, place: Place) -> App:
        """The app as the program uses it."""
        token = (
            StableToken(self.source(place)) if self.token is None else self.token.settings(self.appid, place)
        )
        return App(self.appid, self.name or self.appid, place.once(sorted(self.labels.items())), token)


class AppsFile(_Entry):
    """A file of `apps_files`; a bare list is taken for its `apps`."""

    apps: list[AppEntry] = Field(default_factory=list, description="Mini programs to report on.")


class MainFile(_Entry):
    """The configuration file."""

    wechat: WechatEntry = Field(default_factory=WechatEntry, description="WeChat's interface.")
    refresh: RefreshEntry = Field(default_factory=RefreshEntry, description="When and how fast to ask.")
    storage: StorageEntry = Field(default_factory=StorageEntry, description="Where rows are kept.")
    apps: list[AppEntry] = Field(default_factory=list, description="The mini programs to report on.")
    apps_files: list[FilePath] = Field(
        default_factory=list,
        description="Files with more apps, as paths or patterns (apps.d/*.yaml) relative to this file.",
    )
