"""A queue in which apps take turns, so that one app in trouble holds up no other.

An app's dates come newest first. Apps share the threads evenly; otherwise one app whose calls hang would soon
occupy them all. After a failure that a pause may end, the whole app rests, and the failed date comes before
its other dates. The queue draws dates from the journal one by one, so memory does not grow with them.
"""

import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from exporter.refresh.plan import Ask


@dataclass(slots=True)
class _AppTurn:
    """An app's dates, asks to repeat, end of its rest (seconds), and number of calls under way."""

    days: Iterator[date]
    again: list[Ask] = field(default_factory=list)
    rests_until: float = -math.inf
    under_way: int = 0


class FairQueue:
    """Hands asks to threads, which report each one back with `done`."""

    def __init__(self, days: Mapping[str, Iterator[date]], threads: int, clock: Callable[[], float]) -> None:
        """Queue the apps' dates for a number of threads; `clock` is monotonic, in seconds."""
        self._threads = threads
        self._clock = clock
        self._condition = threading.Condition()
        self._apps = {appid: _AppTurn(each) for appid, each in days.items()}
        self._turns = OrderedDict(self._apps)  # apps that may have something left to ask
        self._under_way = 0
        self._closed = False

    def take(self) -> Ask | None:
        """Wait for the next ask and return it; None once nothing is left or the queue is closed."""
        with self._condition:
            while not self._closed:
                now = self._clock()
                if (ask := self._next(now)) is not None:
                    return ask
                if not self._turns and not self._under_way:
                    break
                ends = [turn.rests_until for turn in self._turns.values() if turn.rests_until > now]
                self._condition.wait(min(ends) - now if ends else None)
            self.close()
            return None

    def repeat(self, ask: Ask, delay: float) -> None:
        """Queue an ask to repeat in `delay` seconds; until then the app rests."""
        with self._condition:
            if (turn := self._apps.get(ask.appid)) is not None:
                turn.again.append(replace(ask, attempt=ask.attempt + 1))
                turn.rests_until = max(self._clock() + delay, turn.rests_until)
                self._turns[ask.appid] = turn
                self._condition.notify_all()

    def stop(self, appid: str) -> None:
        """Drop all further asks of an app."""
        with self._condition:
            self._apps.pop(appid, None)
            self._turns.pop(appid, None)
            self._condition.notify_all()

    def done(self, ask: Ask) -> None:
        """Report an ask back as finished."""
        with self._condition:
            self._under_way -= 1
            if (turn := self._apps.get(ask.appid)) is not None:
                turn.under_way -= 1
            self._condition.notify_all()

    def close(self) -> None:
        """Let `take` return None from now on."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    def _next(self, now: float) -> Ask | None:
        while (appid := self._first(now)) is not None:
            turn = self._turns[appid]
            ask = turn.again.pop() if turn.again else self._newest(appid, turn)
            if ask is not None:
                self._turns.move_to_end(appid)
                self._under_way += 1
                turn.under_way += 1
                return ask
            del self._turns[appid]
        return None

    def _first(self, now: float) -> str | None:
        """Return the app whose turn it is: awake, and with fewer calls under way than its share."""
        share = max(1, self._threads // max(1, len(self._turns)))
        may = (
            appid for appid, turn in self._turns.items() if turn.rests_until <= now and turn.under_way < share
        )
        return next(may, None)

    @staticmethod
    def _newest(appid: str, turn: _AppTurn) -> Ask | None:
        day = next(turn.days, None)
        return None if day is None else Ask(appid, day)
