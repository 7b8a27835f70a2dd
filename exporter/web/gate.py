"""Who may come in, by what the web configuration says right now; swapped whole when the file changes."""

import ssl
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.types import Scope

from exporter.web.webconfig.allowance import Allowance
from exporter.web.webconfig.settings import Headers, WebConfig
from exporter.web.webconfig.tls import allows
from exporter.web.webconfig.turns import Turns
from exporter.web.webconfig.users import Users

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
    """What the server asks before it answers; `configure` may be called from any thread."""

    def __init__(self, config: WebConfig, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._users = Users({})
        self._turns = Turns()  # bcrypt is heavy: one check at a time
        self._allowance: Allowance | None = None
        self.config = WebConfig()
        self.headers = SECURITY_HEADERS
        self.unwell: Callable[[], bool] = lambda: False
        self.configure(config)

    def configure(self, config: WebConfig) -> None:
        """Go by this one from now on."""
        old, self.config = self.config, config
        self._users.change(config.users)
        if config.rate_limit != old.rate_limit:
            self._allowance = Allowance(config.rate_limit, self._clock) if config.rate_limit else None
        named = dict(config.headers)
        others = tuple(pair for pair in SECURITY_HEADERS if pair[0] not in named)
        self.headers = (*config.headers, *others)

    @property
    def tls(self) -> ssl.SSLContext | None:
        """What the next connection talks TLS with; None: plain HTTP."""
        return self.config.tls

    def allows(self, certificate: dict[str, Any] | None) -> bool:
        """Whether a client with this verified certificate may connect."""
        names = self.config.allowed_sans
        return not names or allows(certificate, names)

    async def refusal(self, scope: Scope) -> int | None:
        """The HTTP status to refuse a request with; None: let it in."""
        if self._allowance is not None and not self._allowance.take():
            return 429
        if not self._users:
            return None
        authorization = _authorization(scope["headers"])
        if authorization is None:
            return 401
        good = self._users.verdict(authorization)
        if good is None:
            good = await self._checked(authorization, scope)
        return None if good else 401

    async def _checked(self, authorization: bytes, scope: Scope) -> bool:
        """Wait for this client's turn, however many guess: there are only so many connections."""
        connection = scope.get("state", {}).get("connection")
        async with self._turns.turn((scope["client"] or ("",))[0]):
            if connection is not None and connection.gone:
                return False
            good = self._users.verdict(authorization)  # another connection may have asked for it
            return await run_in_threadpool(self._users.check, authorization) if good is None else good


def _authorization(headers: Sequence[tuple[bytes, bytes]]) -> bytes | None:
    """The one header of that name; several are a trick."""
    found = [value for name, value in headers if name == b"authorization"]
    return found[0] if len(found) == 1 else None
