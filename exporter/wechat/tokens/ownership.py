"""Whose a token is: two apps with one token would show one account's figures under both names."""

import hashlib
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Final

from exporter.wechat.failures import advice
from exporter.wechat.failures.errcodes import failure
from exporter.wechat.failures.failure import CallError, Reason
from exporter.wechat.tokens.cache import Token, TokenCache

_LOOK_SECONDS: Final = 5.0  # for the tokens of others, before an app's call
_OWN: Final = -1  # the place of an app whose token WeChat gave: nobody has a better right


class TokenOwners:
    """Lets an app use a token unless that is another app's; safe to use from many threads.

    WeChat gives tokens by appid: those are the app's own. In doubt are those that other programs keep: among
    these the first app of the configuration has the right, whichever is asked for first, so before an app's
    call the tokens of those before it are looked at.
    """

    def __init__(self, stopwatch: Callable[[], float]) -> None:
        self._stopwatch = stopwatch
        self._lock = threading.Lock()
        self._caches: dict[str, TokenCache] = {}  # of the apps whose tokens other programs keep
        self._places: dict[str, int] = {}  # their places in the configuration
        self._unseen: dict[str, int] = {}  # the places of those whose tokens nobody has looked at
        self._held: dict[str, bytes] = {}  # a hash of the token that each app had last
        self._holders: dict[bytes, set[str]] = {}

    def join(self, appid: str, cache: TokenCache) -> None:
        """Another program keeps the app's tokens."""
        with self._lock:
            self._caches[appid] = cache

    def arrange(self, appids: Iterable[str]) -> None:
        """Set which apps there are, in the configuration's order."""
        with self._lock:
            places = {appid: place for place, appid in enumerate(appids)}
            for appid in self._held.keys() - places.keys():
                self._forget(appid)
            self._caches = {appid: cache for appid, cache in self._caches.items() if appid in places}
            self._places = {appid: place for appid, place in places.items() if appid in self._caches}
            self._unseen = {appid: at for appid, at in self._places.items() if appid not in self._held}

    def claim(self, appid: str, token: Token) -> None:
        """Say that an app is about to use a token; raises CallError where that is another app's."""
        if not self._caches:
            return
        digest = self._note(appid, token)
        if appid not in self._caches:
            return
        place = self._places.get(appid, _OWN)
        self._look_before(place)
        with self._lock:
            others = self._holders.get(digest, set()) - {appid}
        for other in others:
            if self._places.get(other, _OWN) < place:
                self._look(other)  # its token may have changed since; one that cannot be had now has not
                if self._held.get(other) == digest:
                    problem = f"its token is that of {other}, whose figures it would show"
                    raise CallError(failure(Reason.TOKEN_REJECTED, problem, text=advice.SAME_TOKEN))

    def _look_before(self, place: int) -> None:
        """See to it that the tokens of all before that place are known, as far as they can be had soon.

        Of several threads that look at one app's token, one fetches it and the others wait in its cache. Each
        begins next to its own app, so that they seldom do.
        """
        end = self._stopwatch() + _LOOK_SECONDS
        with self._lock:
            before = [appid for appid, at in self._unseen.items() if at < place]
        while before and self._stopwatch() < end:
            if (appid := before.pop()) in self._unseen:
                self._look(appid)

    def _look(self, appid: str) -> None:
        if (cache := self._caches.get(appid)) is not None:
            with suppress(Exception):  # whatever it is, that app's own call reports it
                self._note(appid, cache.get())
        self._unseen.pop(appid, None)

    def _note(self, appid: str, token: Token) -> bytes:
        digest = hashlib.sha256(token.value.encode()).digest()
        with self._lock:
            if self._held.get(appid) != digest:
                self._forget(appid)
                self._held[appid] = digest
                self._holders.setdefault(digest, set()).add(appid)
        return digest

    def _forget(self, appid: str) -> None:
        digest = self._held.pop(appid, b"")
        holders = self._holders.get(digest, set())
        holders.discard(appid)
        if not holders:
            self._holders.pop(digest, None)
