"""How an app's access token is kept: fetched under a lock, renewed in time, dropped with care."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final, Protocol, TypeVar

from exporter.wechat.failures.failure import Action, CallError, Failure

_Result = TypeVar("_Result")
RENEWAL_MARGIN: Final = 300.0  # seconds before expiry; a stable token has its successor from then on
SHORTEST_KEEP: Final = 60.0  # seconds between renewals of a token that is near its end


@dataclass(frozen=True, slots=True)
class Token:
    """A token, till when it is good (Unix time, None: unknown) and when to ask for the next one.

    `credential`: the fingerprint of what it was fetched with.
    """

    value: str = field(repr=False)
    expires_at: float | None
    renew_at: float
    credential: bytes | None = field(default=None, repr=False, compare=False)


class TokenSource(Protocol):
    """Where an app's token comes from."""

    kind: str

    def fetch(self) -> Token:
        """Get a token; raises CallError."""

    def fingerprint(self) -> bytes:
        """Changes when the operator changes the credential; a hash, never the credential."""


class Shelf(Protocol):
    """Where a source's tokens are shared with other exporters, if they are."""

    def fetch(self, source: TokenSource) -> Token:
        """A token that is on the shelf, or else from the source; raises CallError."""

    def drop(self, value: str) -> None:
        """Forget a token that WeChat refused."""


class OwnShelf:
    """Shares with nobody."""

    def fetch(self, source: TokenSource) -> Token:
        """From the source."""
        return source.fetch()

    def drop(self, value: str) -> None:
        """Nothing is kept."""


Shelves = Callable[[str, str], Shelf]
"""Gives the shelf for a kind of token and an appid."""

OWN_SHELF: Final = OwnShelf()


def own_shelves(_kind: str, _appid: str) -> Shelf:
    """Shelves of an exporter that shares with nobody."""
    return OWN_SHELF


class TokenCache:
    """Keeps one app's token for all threads."""

    __slots__ = ("_clock", "_failure", "_fetches", "_lock", "_shelf", "_token", "source")

    def __init__(self, source: TokenSource, clock: Callable[[], float], shelf: Shelf = OWN_SHELF) -> None:
        self.source = source
        self._clock = clock
        self._shelf = shelf
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
        """A token that is good now.

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
                self._token = replace(self._shelf.fetch(self.source), credential=credential)
            except CallError as error:
                error.failure = replace(error.failure, credential=credential)
                good_till = held.expires_at if held is not None else None
                if held is None or good_till is None or good_till <= now or _is_refusal(error.failure):
                    self._failure = error.failure
                    raise
                self._token = replace(held, renew_at=min(now + SHORTEST_KEEP, good_till))
            finally:
                self._fetches += 1
            return self._token

    def use(self, call: Callable[[Token], _Result]) -> _Result:
        """What a call with the token held brings; one that WeChat refuses is renewed once, for one more call.

        Raises:
            CallError: as the call or the fetch did.
        """
        token = self.get()
        try:
            return self._used(call, token)
        except CallError as error:
            if error.failure.action is not Action.RENEW_TOKEN:
                raise
        self.drop(token)
        return self._used(call, self.get())

    def _used(self, call: Callable[[Token], _Result], token: Token) -> _Result:
        """What the call brings; a failure tells which credential the token was fetched with."""
        try:
            return call(token)
        except CallError as error:
            error.failure = replace(error.failure, credential=token.credential)
            raise

    def drop(self, rejected: Token) -> None:
        """Forget a token that WeChat refused, unless another thread has renewed it already."""
        with self._lock:
            if self._token is not None and self._token.value == rejected.value:
                self._token = None
                self._shelf.drop(rejected.value)


def _is_refusal(failure: Failure) -> bool:
    """Whether the credential itself was refused: going on with the old token would only hide it."""
    return failure.action is Action.SUSPEND


def expiring_token(value: str, lifetime: float, now: float) -> Token:
    """A token that WeChat says is good for `lifetime` seconds from `now`.

    One with less than the margin left is good all the same (a stable token is handed out till its
    end): it is used, and asked for again soon.
    """
    keep = max(lifetime - RENEWAL_MARGIN, min(SHORTEST_KEEP, lifetime / 2))
    return Token(value, now + lifetime, now + keep)
