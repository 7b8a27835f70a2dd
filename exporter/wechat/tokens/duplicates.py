"""The ownership of tokens: two apps with one token would show one account's figures under both names."""

import hashlib
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Final

from exporter.wechat.failures import advice
from exporter.wechat.failures.errcodes import failure
from exporter.wechat.failures.failure import CallError, Reason
from exporter.wechat.tokens.cache import Token, TokenCache

_LOOK_SECONDS: Final = 5.0  # seconds for the tokens of others, before an app's call
_OWN: Final = -1  # rank of an app whose token WeChat gave, before all others


class TokenOwners:
    """Prevents an app from using another app's token; safe to use from many threads.

    Tokens from WeChat come by appid, and belong to the app. Tokens that other programs keep are in doubt: the
    first app of the configuration with such a token owns it. The order of the calls must not matter, so a
    call looks at the tokens of all apps before its own.
    """

    def __init__(self, stopwatch: Callable[[], float]) -> None:
        self._stopwatch = stopwatch
        self._lock = threading.Lock()
        self._caches: dict[str, TokenCache] = {}  # caches of the apps whose tokens other programs keep
        self._places: dict[str, int] = {}  # appid -> position in the configuration
        self._unseen: dict[str, int] = {}  # positions of apps with unseen tokens
        self._held: dict[str, bytes] = {}  # appid -> hash of its last token
        self._holders: dict[bytes, set[str]] = {}

    def join(self, appid: str, cache: TokenCache) -> None:
        """Add an app whose tokens another program keeps."""
        with self._lock:
            self._caches[appid] = cache

    def arrange(self, appids: Iterable[str]) -> None:
        """Set the apps, in the configuration's order."""
        with self._lock:
            places = {appid: place for place, appid in enumerate(appids)}
            for appid in self._held.keys() - places.keys():
                self._forget(appid)
            self._caches = {appid: cache for appid, cache in self._caches.items() if appid in places}
            self._places = {appid: place for appid, place in places.items() if appid in self._caches}
            self._unseen = {appid: at for appid, at in self._places.items() if appid not in self._held}

    def claim(self, appid: str, token: Token) -> None:
        """Register an app's use of a token; raise CallError if the token is another app's."""
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
                self._look(other)  # its token may have changed; a failure leaves it unchanged
                if self._held.get(other) == digest:
                    problem = f"its token is that of {other}, whose figures it would show"
                    raise CallError(failure(Reason.TOKEN_REJECTED, problem, text=advice.SAME_TOKEN))

    def _look_before(self, place: int) -> None:
        """Look at the tokens of all apps before a position, as far as time allows.

        If several threads look at an app's token, one fetches it and the others wait. Each thread begins next
        to its own app, so that this is rare.
        """
        end = self._stopwatch() + _LOOK_SECONDS
        with self._lock:
            before = [appid for appid, at in self._unseen.items() if at < place]
        while before and self._stopwatch() < end:
            if (appid := before.pop()) in self._unseen:
                self._look(appid)

    def _look(self, appid: str) -> None:
        if (cache := self._caches.get(appid)) is not None:
            with suppress(Exception):  # the app's own call reports it
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
