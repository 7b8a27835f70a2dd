"""Tokens kept in the vault for several exporters, of which one at a time fetches a token."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from exporter.config.settings import Config
from exporter.wechat.credential_vault import Leases, Record, Vault, VaultError
from exporter.wechat.failures.errcodes import failure
from exporter.wechat.failures.failure import CallError, Reason
from exporter.wechat.tokens.cache import SHORTEST_KEEP, Token, TokenSource

_LOOK_SECONDS: Final = 0.2
_LEASES: Final = 2  # most holders of the lease to wait for
_MARGIN_SECONDS: Final = 5.0
_CALLS: Final = 3  # as an account's token may need the platform's and its list

Wait = Callable[[float], bool]
"""Waits a number of seconds; returns True at once if the exporter stops."""


class KeptToken(NamedTuple):
    """A token, unless WeChat refused it, and the Unix time of the last fetch."""

    token: Token | None = None
    asked_at: float = 0.0


@dataclass(slots=True, eq=False)
class KeptTokenSource(TokenSource):
    """An app's tokens in the vault, fetched from `source`.

    `leases`: None if no other exporter uses the vault. A lease ends by itself after `seconds`, so that a dead
    exporter delays nobody for long. The lock of the app's cache guards the methods.
    """

    source: TokenSource
    record: Record[KeptToken]
    leases: Leases | None
    seconds: float
    clock: Callable[[], float]
    wait: Wait
    _kept: KeptToken = KeptToken()  # noqa: RUF009 - frozen; for a vault that does not answer

    @property
    def kind(self) -> str:
        """Return the token type, as in the configuration."""
        return self.source.kind

    def fetch(self) -> Token:
        """Return the kept token while it is valid, else a new one for all; raise CallError."""
        if self.leases is None:
            return self._renewed()
        try:
            held = self._held_or_lease(self.leases)
        except VaultError as error:
            return self._unkept(error)
        if held is not None:
            return held
        try:
            return self._renewed()
        finally:
            with suppress(VaultError):
                self.leases.give_back(self.record.key)

    def fingerprint(self) -> bytes:
        """Return the fingerprint of the source's credential."""
        return self.source.fingerprint()

    def refuse(self, value: str) -> None:
        """Forget a refused token, unless another one is kept by now."""
        kept = self._load()
        if kept.token is not None and kept.token.value == value:
            self._save(kept._replace(token=None), kept)

    def _renewed(self) -> Token:
        """Return a token that another exporter has kept meanwhile, else a new one."""
        before, now = self._load(), self.clock()
        if before.token is not None and now < before.token.renew_at:
            return before.token
        token = self.source.fetch()
        return self._save(KeptToken(token, now), before).token or token

    def _unkept(self, _error: VaultError) -> Token:
        """Return a token without the vault, as a second one harms nobody."""
        return self.source.fetch()

    def _held_or_lease(self, leases: Leases) -> Token | None:
        """Return a token, or None once this exporter has the lease; raise VaultError."""
        give_up_at = self.clock() + _LEASES * self.seconds
        while True:
            token, now = (self.record.load() or KeptToken()).token, self.clock()
            if token is not None and now < token.renew_at:
                return token
            if leases.take(self.record.key, self.seconds):
                return None
            if token is not None and now < (token.expires_at or 0.0) - SHORTEST_KEEP:
                return replace(token, renew_at=now + SHORTEST_KEEP / 2)  # another exporter renews it
            if now >= give_up_at:
                text = "another exporter has been fetching the token for long"
                raise CallError(failure(Reason.TIMEOUT, text))
            if self.wait(_LOOK_SECONDS):
                raise CallError(failure(Reason.NETWORK, "not waited for a token, the exporter stops"))

    def _load(self) -> KeptToken:
        with suppress(VaultError):
            self._kept = self.record.load() or self._kept
        return self._kept

    def _save(self, new: KeptToken, before: KeptToken) -> KeptToken:
        """Replace `before` by `new`, unless a token from a later call is there; return the kept one."""

        def choose(kept: KeptToken | None) -> KeptToken:
            if kept is None or kept == before or (new.token is not None and kept.token is None):
                return new
            return new if new.token is not None and kept.asked_at <= new.asked_at else kept

        self._kept = new
        with suppress(VaultError):
            self._kept = self.record.save(choose) or new
        return self._kept


def kept_in(vault: Vault, key: str) -> Record[KeptToken]:
    """Return the record of a kept token in a vault."""
    return Record(vault, key, _of_json, _to_json)


def lease_seconds(config: Config) -> float:
    """Return the longest time to fetch a token, in seconds, including the platform's token."""
    waits = _LEASES * (config.longest_call + _MARGIN_SECONDS)
    return _CALLS * config.longest_call + waits + _MARGIN_SECONDS


def longest_wait(config: Config) -> float:
    """Return the longest wait, in seconds, for a token that another exporter fetches."""
    return _LEASES * lease_seconds(config)


def _of_json(found: Any) -> KeptToken:  # noqa: ANN401 - JSON
    held, asked_at = found
    return KeptToken(None if held is None else Token(*held), asked_at or 0.0)


def _to_json(kept: KeptToken) -> object:
    token = kept.token
    return [None if token is None else [token.value, token.expires_at, token.renew_at], kept.asked_at]
