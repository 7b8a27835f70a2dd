"""The sources of access tokens.

Rules from WeChat's pages on getStableAccessToken and getAccessToken: everyone who asks gets the same stable
token, so asking harms nobody; `force_refresh` would invalidate it for all, and is never sent. A classic token
invalidates the one before it, whoever holds that.
"""

import hashlib
from abc import abstractmethod
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final

from exporter.config.secret import Secret
from exporter.config.token_types import FileToken, HttpToken
from exporter.wechat import endpoints
from exporter.wechat.client import Client
from exporter.wechat.endpoints import Endpoint
from exporter.wechat.failures.errcodes import failure
from exporter.wechat.failures.failure import Action, CallError, Reason
from exporter.wechat.network.transport import RequestParts
from exporter.wechat.tokens import classic
from exporter.wechat.tokens.cache import SHORTEST_KEEP, Token, TokenSource, expiring_token
from exporter.wechat.tokens.services import TOKEN, ask_service, content, is_token, read_file

_LONGEST_LIFETIME: Final = 1e7  # seconds; WeChat's tokens live two hours
_LONGEST_DIGITS: Final = 12


class SecretSource(TokenSource):
    """One of WeChat's interfaces that give a token for appid and secret."""

    endpoint: Endpoint

    def __init__(self, appid: str, secret: Secret, client: Client) -> None:
        self._appid = appid
        self._secret = secret
        self._client = client

    def fetch(self) -> Token:
        """Read the secret and ask for a token."""
        secret = read_secret(self._secret)
        credential = {"grant_type": "client_credential", "appid": self._appid, "secret": secret}
        read = token_reader(self._client.clock())
        return self._client.ask(self.endpoint, read, secrets=[secret], **self._parts(credential))

    def fingerprint(self) -> bytes:
        """Return a hash of appid and secret."""
        return fingerprint(self._appid, self._secret)

    @abstractmethod
    def _parts(self, credential: dict[str, str]) -> RequestParts:
        """Return the part of the request that has the credential."""


class StableTokenSource(SecretSource):
    """getStableAccessToken in normal mode: WeChat returns the current token while it is valid."""

    kind = "stable_token"
    endpoint = endpoints.STABLE_ACCESS_TOKEN

    def _parts(self, credential: dict[str, str]) -> RequestParts:
        return {"body": {**credential, "force_refresh": False}}


class AccessTokenSource(SecretSource):
    """getAccessToken, the classic interface: every fetch invalidates the previous token."""

    kind = classic.KIND
    endpoint = endpoints.ACCESS_TOKEN

    def _parts(self, credential: dict[str, str]) -> RequestParts:
        return {"params": credential}


class FileTokenSource(TokenSource):
    """A file that another program keeps up to date, read for every call."""

    kind = "file"
    kept_elsewhere = True

    def __init__(self, settings: FileToken) -> None:
        self._settings = settings

    def fetch(self) -> Token:
        """Read the file: a bare token, or JSON with the named field."""
        return Token(read_file(TOKEN, self._settings.path, self._settings.field), None, renew_at=0.0)

    def fingerprint(self) -> bytes:
        """Return a hash of the file's content; empty if it cannot be read."""
        with suppress(OSError, ValueError):
            return hashlib.sha256(content(self._settings.path)).digest()
        return b""


class HttpTokenSource(TokenSource):
    """A service of the operator's that gives the token of another program."""

    kind = "http"
    kept_elsewhere = True

    def __init__(self, settings: HttpToken, client: Client) -> None:
        self._settings = settings
        self._client = client
        self._refused = ""

    def fetch(self) -> Token:
        """Ask the service; honour `expires_in` beside the token."""
        now = self._client.clock()
        body = {key: value.replace("{refused}", self._refused) for key, value in self._settings.body}
        value, beside = ask_service(TOKEN, self._settings, self._client, self._settings.method, body)
        lifetime = _lifetime(beside.get("expires_in"))
        if lifetime is None:  # missing or in another form: ask again soon
            return Token(value, None, now + SHORTEST_KEEP)
        return expiring_token(value, lifetime, now)

    def refuse(self, value: str) -> None:
        """Name the token to the service at the next fetch."""
        self._refused = value

    def fingerprint(self) -> bytes:
        """Return an empty hash, as the service is asked again anyway."""
        return b""


def read_secret(secret: Secret) -> str:
    """Read the secret again; raise CallError if its file cannot be read."""
    try:
        return secret.read()
    except OSError as error:
        problem = f"secret file {secret.path}: {error.strerror}"
    except ValueError as error:
        problem = f"secret file {secret.path}: {error}"
    raise CallError(replace(failure(Reason.INVALID_SECRET, problem, Action.SUSPEND), unsent=True))


def fingerprint(appid: str, secret: Secret) -> bytes:
    """Return a hash of appid and secret; empty if the secret's file cannot be read."""
    with suppress(OSError, ValueError):
        return hashlib.sha256(f"{appid}\n{secret.read()}".encode()).digest()
    return b""


def token_reader(now: float, name: str = "access_token") -> Callable[[dict[str, Any]], Token]:
    """Return a reader of WeChat's answer, with the token under the key `name`.

    It counts a lifetime from `now` on, the time before the call: never too long.
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
    """Return a lifetime in seconds, from a number or a numeric text; None for anything else."""
    if isinstance(found, str) and found.isascii() and found.isdigit() and len(found) < _LONGEST_DIGITS:
        found = int(found)
    if isinstance(found, bool) or not isinstance(found, int | float) or not 0 < found < _LONGEST_LIFETIME:
        return None
    return found
