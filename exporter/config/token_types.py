"""The types of token for the configuration, each with its keys, rules and meanings.

A new type needs a class here (also in `TokenSettings` and `TOKENS`), a source of its token in
wechat/tokens/sources.py, and a case in wechat/access.py.
"""

import dataclasses
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Final

from exporter.config.lists import PairsRule
from exporter.config.problems import Pairs
from exporter.config.rules import FileRule
from exporter.config.secret import Secret
from exporter.config.sections import Choice, Key, SecretKey, Section
from exporter.config.text_rules import (
    APPID,
    BODY_TEXT,
    CLOUD_NAME,
    HEADER_NAME,
    HEADER_VALUE,
    KEY_NAME,
    METHOD,
    PLATFORM_NAME,
    TOKEN_URL,
)

APP_SECRET: Final = SecretKey(
    "The app's AppSecret; better kept in a file.",
    "A file that holds the AppSecret; it is read again whenever a token is needed.",
)
HEADERS: Final = Key(
    PairsRule(HEADER_NAME, HEADER_VALUE, hidden=True), "Headers to send, such as Authorization."
)


@dataclass(frozen=True, slots=True)
class StableToken:
    """A stable token from WeChat, which leaves other holders of the app's token alone."""

    secret: Annotated[Secret, APP_SECRET]


@dataclass(frozen=True, slots=True)
class ClassicToken:
    """A classic access token, which invalidates the one that others hold."""

    secret: Annotated[Secret, APP_SECRET]


@dataclass(frozen=True, slots=True)
class FileToken:
    """Another program keeps the token in a file: bare, or in JSON under the key `field`."""

    path: Annotated[
        Path, Key(FileRule(Path), "The file; it need not exist yet and is read whenever a token is needed.")
    ]
    field: Annotated[
        str | None,
        Key(KEY_NAME, "The key of the token if the file holds JSON; without it the file is the token."),
    ] = None


@dataclass(frozen=True, slots=True)
class HttpToken:
    """Another program answers at `url` with the token, or with JSON that has it under the key `field`.

    `body` is sent as a JSON object, with the last token that WeChat refused in place of `{refused}`.
    """

    url: Annotated[str, Key(TOKEN_URL, "The URL to ask; {appid} in it stands for the app's appid.")] = (
        dataclasses.field(repr=False)
    )  # some services want their key in the query
    field: Annotated[
        str | None,
        Key(
            KEY_NAME,
            "The key of the token in the answer's JSON; without it `access_token`, or the whole "
            "answer where that is not JSON.",
        ),
    ] = None
    headers: Annotated[Pairs, HEADERS] = dataclasses.field(default=(), repr=False)
    method: Annotated[str, Key(METHOD, "GET, or POST; without it POST where there is a body.")] = ""
    body: Annotated[
        Pairs,
        Key(
            PairsRule(BODY_TEXT, BODY_TEXT),
            "Texts to send as a JSON object; {appid} stands for the app's appid, {refused} for the "
            "last token that WeChat refused.",
        ),
    ] = dataclasses.field(default=(), repr=False)

    def __post_init__(self) -> None:
        if not self.method:
            object.__setattr__(self, "method", "POST" if self.body else "GET")

    def of(self, appid: str) -> "HttpToken":
        """Return the settings with an app's appid in place of `{appid}`."""
        body = tuple((key, value.replace("{appid}", appid)) for key, value in self.body)
        return replace(self, url=self.url.replace("{appid}", appid), body=body)


@dataclass(frozen=True, slots=True)
class ThirdParty:
    """A token from a third-party platform that the account has authorised.

    `refresh_token`: the first one to use if the platform's list of accounts has none. `discovered`: the app
    comes from that list, not from a configuration.
    """

    platform: Annotated[str, Key(PLATFORM_NAME, "The name of one of `platforms`.")]
    refresh_token: Annotated[
        Secret | None,
        SecretKey(
            "The authorizer_refresh_token to begin with; without it, the one in WeChat's list of "
            "accounts. Later ones are kept in the storage.",
            "A file that holds that refresh token; better than writing it here.",
        ),
    ] = None
    discovered: bool = False


@dataclass(frozen=True, slots=True)
class CloudHosting:
    """No token, inside WeChat's cloud hosting, which adds the credential; `from_appid` for a shared one.

    With `token_file` the exporter sends the cloudbase_access_token that the platform keeps in that file.
    """

    from_appid: Annotated[
        str | None,
        Key(
            APPID,
            "The account to ask for, where the environment is shared (资源复用); without it, the one "
            "that owns the environment.",
        ),
    ] = None
    token_file: Annotated[
        Path | None,
        Key(
            FileRule(Path),
            "The file in which the platform keeps a cloudbase_access_token; read for every call and "
            "sent instead of relying on the network.",
            name="cloudbase_access_token_file",
        ),
    ] = None


@dataclass(frozen=True, slots=True)
class CloudFunction:
    """A cloud function of the environment `env` makes the call; the account's stable token starts it."""

    env: Annotated[str, Key(CLOUD_NAME, "The cloud environment's id, such as prod-1a2b3c.")]
    function: Annotated[str, Key(CLOUD_NAME, "The cloud function's name.")]
    secret: Annotated[Secret, APP_SECRET]


TokenSettings = StableToken | ClassicToken | FileToken | HttpToken | ThirdParty | CloudHosting | CloudFunction

TOKENS: Final = Choice[TokenSettings](
    {
        Section(StableToken, tag="stable_token"): "The default: the tokens of other programs stay valid.",
        Section(
            ClassicToken, tag="access_token"
        ): "The classic cgi-bin/token: each new token invalidates the one that others hold.",
        Section(FileToken, tag="file"): "Another program writes the token to a file.",
        Section(HttpToken, tag="http"): "Another program hands out the token over HTTP.",
        Section(
            ThirdParty, tag="third_party"
        ): "The account has authorised a third-party platform; its authorizer token is used.",
        Section(
            CloudHosting, tag="cloud_hosting", at_most_one=("from_appid", "cloudbase_access_token_file")
        ): "The exporter runs inside WeChat's cloud hosting (云托管), which needs no token.",
        Section(
            CloudFunction, tag="cloud_function"
        ): "A cloud function (deploy/cloud-function) asks; it is called with the stable token.",
    }
)


def origin(token: TokenSettings) -> object:
    """Return a value equal for apps that would use one account's token; None if no two could."""
    match token:
        case FileToken(path, field):
            return FileToken, os.path.normpath(path), field
        case HttpToken(url, field, headers, _, body):
            return HttpToken, url, field or "access_token", headers, body
        case CloudHosting(appid, file):
            return CloudHosting, appid and appid.lower(), file and os.path.normpath(file)
        case CloudFunction(env, function, _):
            return CloudFunction, env, function
    return None
