"""Classic tokens: each invalidates the one before it, whoever holds that, so fetch as few as possible.

The vault keeps the token for restarts and other commands. No more than one is fetched per round, even if an
answer got lost, as WeChat may have made that token.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Final

from exporter.wechat.credential_vault import VaultError
from exporter.wechat.failures import advice
from exporter.wechat.failures.errcodes import failure
from exporter.wechat.failures.failure import Action, CallError, Failure, Reason
from exporter.wechat.tokens.cache import SHORTEST_KEEP, Token
from exporter.wechat.tokens.shared import KeptToken, KeptTokenSource

KIND: Final = "access_token"
_OF_ROUND: Final = 0.9  # tolerance, as rounds begin a little early or late
_LIFETIME: Final = 7200.0  # seconds; an expired token harms nobody


@dataclass(slots=True, eq=False)
class ClassicSource(KeptTokenSource):
    """An app's classic tokens; `interval` returns the seconds between rounds, which a reload may change."""

    interval: Callable[[], float] = field(kw_only=True)
    _failure: Failure | None = None  # of the last fetch

    def _renewed(self) -> Token:
        """Return the kept token while it is valid, else a new one; raise CallError if it is too early."""
        before, now = self._load(), self.clock()
        token, since = before.token, now - before.asked_at
        if token is not None and now < token.renew_at:
            return token
        if 0 <= since < min(self.interval() * _OF_ROUND, _LIFETIME):
            if token is not None and token.expires_at is not None and now < token.expires_at:
                return replace(token, renew_at=min(now + SHORTEST_KEEP, token.expires_at))
            raise CallError(self._too_early(since))
        asked = self._save(KeptToken(None, now), before)
        try:
            token = self.source.fetch()
        except CallError as error:
            self._failure = error.failure
            if error.failure.errcode is not None or error.failure.unsent:
                self._save(before, asked)
            raise
        self._failure = None
        return self._save(KeptToken(token, now), asked).token or token

    def _unkept(self, error: VaultError) -> Token:
        """Raise CallError: without the vault exporters would keep invalidating each other's tokens."""
        problem = f"{error} A classic token is not fetched without it: it would end the other exporters'."
        raise CallError(failure(Reason.INTERNAL, problem)) from None

    def _too_early(self, seconds: float) -> Failure:
        if self._failure is not None:
            return replace(self._failure, action=Action.NEXT_ROUND)
        problem = (
            f"a classic token was fetched {seconds:.0f} s ago: only one a round, as each ends the one before"
        )
        return failure(Reason.TOKEN_REJECTED, problem, text=advice.TOKEN)
