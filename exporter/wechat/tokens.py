"""How an app's access token is kept: fetched under a lock, renewed in time, dropped with care."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol

from exporter.wechat.errors import Action, CallError

RENEWAL_MARGIN: Final = 300.0  # seconds before expiry; a stable token has its successor from then on
SHORTEST_KEEP: Final = 60.0  # seconds between renewals of a token that is near its end


@dataclass(frozen=True, slots=True)
class Token:
    """A token, till when it is good (Unix time, None: unknown) and when to ask for the next one."""

    value: str = field(repr=False)
    expires_at: float | None
    renew_at: float


class TokenSource(Protocol):
    """Where an app's token comes from."""

    kind: str

    def fetch(self) -> Token:
        """Get a token; raises CallError."""

    def fingerprint(self) -> bytes:
        """Changes when the operator changes the credential; a hash, never the credential."""


class TokenKeeper:
    """Keeps one app's token for all threads."""

    __slots__ = ("_clock", "_lock", "_token", "source")

    def __init__(self, source: TokenSource, clock: Callable[[], float]) -> None:
        self.source = source
        self._clock = clock
        self._lock = threading.Lock()
        self._token: Token | None = None

    @property
    def expires_at(self) -> float | None:
        """Unix time at which the token held ends; None: no token, or its end is unknown."""
        token = self._token
        return token.expires_at if token else None

    def get(self) -> Token:
        """A token that is good now; raises CallError."""
        with self._lock:
            now = self._clock()
            held = self._token
            if held is not None and now < held.renew_at:
                return held
            try:
                self._token = self.source.fetch()
            except CallError as error:
                good_till = held.expires_at if held is not None else None
                if held is None or good_till is None or good_till <= now:
                    raise
                if error.failure.action is Action.SUSPEND:
                    raise
                self._token = Token(held.value, good_till, now + SHORTEST_KEEP)
            return self._token

    def drop(self, rejected: Token) -> None:
        """Forget a token that WeChat refused, unless another thread has renewed it already."""
        with self._lock:
            if self._token is not None and self._token.value == rejected.value:
                self._token = None


def expiring_token(value: str, lifetime: float, now: float) -> Token:
    """A token that WeChat says is good for `lifetime` seconds from `now`.

    One with less than the margin left is good all the same (a stable token is handed out till its
    end): it is used, and asked for again soon.
    """
    keep = max(lifetime - RENEWAL_MARGIN, min(SHORTEST_KEEP, lifetime / 2))
    return Token(value, now + lifetime, now + keep)
