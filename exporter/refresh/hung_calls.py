"""Watches a round's calls for those that hang where no deadline reaches: in a name's look-up, in a file.

A thread that hangs cannot be ended. It is left alone, its round goes on without it, and its app is not asked
until it comes back; so there are never more such threads than `concurrency`.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from exporter.config.settings import RefreshSettings, WechatSettings
from exporter.refresh.plan import Ask

_CALLS: Final = 4  # token, data, and both again after a refused token
_MARGIN_SECONDS: Final = 30.0


def patience(wechat: WechatSettings, refresh: RefreshSettings) -> float:
    """Seconds after which an ask must be over: its calls' deadlines and their turns, and some more."""
    rate = refresh.requests_per_second
    turns = refresh.concurrency * _CALLS / rate if rate else 0.0
    return _CALLS * wechat.timeout + turns + _MARGIN_SECONDS


@dataclass(slots=True)
class _Watched:
    ask: Ask
    begun: float
    given_up: bool = False


class HungCalls:
    """Knows what each thread asks; safe to use from many threads."""

    def __init__(self, told: Callable[[int], None]) -> None:
        """`told` is given the number of hanging calls whenever it changes."""
        self._told = told
        self._lock = threading.Lock()
        self._watched: dict[int, _Watched] = {}

    def begin(self, ask: Ask, now: float) -> None:
        """This thread begins an ask; `now` is monotonic."""
        with self._lock:
            self._watched[threading.get_ident()] = _Watched(ask, now)

    def end(self) -> bool:
        """This thread's ask is over; whether it had been given up."""
        with self._lock:
            given_up = self._watched.pop(threading.get_ident()).given_up
            if given_up:
                self._tell()
        return given_up

    def give_up(self, before: float) -> list[Ask]:
        """Give up what was begun before that moment and not given up yet."""
        with self._lock:
            hung = [each for each in self._watched.values() if each.begun < before and not each.given_up]
            for each in hung:
                each.given_up = True
            if hung:
                self._tell()
        return [each.ask for each in hung]

    def gave_up(self, thread: threading.Thread) -> bool:
        """Whether that thread's ask was given up and is not over."""
        watched = self._watched.get(thread.ident or 0)
        return watched is not None and watched.given_up

    def hanging(self) -> set[str]:
        """The appids of asks that were given up and are not over."""
        with self._lock:
            return {each.ask.appid for each in self._watched.values() if each.given_up}

    def _tell(self) -> None:
        self._told(sum(each.given_up for each in self._watched.values()))
