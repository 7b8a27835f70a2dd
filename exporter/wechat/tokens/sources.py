"""Where access tokens come from.

Rules, from WeChat's pages on getStableAccessToken and getAccessToken: a stable token is the same for
everyone who asks, so asking harms nobody; `force_refresh` would end it for all and is never sent. A
classic token ends the one before it, whoever holds that.
"""

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

from exporter.config.settings import AccessToken, FileToken, HttpToken, Secret, StableToken
from exporter.wechat import endpoints
from exporter.wechat.client import Client
from exporter.wechat.failures.errcodes import failure
from exporter.wechat.failures.failure import Action, CallError, Reason
from exporter.wechat.tokens.cache import SHORTEST_KEEP, OwnShelf, Token, expiring_token
from exporter.wechat.tokens.services import TOKEN, ask_keeper, content, is_token, read_file

_LONGEST_LIFETIME: Final = 1e7  # seconds; WeChat's tokens live two hours
_LONGEST_DIGITS: Final = 12


class StableTokenSource:
    """getStableAccessToken: the default; harms no other holder."""

    kind = "stable_token"

    def __init__(self, appid: str, settings: StableToken, client: Client) -> None:
        self._appid = appid
        self._secret = settings.secret
        self._client = client

    def fetch(self) -> Token:
        """Ask in normal mode: the current token comes back while it is good."""
        secret = read_secret(self._secret)
        body = {
            "grant_type": "client_credential",
            "appid": self._appid,
            "secret": secret,
            "force_refresh": False,
        }
        return self._client.ask(
            endpoints.STABLE_ACCESS_TOKEN,
            "POST",
            "/cgi-bin/stable_token",
            token_reader(self._client.clock()),
            body=body,
            secrets=[secret],
        )

    def fingerprint(self) -> bytes:
        """A hash of appid and secret."""
        return _fingerprint(self._appid, self._secret)


class AccessTokenSource:
    """getAccessToken, the classic interface: every fetch ends the previous token."""

    kind = "access_token"

    def __init__(self, appid: str, settings: AccessToken, client: Client) -> None:
        self._appid = appid
        self._secret = settings.secret
        self._client = client

    def fetch(self) -> Token:
        """Get a new token."""
        secret = read_secret(self._secret)
        params = {"grant_type": "client_credential", "appid": self._appid, "secret": secret}
        return self._client.ask(
            endpoints.ACCESS_TOKEN,
            "GET",
            "/cgi-bin/token",
            token_reader(self._client.clock()),
            params=params,
            secrets=[secret],
        )

    def fingerprint(self) -> bytes:
        """A hash of appid and secret."""
        return _fingerprint(self._appid, self._secret)


class FileTokenSource:
    """A file that another program keeps up to date; read again for every call."""

    kind = "file"

    def __init__(self, settings: FileToken) -> None:
        self._settings = settings

    def fetch(self) -> Token:
        """Read the file: the token alone, or JSON when a field is named."""
        return Token(read_file(TOKEN, self._settings.path, self._settings.field), None, renew_at=0.0)

    def fingerprint(self) -> bytes:
        """A hash of the file's content; empty while it cannot be read."""
        with suppress(OSError, ValueError):
            return hashlib.sha256(content(self._settings.path)).digest()
        return b""


class HttpTokenSource:
    """An address of the operator's own that hands out the token another program keeps."""

    kind = "http"

    def __init__(self, settings: HttpToken, client: Client) -> None:
        self._settings = settings
        self._client = client
        self._refused = ""

    def fetch(self) -> Token:
        """Ask at the address; `expires_in` beside the token is honoured where there is one."""
        now = self._client.clock()
        body = {key: value.replace("{refused}", self._refused) for key, value in self._settings.body}
        value, beside = ask_keeper(
            TOKEN, self._settings, self._client, method=self._settings.method, body=body or None
        )
        lifetime = _lifetime(beside.get("expires_in"))
        if lifetime is None:  # none, or in a keeper's own way: ask again soon
            return Token(value, None, now + SHORTEST_KEEP)
        return expiring_token(value, lifetime, now)

    def refuse(self, value: str) -> None:
        """Note which token WeChat refused: the keeper may want to know."""
        self._refused = value

    def fingerprint(self) -> bytes:
        """Constant: the keeper of the token is asked again anyway."""
        return b""


class KeeperShelf(OwnShelf):
    """Shares with nobody, and notes which token was refused."""

    def __init__(self, source: HttpTokenSource) -> None:
        self._source = source

    def drop(self, value: str) -> None:
        """Have the next fetch name it to the keeper."""
        self._source.refuse(value)


def read_secret(secret: Secret) -> str:
    """The secret, read again now; raises CallError where its file cannot be read."""
    try:
        return secret.read()
    except OSError as error:
        problem = f"secret file {secret.path}: {error.strerror}"
    except ValueError as error:
        problem = f"secret file {secret.path}: {error}"
    raise CallError(replace(failure(Reason.INVALID_SECRET, problem, Action.SUSPEND), unsent=True))


def _fingerprint(appid: str, secret: Secret) -> bytes:
    with suppress(OSError, ValueError):
        return hashlib.sha256(f"{appid}\n{secret.read()}".encode()).digest()
    return b""


def token_reader(now: float, name: str = "access_token") -> Callable[[dict[str, Any]], Token]:
    """Reads WeChat's answer; a lifetime counts from before the call, so that it is never too long.

    Args:
        now: Unix time before the call.
        name: the token's key in the answer.
    """

    def read(body: dict[str, Any]) -> Token:
        value, lifetime = body.get(name), _lifetime(body.get("expires_in"))
        if not is_token(value):
            raise CallError(failure(Reason.MALFORMED, f"the answer has no usable {name}"))
        if lifetime is None:
            raise CallError(failure(Reason.MALFORMED, "the token's answer has no usable expires_in"))
        return expiring_token(value, lifetime, now)

    return read


def _lifetime(found: object) -> float | None:
    """Seconds, also written as a text; None for what cannot be a lifetime."""
    if isinstance(found, str) and found.isascii() and found.isdigit() and len(found) < _LONGEST_DIGITS:
        found = int(found)
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 < found < _LONGEST_LIFETIME:
        return None
    return found
