"""Whose a token is: two apps with one token would show one account's figures under both names."""

import hashlib
import threading
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from exporter.wechat.failures import advice
from exporter.wechat.failures.errcodes import failure
from exporter.wechat.failures.failure import CallError, Reason
from exporter.wechat.tokens.cache import Token, TokenCache

_LOOK_SECONDS: Final = 5.0  # for the tokens of others, before an app's call


@dataclass(slots=True)
class _Foreign:
    """An app whose tokens another program keeps, and its place in the configuration."""

    keeper: TokenCache
    place: int = 0


class TokenOwners:
    """Lets an app use a token unless that is another app's; safe to use from many threads.

    WeChat gives tokens by appid: those are the app's own. In doubt are those that other programs keep: among
    these the first app of the configuration has the right, whichever is asked for first, so before an app's
    call the tokens of those before it are looked at.
    """

    def __init__(self, stopwatch: Callable[[], float]) -> None:
        self._stopwatch = stopwatch
        self._lock = threading.Lock()
        self._foreign: dict[str, _Foreign] = {}
        self._unseen: deque[str] = deque()  # whose tokens nobody has looked at, in the configuration's order
        self._looking: set[str] = set()  # at whose tokens some thread looks right now
        self._held: dict[str, bytes] = {}  # a hash of the token that each app had last
        self._holders: dict[bytes, set[str]] = {}

    def join(self, appid: str, keeper: TokenCache) -> None:
        """Another program keeps the app's tokens."""
        with self._lock:
            self._foreign[appid] = _Foreign(keeper)

    def arrange(self, appids: Iterable[str]) -> None:
        """Set which apps there are, in the configuration's order."""
        with self._lock:
            places = {appid: place for place, appid in enumerate(appids)}
            self._foreign = {appid: each for appid, each in self._foreign.items() if appid in places}
            for appid, each in self._foreign.items():
                each.place = places[appid]
            for appid in self._held.keys() - places.keys():
                self._forget(appid)
            self._unseen = deque(sorted(self._foreign.keys() - self._held.keys(), key=places.__getitem__))

    def claim(self, appid: str, token: Token) -> None:
        """Say that an app is about to use a token; raises CallError where that is another app's."""
        if not self._foreign:
            return
        foreign = self._foreign.get(appid)
        if foreign is not None:
            self._look_before(foreign.place)
        self._note(appid, token)
        while foreign is not None and (other := self._other(appid, foreign.place)) is not None:
            if self._still_holds(other, token):
                problem = f"its token is that of {other}, whose figures it would show"
                raise CallError(failure(Reason.TOKEN_REJECTED, problem, text=advice.SAME_TOKEN))

    def _look_before(self, place: int) -> None:
        """See to it that the tokens of all before that place are known, as far as they can be had soon."""
        end = self._stopwatch() + _LOOK_SECONDS
        while self._stopwatch() < end and (appid := self._next_unseen(place)) is not None:
            self._look(appid)
            self._looking.discard(appid)
        for appid in tuple(self._looking):  # wait for the threads that do
            if self._stopwatch() < end:
                self._look(appid)

    def _next_unseen(self, place: int) -> str | None:
        with self._lock:
            while self._unseen and self._foreign[self._unseen[0]].place < place:
                appid = self._unseen.popleft()
                if appid not in self._held:
                    self._looking.add(appid)
                    return appid
        return None

    def _look(self, appid: str) -> None:
        foreign = self._foreign.get(appid)
        if foreign is not None:
            with suppress(CallError):
                self._note(appid, foreign.keeper.get())

    def _note(self, appid: str, token: Token) -> None:
        digest = _digest(token)
        with self._lock:
            if self._held.get(appid) != digest:
                self._forget(appid)
                self._held[appid] = digest
                self._holders.setdefault(digest, set()).add(appid)

    def _forget(self, appid: str) -> None:
        digest = self._held.pop(appid, b"")
        holders = self._holders.get(digest, set())
        holders.discard(appid)
        if not holders:
            self._holders.pop(digest, None)

    def _other(self, appid: str, place: int) -> str | None:
        """Another app that holds the same token by a better right."""
        with self._lock:
            for other in self._holders[self._held[appid]] - {appid}:
                found = self._foreign.get(other)
                if found is None or found.place < place:
                    return other
        return None

    def _still_holds(self, appid: str, token: Token) -> bool:
        """Look again: its token may have changed since; one that cannot be had now has not."""
        self._look(appid)
        return self._held.get(appid) == _digest(token)


def _digest(token: Token) -> bytes:
    return hashlib.sha256(token.value.encode()).digest()
