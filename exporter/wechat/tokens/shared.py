"""Tokens that several exporters use: fetched once per expiry by whichever needs it first."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol

from exporter.config.settings import Config
from exporter.wechat.credential_vault import Vault, VaultError
from exporter.wechat.failures.errcodes import failure
from exporter.wechat.failures.failure import CallError, Reason
from exporter.wechat.tokens.cache import SHORTEST_KEEP, Token, TokenSource
from exporter.wechat.tokens.classic import KIND, KeptSource, kept_in

_LOOK_SECONDS: Final = 0.2
WAITS: Final = 2  # how many holders of the right are waited for, at the most
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


@dataclass(frozen=True, slots=True)
class SharedSource(TokenSource):
    """An app's tokens in the pool; `source` has one that the pool lacks.

    The right to fetch one ends by itself after `patience` seconds, so that an exporter that dies with it
    stops nobody; what it may still bring then is used by itself, but not put before others.
    """

    source: TokenSource
    pool: TokenPool
    key: str
    patience: float
    clock: Callable[[], float]
    wait: Wait

    @property
    def kind(self) -> str:
        """The token type as the configuration names it."""
        return self.source.kind

    def fetch(self) -> Token:
        """Return the pool's token while it is good, else a new one for all; raises CallError.

        Without the pool a token that harms nobody is fetched all the same. A classic one is not: each
        exporter would end the other's, again and again.
        """
        try:
            held = self._held_or_right()
        except VaultError as error:
            if self.kind == KIND:
                problem = (
                    f"{error} A classic token is not fetched without it: it would end the other exporters'."
                )
                raise CallError(failure(Reason.INTERNAL, problem)) from None
            return self.source.fetch()
        return held if isinstance(held, Token) else self._fetched(held)

    def fingerprint(self) -> bytes:
        """Return that of the credential."""
        return self.source.fingerprint()

    def refuse(self, value: str) -> None:
        """Forget a token that WeChat refused; a pool that is away has another one, or will find out."""
        self.source.refuse(value)
        with suppress(VaultError):
            self.pool.drop(self.key, value)

    def _held_or_right(self) -> Token | str:
        """Return a token to use, or the right to fetch one."""
        give_up_at = self.clock() + WAITS * self.patience
        while True:
            if (held := self._usable(renewed=True)) is not None:
                return held
            if (fence := self.pool.lock(self.key, self.patience)) is not None:
                if (held := self._usable(renewed=True)) is None:  # it may have come in between
                    return fence
                self.pool.unlock(self.key, fence)
                return held
            if (held := self._usable(renewed=False)) is not None:  # good for some minutes, and being renewed
                return Token(held.value, held.expires_at, self.clock() + SHORTEST_KEEP / 2)
            if self.clock() >= give_up_at:
                text = "another exporter has been fetching the token for long"
                raise CallError(failure(Reason.TIMEOUT, text))
            if self.wait(_LOOK_SECONDS):
                raise CallError(failure(Reason.NETWORK, "not waited for a token, the exporter stops"))

    def _usable(self, *, renewed: bool) -> Token | None:
        held = self.pool.token(self.key)
        if held is None:
            return None
        end = held.renew_at if renewed else (held.expires_at or 0.0) - SHORTEST_KEEP
        return held if self.clock() < end else None

    def _fetched(self, fence: str) -> Token:
        try:
            token = self.source.fetch()
        except BaseException:
            with suppress(VaultError):
                self.pool.unlock(self.key, fence)
            raise
        with suppress(VaultError):
            if not self.pool.keep(self.key, token, fence):
                return self._usable(renewed=True) or token
        return token


@dataclass(frozen=True, slots=True)
class Sharing:
    """Where tokens are kept beside the process's memory, apart for each address of WeChat's.

    `pool`: None where no other exporter uses the vault. `config`: gives the one in force.
    """

    vault: Vault
    pool: TokenPool | None
    config: Callable[[], Config]
    clock: Callable[[], float]
    wait: Wait

    def share(self, source: TokenSource, appid: str) -> TokenSource:
        """Keep a classic token over restarts; share a token of any kind with the other exporters."""
        kind, config = source.kind, self.config()
        app = f"{appid}@{config.wechat.base_url}"
        if kind == KIND:
            kept = kept_in(self.vault, f"{kind}/{app}")
            source = KeptSource(source, kept, lambda: self.config().refresh.interval, self.clock)
        if self.pool is None:
            return source
        patience = _patience(config, _CALLS.get(kind, 1))
        return SharedSource(source, self.pool, f"{kind}:{app}", patience, self.clock, self.wait)


def longest_patience(config: Config) -> float:
    """The longest time, in seconds, for which one exporter has the right to fetch a token."""
    return _patience(config, max(_CALLS.values()))


def _patience(config: Config, calls: int) -> float:
    """How long so many calls take at the most, the waits for their turns included.

    Where there are several, the first may have to wait for the platform's token, which another one fetches.
    """
    waits = WAITS * (config.longest_call + _MARGIN_SECONDS) if calls > 1 else 0.0
    return calls * config.longest_call + waits + _MARGIN_SECONDS
