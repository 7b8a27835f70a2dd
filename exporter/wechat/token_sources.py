"""Where access tokens come from.

Rules, from WeChat's pages on getStableAccessToken and getAccessToken: a stable token is the same for
everyone who asks, so asking harms nobody; `force_refresh` would end it for all and is never sent. A
classic token ends the one before it, whoever holds that.
"""

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from exporter.config.settings import AccessToken, FileToken, HttpToken, Secret, StableToken
from exporter.wechat.errcodes import failure
from exporter.wechat.errors import Action, CallError, Reason
from exporter.wechat.line import Endpoint, Line
from exporter.wechat.tokens import SHORTEST_KEEP, Token, expiring_token

_LONGEST_TOKEN: Final = 4096  # characters; WeChat's page asks to reserve 512


class StableTokenSource:
    """getStableAccessToken: the default; harms no other holder."""

    kind = "stable_token"

    def __init__(self, appid: str, settings: StableToken, line: Line) -> None:
        self._appid = appid
        self._secret = settings.secret
        self._line = line

    def fetch(self) -> Token:
        """Ask in normal mode: the current token comes back while it is good."""
        body = {
            "grant_type": "client_credential",
            "appid": self._appid,
            "secret": read_secret(self._secret),
            "force_refresh": False,
        }
        return self._line.ask(
            Endpoint.STABLE_ACCESS_TOKEN,
            "POST",
            "/cgi-bin/stable_token",
            _token_reader(self._line.clock()),
            body=body,
            asking_for_token=True,
        )

    def fingerprint(self) -> bytes:
        """A hash of appid and secret."""
        return _fingerprint(self._appid, self._secret)


class AccessTokenSource:
    """getAccessToken, the classic interface: every fetch ends the previous token."""

    kind = "access_token"

    def __init__(self, appid: str, settings: AccessToken, line: Line) -> None:
        self._appid = appid
        self._secret = settings.secret
        self._line = line

    def fetch(self) -> Token:
        """Get a new token."""
        params = {
            "grant_type": "client_credential",
            "appid": self._appid,
            "secret": read_secret(self._secret),
        }
        return self._line.ask(
            Endpoint.ACCESS_TOKEN,
            "GET",
            "/cgi-bin/token",
            _token_reader(self._line.clock()),
            params=params,
            asking_for_token=True,
        )

    def fingerprint(self) -> bytes:
        """A hash of appid and secret."""
        return _fingerprint(self._appid, self._secret)


class FileTokenSource:
    """A file that another program keeps up to date; read again for every call."""

    kind = "file"

    def __init__(self, settings: FileToken) -> None:
        self._path = settings.path
        self._field = settings.field

    def fetch(self) -> Token:
        """Read the file: the token alone, or JSON when a field is named."""
        origin = f"token file {self._path}"
        problem = None
        try:
            text = self._path.read_text("utf-8").strip()
            value = text if self._field is None else _dig(json.loads(text), self._field)
        except OSError as error:
            problem = f"{origin}: {error.strerror}"
        except (ValueError, RecursionError):
            problem = f"{origin} is not {'a text' if self._field is None else 'JSON'}"
        if problem is not None:
            raise CallError(failure(Reason.TOKEN_REJECTED, problem))
        return Token(_checked(value, origin), None, renew_at=0.0)

    def fingerprint(self) -> bytes:
        """A hash of the file's content; empty while it cannot be read."""
        with suppress(OSError):
            return hashlib.sha256(self._path.read_bytes()).digest()
        return b""


class HttpTokenSource:
    """An address of the operator's own that hands out the token another program keeps."""

    kind = "http"

    def __init__(self, settings: HttpToken, line: Line) -> None:
        self._settings = settings
        self._line = line

    def fetch(self) -> Token:
        """GET the address; `expires_in` beside the token is honoured where there is one."""
        now = self._line.clock()
        return self._line.ask(
            Endpoint.HTTP_TOKEN,
            "GET",
            self._settings.url,
            lambda body: self._read(body, now),
            headers=dict(self._settings.headers),
        )

    def fingerprint(self) -> bytes:
        """Constant: the keeper of the token is asked again anyway."""
        return b""

    def _read(self, body: dict[str, Any], now: float) -> Token:
        value = _checked(_dig(body, self._settings.field), "the token's address")
        holder = _dig(body, self._settings.field.rpartition(".")[0]) if "." in self._settings.field else body
        lifetime = holder.get("expires_in") if isinstance(holder, dict) else None
        if isinstance(lifetime, int | float) and not isinstance(lifetime, bool) and lifetime > 0:
            return expiring_token(value, lifetime, now)
        return Token(value, None, now + SHORTEST_KEEP)


def read_secret(secret: Secret) -> str:
    """The secret, read again now; raises CallError where its file cannot be read."""
    problem = None
    try:
        return secret.read()
    except OSError as error:
        problem = f"secret file: {error.strerror}"
    except ValueError as error:
        problem = f"secret file: {error}"
    raise CallError(failure(Reason.INVALID_SECRET, problem, Action.SUSPEND))


def _fingerprint(appid: str, secret: Secret) -> bytes:
    with suppress(OSError, ValueError):
        return hashlib.sha256(f"{appid}\n{secret.read()}".encode()).digest()
    return b""


def _token_reader(now: float) -> Callable[[dict[str, Any]], Token]:
    """Reads WeChat's answer; a lifetime counts from before the call, so that it is never too long."""

    def read(body: dict[str, Any]) -> Token:
        lifetime = body.get("expires_in")
        if isinstance(lifetime, bool) or not isinstance(lifetime, int | float) or not 0 < lifetime < 1e7:  # noqa: PLR2004
            raise CallError(failure(Reason.MALFORMED, "the token's answer has no usable expires_in"))
        return expiring_token(_checked(body.get("access_token"), "the token's answer"), lifetime, now)

    return read


def _checked(value: object, origin: str) -> str:
    """A token that can be one: not empty, no blanks; what was found is not told, it may be secret."""
    if (
        isinstance(value, str)
        and 0 < len(value) <= _LONGEST_TOKEN
        and value.isprintable()
        and " " not in value
    ):
        return value
    raise CallError(failure(Reason.TOKEN_REJECTED, f"{origin} holds no usable token"))


def _dig(body: object, path: str) -> Any:  # noqa: ANN401 - JSON
    """The value at `a.b.c`, None where there is none."""
    for key in path.split("."):
        body = body.get(key) if isinstance(body, dict) else None
    return body
