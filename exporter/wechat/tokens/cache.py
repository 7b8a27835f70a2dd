"""How an app's access token is cached: fetched under a lock, renewed in time, dropped with care."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from exporter.wechat.failures.failure import Action, CallError, Failure

RENEWAL_MARGIN: Final = 300.0  # seconds before expiry; a stable token has its successor from then on
SHORTEST_KEEP: Final = 60.0  # seconds between renewals of a token that is near its end


@dataclass(frozen=True, slots=True)
class Token:
    """A token, till when it is good (Unix time, None: unknown) and when to ask for the next one.

    `credential`: fingerprint of what it was fetched with; where the source gives none, that before the fetch.
    """

    value: str = field(repr=False)
    expires_at: float | None
    renew_at: float
    credential: bytes | None = field(default=None, repr=False, compare=False)


class TokenSource(ABC):
    """Where an app's token comes from; `kept_elsewhere`: another program keeps it, for itself or for us."""

    __slots__ = ()
    kept_elsewhere = False

    @property
    @abstractmethod
    def kind(self) -> str:
        """The token type as the configuration names it."""

    @abstractmethod
    def fetch(self) -> Token:
        """Get a token; raises CallError."""

    @abstractmethod
    def fingerprint(self) -> bytes:
        """Return a hash that changes when the operator changes the credential."""

    def refuse(self, value: str) -> None:  # noqa: B027 - most sources ask for the next token in the same way
        """Note that WeChat refused a token of this source."""


Share = Callable[[TokenSource, str], TokenSource]
"""Makes a source, and an appid, one whose tokens are kept or shared beside the process's memory."""


def unshared(source: TokenSource, _appid: str) -> TokenSource:
    """Return the source itself: its tokens are kept in memory only."""
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
        self._failure: Failure | None = None  # of the last fetch

    @property
    def expires_at(self) -> float | None:
        """Unix time at which the token held ends; None: no token, or its end is unknown."""
        token = self._token
        return token.expires_at if token else None

    def get(self) -> Token:
        """Return a token that is good now.

        Raises:
            CallError: there is none to be had, or WeChat refuses the credential.
        """
        seen = self._fetches
        with self._lock:
            now = self._clock()
            held = self._token
            if held is not None and now < held.renew_at:
                return held
            if self._failure is not None and self._fetches != seen:
                raise CallError(self._failure)  # this thread waited for that fetch: once is enough for WeChat
            self._failure = None
            credential = self.source.fingerprint()  # before the fetch reads it: it may change meanwhile
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
    """Return a token that WeChat says is good for `lifetime` seconds from `now`.

    One with less than the margin left is good all the same (a stable token is handed out till its
    end): it is used, and asked for again soon.
    """
    keep = max(lifetime - RENEWAL_MARGIN, min(SHORTEST_KEEP, lifetime / 2))
    return Token(value, now + lifetime, now + keep)
