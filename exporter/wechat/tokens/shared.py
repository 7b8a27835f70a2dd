"""Tokens that all exporters of a fleet use: fetched once per expiry by whichever needs it first."""

from collections.abc import Callable
from contextlib import suppress
from typing import Final, Protocol

from exporter.config.settings import Config
from exporter.wechat.client import Client
from exporter.wechat.failures.errcodes import failure
from exporter.wechat.failures.failure import CallError, Reason
from exporter.wechat.tokens.cache import (
    OWN_SHELF,
    SHORTEST_KEEP,
    Shelf,
    Shelves,
    Token,
    TokenSource,
    own_shelves,
)
from exporter.wechat.vault import VaultError

_LOOK_SECONDS: Final = 0.2
WAITS: Final = 2  # how many holders of the right are waited for, at the most
_ENDS_OTHERS: Final = "access_token"
_MARGIN_SECONDS: Final = 5.0
_CALLS: Final = {"third_party": 3}  # with the platform's own token and its list; others take one

Wait = Callable[[float], bool]
"""Waits so many seconds, or until the exporter stops: then it gives True."""


class TokenPool(Protocol):
    """Keeps tokens under keys; safe to use from many threads. Every method raises VaultError."""

    def token(self, key: str) -> Token | None:
        """What was kept last under that key; None where nothing was, or it has ended."""

    def lock(self, key: str, seconds: float) -> str | None:
        """The right to fetch that token, as a text that is like no other; None: another has it."""

    def keep(self, key: str, token: Token, fence: str) -> bool:
        """Keep what was fetched and give the right back; False where the right had passed to another."""

    def unlock(self, key: str, fence: str) -> None:
        """Give the right back without a token."""

    def drop(self, key: str, value: str) -> None:
        """Forget a token that WeChat refused, unless another one is kept by now."""


class PooledShelf:
    """One token of the pool.

    The right to fetch it ends by itself after `patience` seconds, so that an exporter that dies with it
    stops nobody; what it may still bring then is used by itself, but not put before others.
    """

    __slots__ = ("_behind", "_clock", "_key", "_patience", "_pool", "_wait")

    def __init__(
        self,
        pool: TokenPool,
        key: str,
        patience: float,
        clock: Callable[[], float],
        wait: Wait,
        behind: Shelf = OWN_SHELF,
    ) -> None:
        """`behind`: where a token comes from that the pool lacks."""
        self._behind = behind
        self._pool = pool
        self._key = key
        self._patience = patience
        self._clock = clock
        self._wait = wait

    def fetch(self, source: TokenSource) -> Token:
        """The pool's token while it is good, else a new one for all; raises CallError.

        Without the pool a token that harms nobody is fetched all the same. A classic one is not: each
        exporter would end the other's, again and again.
        """
        try:
            held = self._held_or_right()
        except VaultError as error:
            if source.kind == _ENDS_OTHERS:
                problem = (
                    f"{error} A classic token is not fetched without it: it would end the other exporters'."
                )
                raise CallError(failure(Reason.INTERNAL, problem)) from None
            return self._behind.fetch(source)
        return held if isinstance(held, Token) else self._fetched(source, held)

    def drop(self, value: str) -> None:
        """Forget a token that WeChat refused; a pool that is away has another one, or will find out."""
        self._behind.drop(value)
        with suppress(VaultError):
            self._pool.drop(self._key, value)

    def _held_or_right(self) -> Token | str:
        """A token to use, or the right to fetch one."""
        give_up_at = self._clock() + WAITS * self._patience
        while True:
            held = self._usable(renewed=True)
            if held is not None:
                return held
            fence = self._pool.lock(self._key, self._patience)
            if fence is not None:
                held = self._usable(renewed=True)  # it may have come in between
                if held is None:
                    return fence
                self._pool.unlock(self._key, fence)
                return held
            held = self._usable(renewed=False)
            if held is not None:  # good for some minutes, and being renewed
                return Token(held.value, held.expires_at, self._clock() + SHORTEST_KEEP / 2)
            if self._clock() >= give_up_at:
                raise CallError(
                    failure(Reason.TIMEOUT, "another exporter has been fetching the token for long")
                )
            if self._wait(_LOOK_SECONDS):
                raise CallError(failure(Reason.NETWORK, "not waited for a token, the exporter stops"))

    def _usable(self, *, renewed: bool) -> Token | None:
        held = self._pool.token(self._key)
        if held is None:
            return None
        end = held.renew_at if renewed else (held.expires_at or 0.0) - SHORTEST_KEEP
        return held if self._clock() < end else None

    def _fetched(self, source: TokenSource, fence: str) -> Token:
        try:
            token = self._behind.fetch(source)
        except BaseException:
            with suppress(VaultError):
                self._pool.unlock(self._key, fence)
            raise
        with suppress(VaultError):
            if not self._pool.keep(self._key, token, fence):
                return self._usable(renewed=True) or token
        return token


def pooled_shelves(
    pool: TokenPool, client: Client, config: Config, wait: Wait, behind: Shelves = own_shelves
) -> Shelves:
    """Shelves in the pool, apart for each address of WeChat's: a token goes nowhere else."""

    def shelf(kind: str, appid: str) -> Shelf:
        patience = _patience(config, _CALLS.get(kind, 1))
        key = f"{kind}:{appid}@{client.base_url}"
        return PooledShelf(pool, key, patience, client.clock, wait, behind(kind, appid))

    return shelf


def longest_patience(config: Config) -> float:
    """The longest time, in seconds, for which one exporter has the right to fetch a token."""
    return _patience(config, max(_CALLS.values()))


def _patience(config: Config, calls: int) -> float:
    """How long so many calls take at the most, the waits for their turns included.

    Where there are several, the first may have to wait for the platform's token, which another one fetches.
    """
    rate = config.refresh.requests_per_second
    turn = config.refresh.concurrency / rate if rate else 0.0
    one = config.wechat.timeout + turn
    waits = WAITS * (one + _MARGIN_SECONDS) if calls > 1 else 0.0
    return calls * one + waits + _MARGIN_SECONDS
