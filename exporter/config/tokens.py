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
from exporter.config.settings import AccessToken, FileToken, HttpToken, Secret, StableToken, TokenSettings

PLANNED_TOKENS: Final = ("third_party", "cloud_hosting", "cloud_function")

SecretText = Annotated[str, Rule("a text of one line, not empty", texts.secret, hidden=True)]
FilePath = Annotated[str, Rule("a file's path", texts.filled)]
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
