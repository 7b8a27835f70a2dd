"""Classic tokens, each of which ends the one before it, whoever holds that: as few of them as possible.

A token is kept in the vault, so that a restart and other commands use it too; and no more than one is asked
for in a round, an answer that was lost included: WeChat may have made that token.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from exporter.wechat.credential_vault import Record, Vault, VaultError
from exporter.wechat.failures import advice
from exporter.wechat.failures.errcodes import failure
from exporter.wechat.failures.failure import Action, CallError, Failure, Reason
from exporter.wechat.tokens.cache import SHORTEST_KEEP, Token, TokenSource

KIND: Final = "access_token"
_OF_ROUND: Final = 0.9  # rounds begin a little early or late
_LIFETIME: Final = 7200.0  # seconds; a token that has ended harms nobody any more


class Kept(NamedTuple):
    """A token, if it is still believed to be good, and when the last one was asked for (Unix time)."""

    token: Token | None = None
    asked_at: float | None = None


@dataclass(slots=True, eq=False)
class KeptSource(TokenSource):
    """One app's classic tokens; the lock of the app's cache guards its methods.

    `interval` gives the seconds between two rounds, which a reload may change.
    """

    source: TokenSource
    record: Record[Kept]
    interval: Callable[[], float]
    clock: Callable[[], float]
    _kept: Kept = Kept()  # noqa: RUF009 - frozen; for a vault that does not answer
    _failure: Failure | None = None  # of the last fetch

    kind = KIND

    def fetch(self) -> Token:
        """Return the kept token while it is good, else a new one; raises CallError where it is too early."""
        earlier, now = self._load(), self.clock()
        token, asked_at = earlier.token, earlier.asked_at
        if token is not None and now < token.renew_at:
            return token
        if asked_at is not None and 0 <= now - asked_at < min(self.interval() * _OF_ROUND, _LIFETIME):
            if token is not None and token.expires_at is not None and now < token.expires_at:
                return replace(token, renew_at=min(now + SHORTEST_KEEP, token.expires_at))
            raise CallError(self._too_early(now - asked_at))
        self._save(Kept(None, now))
        try:
            token = self.source.fetch()
        except CallError as error:
            self._failure = error.failure
            if error.failure.errcode is not None or error.failure.unsent:
                self._save(earlier)
            raise
        self._failure = None
        self._save(Kept(token, now))
        return token

    def fingerprint(self) -> bytes:
        """Return that of the credential."""
        return self.source.fingerprint()

    def refuse(self, value: str) -> None:
        """Forget a token that WeChat refused; another one may be kept by now."""
        kept = self._load()
        if kept.token is not None and kept.token.value == value:
            self._save(kept._replace(token=None))

    def _too_early(self, seconds: float) -> Failure:
        if self._failure is not None:
            return replace(self._failure, action=Action.NEXT_ROUND)
        problem = (
            f"a classic token was fetched {seconds:.0f} s ago: only one a round, as each ends the one before"
        )
        return failure(Reason.TOKEN_REJECTED, problem, text=advice.TOKEN)

    def _load(self) -> Kept:
        with suppress(VaultError):
            self._kept = self.record.load() or self._kept
        return self._kept

    def _save(self, kept: Kept) -> None:
        self._kept = kept
        with suppress(VaultError):
            self.record.save(lambda _: kept)


def kept_in(vault: Vault, key: str) -> Record[Kept]:
    """Return what a vault has under that key."""
    return Record(vault, key, _of_json, _to_json)


def _of_json(found: Any) -> Kept:  # noqa: ANN401 - JSON
    held, asked_at = found
    return Kept(None if held is None else Token(*held), asked_at)


def _to_json(kept: Kept) -> object:
    token = kept.token
    return [None if token is None else [token.value, token.expires_at, token.renew_at], kept.asked_at]
