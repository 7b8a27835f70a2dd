"""Which call may start next: apps take turns, so that one in trouble holds up no other.

Calls of one app follow each other newest date first. Apps share the threads evenly, as one whose calls hang
would soon hold them all. An app rests as a whole after a failure that a pause may end, and what failed is
asked for again before its other dates. Dates are drawn from the journal one by one: the memory needed does
not grow with them.
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
    """One app: its dates, what to repeat, until when it rests (seconds), and its calls under way."""

    days: Iterator[date]
    again: list[Ask] = field(default_factory=list)
    rests_until: float = -math.inf
    under_way: int = 0


class FairQueue:
    """Hands out asks to threads; each taken ask is answered with `done`."""

    def __init__(self, days: Mapping[str, Iterator[date]], threads: int, clock: Callable[[], float]) -> None:
        """Begin with these apps' dates for so many threads; `clock` gives seconds that never jump."""
        self._threads = threads
        self._clock = clock
        self._condition = threading.Condition()
        self._apps = {appid: _AppTurn(each) for appid, each in days.items()}
        self._turns = OrderedDict(self._apps)  # those that have, as far as is known, something left to ask
        self._under_way = 0
        self._closed = False

    def take(self) -> Ask | None:
        """Wait for the next ask; None once there is nothing left to ask or all is closed."""
        with self._condition:
            while not self._closed:
                now = self._clock()
                if (ask := self._next(now)) is not None:
                    return ask
                if not self._turns and not self._under_way:
                    break
                ends = [turn.rests_until for turn in self._turns.values() if turn.rests_until > now]
                self._condition.wait(min(ends) - now if ends else None)
            self._close()
            return None

    def repeat(self, ask: Ask, delay: float) -> None:
        """Ask this again once `delay` seconds are over; until then the app is asked for nothing else."""
        with self._condition:
            if (turn := self._apps.get(ask.appid)) is not None:
                turn.again.append(replace(ask, attempt=ask.attempt + 1))
                turn.rests_until = max(self._clock() + delay, turn.rests_until)
                self._turns[ask.appid] = turn
                self._condition.notify_all()

    def stop(self, appid: str) -> None:
        """Ask for nothing more of this app."""
        with self._condition:
            self._apps.pop(appid, None)
            self._turns.pop(appid, None)
            self._condition.notify_all()

    def done(self, ask: Ask) -> None:
        """Count an ask that was taken as dealt with."""
        with self._condition:
            self._under_way -= 1
            if (turn := self._apps.get(ask.appid)) is not None:
                turn.under_way -= 1
            self._condition.notify_all()

    def close(self) -> None:
        """Hand out nothing more."""
        with self._condition:
            self._close()

    def _close(self) -> None:
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
        """Return the app whose turn it is: not resting, and with fewer calls under way than its share."""
        share = max(1, self._threads // max(1, len(self._turns)))
        may = (
            appid for appid, turn in self._turns.items() if turn.rests_until <= now and turn.under_way < share
        )
        return next(may, None)

    @staticmethod
    def _newest(appid: str, turn: _AppTurn) -> Ask | None:
        day = next(turn.days, None)
        return None if day is None else Ask(appid, day)
