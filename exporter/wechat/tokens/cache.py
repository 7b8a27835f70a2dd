"""The cache of an app's access token: fetches under a lock, renews in time, drops with care."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from exporter.wechat.failures.failure import Action, CallError, Failure

RENEWAL_MARGIN: Final = 300.0  # seconds before expiry from which a stable token has a successor
SHORTEST_KEEP: Final = 60.0  # seconds between renewals of a token near its expiry


@dataclass(frozen=True, slots=True)
class Token:
    """A token, its expiry (Unix time, None if unknown), and the time to ask for the next one.

    `credential`: fingerprint of the credential of its fetch; without one from the source, that before the
    fetch.
    """

    value: str = field(repr=False)
    expires_at: float | None
    renew_at: float
    credential: bytes | None = field(default=None, repr=False, compare=False)


class TokenSource(ABC):
    """The source of an app's token; `kept_elsewhere`: another program keeps it."""

    __slots__ = ()
    kept_elsewhere = False

    @property
    @abstractmethod
    def kind(self) -> str:
        """Return the token type, as in the configuration."""

    @abstractmethod
    def fetch(self) -> Token:
        """Fetch a token; raise CallError."""

    @abstractmethod
    def fingerprint(self) -> bytes:
        """Return a hash that changes when the operator changes the credential; empty if that is unknown."""

    def refuse(self, value: str) -> None:  # noqa: B027 - most sources ask for the next token in the same way
        """Note that WeChat refused a token of this source."""


Share = Callable[[TokenSource, str], TokenSource]
"""Wraps a source, for an appid, so that its tokens are kept or shared outside the process."""


def unshared(source: TokenSource, _appid: str) -> TokenSource:
    """Return the source itself, whose tokens stay in memory."""
    return source


class TokenCache:
    """Keeps one app's token for all threads."""

    __slots__ = ("_clock", "_failure", "_fetches", "_lock", "_token", "source")

    def __init__(self, source: TokenSource, clock: Callable[[], float]) -> None:
        self.source = source
        self._clock = clock
        self._lock = threading.Lock()
        self._token: Token | None = None
        self._fetches = 0
        self._failure: Failure | None = None  # failure of the last fetch

    @property
    def expires_at(self) -> float | None:
        """Return the Unix time at which the held token expires; None without one, or if unknown."""
        token = self._token
        return token.expires_at if token else None

    def get(self) -> Token:
        """Return a valid token; raise CallError if the source has none, or WeChat refuses the credential."""
        seen = self._fetches
        with self._lock:
            now = self._clock()
            held = self._token
            if held is not None and now < held.renew_at:
                return held
            if self._failure is not None and self._fetches != seen:
                raise CallError(self._failure)  # this thread waited for that fetch: do not repeat it
            self._failure = None
            credential = self.source.fingerprint()  # read before the fetch, as it may change meanwhile
            try:
                fetched = self.source.fetch()
                self._token = replace(fetched, credential=fetched.credential or credential)
            except CallError as error:
                error.failure = replace(error.failure, credential=credential)
                good_till = held.expires_at if held is not None else None
                refused = error.failure.action is Action.SUSPEND  # the old token would only hide it
                if held is None or good_till is None or good_till <= now or refused:
                    self._failure = error.failure
                    raise
                self._token = replace(held, renew_at=min(now + SHORTEST_KEEP, good_till))
            finally:
                self._fetches += 1
            return self._token

    def drop(self, rejected: Token) -> None:
        """Forget a token that WeChat refused, unless another thread has renewed it already."""
        with self._lock:
            if self._token is not None and self._token.value == rejected.value:
                self._token = None
                self.source.refuse(rejected.value)


def expiring_token(value: str, lifetime: float, now: float) -> Token:
    """Return a token that is valid for `lifetime` seconds from `now` (Unix time).

    A token with less than the margin left is still valid (WeChat gives a stable token until its end): it is
    used, and renewed soon.
    """
    keep = max(lifetime - RENEWAL_MARGIN, min(SHORTEST_KEEP, lifetime / 2))
    return Token(value, now + lifetime, now + keep)
