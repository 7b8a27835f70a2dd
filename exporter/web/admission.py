"""Admission control by the web configuration, which is replaced as a whole when its file changes."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Any, Final
from weakref import WeakValueDictionary

from starlette.concurrency import run_in_threadpool
from starlette.types import Scope

from exporter.web.webconfig.format import RateSection
from exporter.web.webconfig.loading import Headers, WebConfig
from exporter.web.webconfig.tls import allows
from exporter.web.webconfig.users import PasswordChecker

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
"""Headers of every answer, unless the web configuration has other values."""


class TokenBucket:
    """The `rate_limit`: gains a token per interval, and each request takes one; for one thread."""

    def __init__(self, limit: RateSection, clock: Callable[[], float]) -> None:
        """Begin with a full bucket; `clock` is monotonic, in seconds."""
        self._limit = limit
        self._clock = clock
        self._tokens = float(limit.burst)
        self._counted_at = clock()

    def take(self) -> bool:
        """Return whether one more request is allowed now."""
        if not self._limit.interval:
            return True
        now = self._clock()
        filled = self._tokens + (now - self._counted_at) / self._limit.interval
        self._tokens = min(float(self._limit.burst), filled)
        self._counted_at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class Admission:
    """Decides which requests to answer; `configure` may be called from any thread."""

    def __init__(self, config: WebConfig, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._users = PasswordChecker({})
        self._checking = asyncio.Lock()  # bcrypt takes long: one check at a time
        self._clients: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self.config = WebConfig()
        self._bucket = TokenBucket(self.config.rate_limit, clock)
        self.headers = SECURITY_HEADERS
        self.configure(config)

    def configure(self, config: WebConfig) -> None:
        """Replace the configuration."""
        old, self.config = self.config, config
        self._users.hashes = config.users
        if config.rate_limit != old.rate_limit:
            self._bucket = TokenBucket(config.rate_limit, self._clock)
        named = dict(config.headers)
        others = tuple(pair for pair in SECURITY_HEADERS if pair[0] not in named)
        self.headers = (*config.headers, *others)

    def allows(self, certificate: dict[str, Any] | None) -> bool:
        """Return whether a client with this verified certificate may connect."""
        names = self.config.allowed_sans
        return not names or allows(certificate, names)

    async def refusal(self, scope: Scope) -> int | None:
        """Return the HTTP status of a refusal; None to admit the request."""
        if not self._bucket.take():
            return 429
        if not self.config.users:
            return None
        authorization = _authorization(scope["headers"])
        if authorization is None:
            return 401
        good = self._users.verdict(authorization)
        if good is None:
            good = await self._checked(authorization, scope)
        return None if good else 401

    async def _checked(self, authorization: bytes, scope: Scope) -> bool:
        """Check a password when it is its turn: addresses take turns, with one check each."""
        connection = scope["state"]["connection"]
        address = (scope["client"] or ("",))[0]
        client = self._clients.setdefault(address, asyncio.Lock())
        async with client, self._checking:
            if connection.gone:
                return False
            good = self._users.verdict(authorization)  # another connection may have had it checked
            return await run_in_threadpool(self._users.check, authorization) if good is None else good


def _authorization(headers: Sequence[tuple[bytes, bytes]]) -> bytes | None:
    """Return the Authorization header; None if there is none, or a suspicious number of them."""
    found = [value for name, value in headers if name == b"authorization"]
    return found[0] if len(found) == 1 else None
