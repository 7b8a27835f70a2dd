"""The ways to a token that a configuration may choose, each with its keys, rules and meanings.

A new way is one more model in `TokenEntry`, and its settings one more type in `TokenSettings`.
"""

import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

from exporter.config import texts
from exporter.config.rules import Rule
from exporter.config.settings import (
    AccessToken,
    CloudFunction,
    CloudHosting,
    FileToken,
    HttpToken,
    Secret,
    StableToken,
    ThirdParty,
    TokenSettings,
)

SecretText = Annotated[str, Rule("a text of one line, not empty", texts.secret, hidden=True)]
FilePath = Annotated[str, Rule("a file's path", texts.filled)]
PlatformName = Annotated[
    str, Rule("a platform's name (letters, digits, '-', '_' and '.', at most 60)", texts.platform_name)
]
CloudName = Annotated[
    str, Rule("a cloud environment's or function's name (letters, digits, '-' and '_')", texts.cloud_name)
]
Appid = Annotated[str, Rule("an appid (wx followed by 16 hexadecimal digits)", texts.appid)]
HeaderName = Annotated[str, Rule("a header's name", texts.header_name, hidden=True)]
BodyText = Annotated[str, Rule("a text, not empty", texts.filled, hidden=True)]
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


class Entry(BaseModel):
    """A mapping of the configuration: no other keys, no conversions."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class SecretEntry(Entry):
    """The two keys that lead to a secret; `credentials` sees to it that exactly one is there."""

    secret: SecretText | None = Field(default=None, description="The app's AppSecret; better kept in a file.")
    secret_file: FilePath | None = Field(
        default=None,
        description="A file that holds the AppSecret; it is read again whenever a token is needed.",
    )

    def source(self, place: Place) -> Secret:
        """Where the secret is."""
        return Secret(self.secret, None if self.secret_file is None else place.path(self.secret_file))


class StableTokenEntry(SecretEntry):
    """`token: {type: stable_token}`, the same as a secret beside the appid."""

    type: Literal["stable_token"] = Field(description="The default way: leaves other holders' tokens alone.")

    def settings(self, _appid: str, place: Place) -> TokenSettings:
        """The way to the token as the program uses it."""
        return StableToken(self.source(place))


class AccessTokenEntry(SecretEntry):
    """`token: {type: access_token}`."""

    type: Literal["access_token"] = Field(
        description="The classic cgi-bin/token: each new token invalidates the one that others hold."
    )

    def settings(self, _appid: str, place: Place) -> TokenSettings:
        """The way to the token as the program uses it."""
        return AccessToken(self.source(place))


class FileTokenEntry(Entry):
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


class HttpTokenEntry(Entry):
    """`token: {type: http}`."""

    type: Literal["http"] = Field(description="Another program hands out the token over HTTP.")
    url: Annotated[str, Rule("an http:// or https:// URL with a host", texts.token_url)] = Field(
        description="The URL to ask; {appid} in it stands for the app's appid."
    )
    field: Annotated[str, Rule("a key's name", texts.filled)] | None = Field(
        default=None,
        description="The key of the token in the answer's JSON; without it `access_token`, or the whole "
        "answer where that is not JSON.",
    )
    headers: dict[HeaderName, HeaderValue] = Field(
        default_factory=dict, description="Headers to send, such as Authorization."
    )
    method: Annotated[str, Rule("GET or POST", texts.method)] | None = Field(
        default=None, description="GET, or POST; without it POST where there is a body."
    )
    body: dict[BodyText, BodyText] = Field(
        default_factory=dict,
        description="Texts to send as a JSON object; {appid} stands for the app's appid, {refused} for the "
        "last token that WeChat refused.",
    )

    def settings(self, appid: str, place: Place) -> TokenSettings:
        """The way to the token as the program uses it."""
        return HttpToken(
            self.url.replace("{appid}", appid),
            self.field,
            place.once(self.headers.items()),
            self.method or ("POST" if self.body else "GET"),
            tuple((key, value.replace("{appid}", appid)) for key, value in self.body.items()),
        )


class ThirdPartyEntry(Entry):
    """`token: {type: third_party}`."""

    type: Literal["third_party"] = Field(
        description="The account has authorised a third-party platform; its authorizer token is used."
    )
    platform: PlatformName = Field(description="The name of one of `platforms`.")
    refresh_token: SecretText | None = Field(
        default=None,
        description="The authorizer_refresh_token to begin with; without it, the one in WeChat's list of "
        "accounts. Later ones are kept in the storage.",
    )
    refresh_token_file: FilePath | None = Field(
        default=None, description="A file that holds that refresh token; better than writing it here."
    )

    def settings(self, _appid: str, place: Place) -> TokenSettings:
        """The way to the token as the program uses it."""
        return ThirdParty(self.platform, secret_of(self.refresh_token, self.refresh_token_file, place))


class CloudHostingEntry(Entry):
    """`token: {type: cloud_hosting}`."""

    type: Literal["cloud_hosting"] = Field(
        description="The exporter runs inside WeChat's cloud hosting (云托管), which needs no token."
    )
    from_appid: Appid | None = Field(
        default=None,
        description="The account to ask for, where the environment is shared (资源复用); without it, the one "
        "that owns the environment.",
    )
    cloudbase_access_token_file: FilePath | None = Field(
        default=None,
        description="The file in which the platform keeps a cloudbase_access_token; read for every call and "
        "sent instead of relying on the network.",
    )

    def settings(self, _appid: str, place: Place) -> TokenSettings:
        """The way to the token as the program uses it."""
        file = self.cloudbase_access_token_file
        return CloudHosting(self.from_appid, None if file is None else Path(place.path(file)))


class CloudFunctionEntry(SecretEntry):
    """`token: {type: cloud_function}`."""

    type: Literal["cloud_function"] = Field(
        description="A cloud function (deploy/cloud-function) asks; it is called with the stable token."
    )
    env: CloudName = Field(description="The cloud environment's id, such as prod-1a2b3c.")
    function: CloudName = Field(description="The cloud function's name.")

    def settings(self, _appid: str, place: Place) -> TokenSettings:
        """The way to the token as the program uses it."""
        return CloudFunction(self.env, self.function, self.source(place))


def secret_of(value: str | None, file: str | None, place: Place) -> Secret | None:
    """Where a secret is that may be written in place or in a file; None where it is nowhere."""
    if value is None and file is None:
        return None
    return Secret(value, None if file is None else place.path(file))


TokenEntry = Annotated[
    StableTokenEntry
    | AccessTokenEntry
    | FileTokenEntry
    | HttpTokenEntry
    | ThirdPartyEntry
    | CloudHostingEntry
    | CloudFunctionEntry,
    Field(discriminator="type"),
]
TOKENS: Final[dict[str, type[BaseModel]]] = {
    get_args(model.model_fields["type"].annotation)[0]: model for model in get_args(get_args(TokenEntry)[0])
}
