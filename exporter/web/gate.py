"""Who may come in, by what the web configuration says right now; swapped whole when the file changes."""

import ssl
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from exporter.web.webconfig.allowance import Allowance
from exporter.web.webconfig.settings import Headers, WebConfig
from exporter.web.webconfig.tls import allows
from exporter.web.webconfig.users import BusyError, Users

SECURITY_HEADERS: Final[Headers] = (
    (
        b"content-security-policy",
        (
            b"default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
            b"base-uri 'none'; frame-ancestors 'none'"
        ),
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
)
"""On every answer, unless the web configuration has another value."""


class Gate:
    """What the server and its protocol ask before they answer; `configure` may be called from any thread."""

    def __init__(self, config: WebConfig, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._users: Users | None = None
        self._allowance: Allowance | None = None
        self.config = WebConfig()
        self.headers = SECURITY_HEADERS
        self.open = True
        self.unwell: Callable[[], bool] = lambda: False
        self.configure(config)

    def configure(self, config: WebConfig) -> None:
        """Go by this one from now on."""
        old, self.config = self.config, config
        if config.users != old.users:  # else keep who was checked already
            self._users = Users(config.users) if config.users else None
        if config.rate_limit != old.rate_limit:
            self._allowance = Allowance(config.rate_limit, self._clock) if config.rate_limit else None
        named = dict(config.headers)
        others = tuple(pair for pair in SECURITY_HEADERS if pair[0] not in named)
        self.headers = (*config.headers, *others)
        self.open = self._users is None and self._allowance is None

    @property
    def tls(self) -> ssl.SSLContext | None:
        """What the next connection talks TLS with; None: plain HTTP."""
        return self.config.tls

    def allows(self, certificate: dict[str, Any] | None) -> bool:
        """Whether a client with this verified certificate may connect."""
        names = self.config.allowed_sans
        return not names or allows(certificate, names)

    def passes(self, headers: Sequence[tuple[bytes, bytes]]) -> bool:
        """Whether a request may be answered at once; where not, `Guard` finds out what to say."""
        if self.open:
            return True
        users, allowance = self._users, self._allowance
        if users is not None:
            authorization = _authorization(headers)
            if authorization is None or not users.known(authorization):
                return False
        return allowance is None or allowance.take()

    async def refusal(self, headers: Headers) -> int | None:
        """The HTTP status to refuse a request with; None: let it in."""
        users, allowance = self._users, self._allowance
        if allowance is not None and not allowance.take():
            return 429
        if users is None:
            return None
        authorization = _authorization(headers)
        if authorization is None:
            return 401
        verdict = users.verdict(authorization)
        if verdict is None:
            try:
                verdict = await run_in_threadpool(users.check, authorization)
            except BusyError:
                return 503
        return None if verdict else 401


class Guard:
    """An application that answers only whom the gate lets in."""

    def __init__(self, app: ASGIApp, gate: Gate) -> None:
        self._app = app
        self._gate = gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse without a word about what is behind."""
        status = None if self._gate.open else await self._gate.refusal(scope["headers"])
        if status == 401 and scope["path"] == "/-/healthy" and self._gate.unwell():  # noqa: PLR2004
            status = 503  # health checks have no password, and this much may be known
        if status is None:
            await self._app(scope, receive, send)
            return
        body = _WORDS[status]
        headers = [
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
        ]
        if status == 401:  # noqa: PLR2004
            headers.append((b"www-authenticate", b"Basic"))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body if scope["method"] != "HEAD" else b""})


_WORDS: Final = {401: b"Unauthorized\n", 429: b"Too Many Requests\n", 503: b"Service Unavailable\n"}


def _authorization(headers: Sequence[tuple[bytes, bytes]]) -> bytes | None:
    """The one header of that name; several are a trick."""
    found = [value for name, value in headers if name == b"authorization"]
    return found[0] if len(found) == 1 else None
