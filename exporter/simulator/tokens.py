"""The token desk, which issues and checks tokens of every kind by WeChat's rules.

Stable tokens (cgi-bin/stable_token) stay the same until their last five minutes; each classic one
(cgi-bin/token) supersedes the last. The two kinds are independent.
"""

import re
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import blake2b
from typing import Final

from exporter.simulator.messages import RefusedError

LIFETIME_SECONDS: Final = 7200
CLOUDBASE_LIFETIME_SECONDS: Final = 1800
CLASSIC_GRACE_SECONDS: Final = 300  # seconds that a classic token outlives the fetch of the next one
OVERLAP_SECONDS: Final = 300  # a stable token's last seconds, in which it has a successor
FORCE_INTERVAL_SECONDS: Final = 30  # seconds after a forced refresh in which another one does nothing
_SHAPE: Final = re.compile(r"[0-9]+_[0-9a-f]{128}")
_REJECTED: Final = 40001
_MALFORMED: Final = 40014
_EXPIRED: Final = 42001


class TokenKind(StrEnum):
    """The kind of a token."""

    STABLE = "stable"
    CLASSIC = "classic"
    COMPONENT = "component"  # a third-party platform's token
    AUTHORIZER = "authorizer"  # an account's token, issued to its platform
    CLOUDBASE = "cloudbase"


@dataclass(frozen=True, slots=True)
class _Token:
    """An issued token: its end, and the errcode that refuses it afterwards."""

    text: str
    appid: str
    kind: TokenKind
    valid_until: float
    refusal: int = _EXPIRED


class TokenDesk:
    """The tokens of all kinds of all apps and platforms."""

    def __init__(self) -> None:
        self._known: dict[str, _Token] = {}
        self._latest: dict[tuple[str, TokenKind], tuple[str, ...]] = {}  # the newest one or two, newest first
        self._forced_at: dict[str, float] = {}
        self._serial = 0

    def stable(self, appid: str, now: float) -> tuple[str, int]:
        """Return the app's stable token and the seconds it has left: never less than the overlap."""
        current = self._current(appid, TokenKind.STABLE)
        if current is None or current.valid_until - now < OVERLAP_SECONDS:
            current = self._issue(appid, TokenKind.STABLE, now)
        return current.text, int(current.valid_until - now)

    def force(self, appid: str, now: float) -> tuple[str, int]:
        """Return a new stable token for force_refresh=true, and invalidate the old ones at once."""
        if now - self._forced_at.get(appid, float("-inf")) >= FORCE_INTERVAL_SECONDS:
            self._forced_at[appid] = now
            self.revoke(appid, now)
        return self.stable(appid, now)

    def issue(self, appid: str, kind: TokenKind, now: float) -> tuple[str, int]:
        """Return a new token of any other kind and its lifetime in seconds; the last one stays valid."""
        token = self._issue(appid, kind, now)
        return token.text, int(token.valid_until - now)

    def revoke(self, appid: str, now: float, kind: TokenKind = TokenKind.STABLE) -> None:
        """Kill the app's tokens of a kind, as another program's forced refresh would the stable ones."""
        for text in self._latest.get((appid, kind), ()):
            self._shorten(text, now)

    def classic(self, appid: str, now: float) -> tuple[str, int]:
        """Return a new classic token and its lifetime in seconds; the last one stays valid for a while."""
        before = self._current(appid, TokenKind.CLASSIC)
        if before is not None:
            self._shorten(before.text, now + CLASSIC_GRACE_SECONDS)
        return self._issue(appid, TokenKind.CLASSIC, now).text, LIFETIME_SECONDS

    def holder(self, text: str, now: float) -> tuple[str, TokenKind]:
        """Return a token's appid and kind.

        Raises:
            RefusedError: 40014 for an impossible token, 40001 for a superseded or foreign one, 42001 for an
                expired one.
        """
        if not _SHAPE.fullmatch(text):
            raise RefusedError(_MALFORMED)
        token = self._known.get(text)
        if token is None:
            raise RefusedError(_REJECTED)
        if token.valid_until <= now:
            raise RefusedError(token.refusal)
        return token.appid, token.kind

    def _current(self, appid: str, kind: TokenKind) -> _Token | None:
        texts = self._latest.get((appid, kind))
        return self._known[texts[0]] if texts else None

    def _issue(self, appid: str, kind: TokenKind, now: float) -> _Token:
        self._serial += 1
        lifetime = CLOUDBASE_LIFETIME_SECONDS if kind is TokenKind.CLOUDBASE else LIFETIME_SECONDS
        text = f"{self._serial}_{blake2b(f'{appid} {kind} {self._serial}'.encode()).hexdigest()}"
        token = self._known[text] = _Token(text, appid, kind, now + lifetime)
        newest, *older = (text, *self._latest.get((appid, kind), ()))
        for forgotten in older[1:]:
            del self._known[forgotten]
        self._latest[appid, kind] = (newest, *older[:1])
        return token

    def _shorten(self, text: str, valid_until: float) -> None:
        token = self._known[text]
        if valid_until < token.valid_until:
            self._known[text] = replace(token, valid_until=valid_until, refusal=_REJECTED)
