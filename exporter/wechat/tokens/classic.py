"""Classic tokens, each of which ends the one before it, whoever holds that: as few of them as possible.

A token is kept in the vault, so that a restart and other commands use it too; and no more than one is asked
for in a round, an answer that was lost included: WeChat may have made that token.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final

from exporter.wechat.failures import advice
from exporter.wechat.failures.errcodes import failure
from exporter.wechat.failures.failure import Action, CallError, Failure, Reason
from exporter.wechat.tokens.cache import SHORTEST_KEEP, Token, TokenSource
from exporter.wechat.vault import Vault, VaultError

_OF_ROUND: Final = 0.9  # rounds begin a little early or late
_LIFETIME: Final = 7200.0  # seconds; a token that has ended harms nobody any more


@dataclass(frozen=True, slots=True)
class _Kept:
    """A token, if it is still believed to be good, and when the last one was asked for (Unix time)."""

    token: Token | None = None
    asked_at: float | None = None

    def written(self) -> str:
        token = self.token
        held = [token.value, token.expires_at, token.renew_at] if token is not None else None
        return json.dumps([held, self.asked_at])

    @staticmethod
    def read(text: str | None) -> "_Kept":
        with suppress(ValueError, TypeError):
            held, asked_at = json.loads(text or "")
            return _Kept(Token(*held) if held is not None else None, asked_at)
        return _Kept()


class ClassicShelf:
    """One app's classic token; its methods are called under the lock of the app's keeper."""

    def __init__(
        self, vault: Vault, key: str, interval: Callable[[], float], clock: Callable[[], float]
    ) -> None:
        self._vault = vault
        self._key = key
        self._interval = interval
        self._clock = clock
        self._kept = _Kept()  # for a vault that does not answer
        self._failure: Failure | None = None  # of the last fetch

    def fetch(self, source: TokenSource) -> Token:
        """The kept token while it is good, else a new one; raises CallError, also where it is too early."""
        before = self._look()
        token, asked_at, now = self._kept.token, self._kept.asked_at, self._clock()
        if token is not None and now < token.renew_at:
            return token
        if asked_at is not None and 0 <= now - asked_at < min(self._interval() * _OF_ROUND, _LIFETIME):
            if token is not None and token.expires_at is not None and now < token.expires_at:
                return replace(token, renew_at=min(now + SHORTEST_KEEP, token.expires_at))
            raise CallError(self._too_early(now - asked_at))
        earlier = self._kept
        self._keep(_Kept(None, now), before)
        try:
            token = source.fetch()
        except CallError as error:
            self._failure = error.failure
            if error.failure.errcode is not None or error.failure.unsent:
                self._keep(earlier, self._look())
            raise
        self._failure = None
        self._keep(_Kept(token, now), self._look())
        return token

    def drop(self, value: str) -> None:
        """Forget a token that WeChat refused; another one may be kept by now."""
        before = self._look()
        if self._kept.token is not None and self._kept.token.value == value:
            self._keep(replace(self._kept, token=None), before)

    def _too_early(self, seconds: float) -> Failure:
        if self._failure is not None:
            return replace(self._failure, action=Action.NEXT_ROUND)
        problem = (
            f"a classic token was fetched {seconds:.0f} s ago: only one a round, as each ends the one before"
        )
        return failure(Reason.TOKEN_REJECTED, problem, text=advice.TOKEN)

    def _look(self) -> str | None:
        """The text that is stored."""
        with suppress(VaultError):
            text = self._vault.credential(self._key)
            if text is not None:
                self._kept = _Kept.read(text)
            return text
        return None

    def _keep(self, kept: _Kept, before: str | None) -> None:
        self._kept = kept
        with suppress(VaultError):
            self._vault.put(self._key, before, kept.written())
