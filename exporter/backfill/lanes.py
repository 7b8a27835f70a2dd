"""Which call may start next: every app a lane of its own, so that one in trouble holds up no other.

Calls of one app follow each other newest date first; apps take turns. A lane rests as a whole after a
failure that a pause may mend, and what failed is asked for again before its other dates. Dates are
drawn from the journal one by one: the memory needed does not grow with them.
"""

import heapq
import math
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date

from exporter.refresh.plan import Ask


class Lanes:
    """Hands out asks to threads; each taken ask is answered with `done`."""

    def __init__(self, days: Mapping[str, Iterator[date]], clock: Callable[[], float]) -> None:
        """Begin with these apps' dates; `clock` gives seconds that never jump."""
        self._clock = clock
        self._condition = threading.Condition()
        self._days = dict(days)
        self._again: dict[str, list[Ask]] = {appid: [] for appid in days}
        self._rests_until: dict[str, float] = {}
        self._turns = len(self._days)
        self._queue = [
            (-math.inf, turn, appid) for turn, appid in enumerate(self._days)
        ]  # a heap, sorted already
        self._queued = set(self._days)
        self._under_way = 0
        self._closed = False

    def take(self) -> Ask | None:
        """The next ask, waiting for it; None once there is nothing left to ask or all is closed."""
        with self._condition:
            while not self._closed:
                now = self._clock()
                if (ask := self._next(now)) is not None:
                    self._under_way += 1
                    return ask
                if not self._queue and not self._under_way:
                    break
                self._condition.wait(self._queue[0][0] - now if self._queue else None)
            self._closed = True
            self._condition.notify_all()
            return None

    def repeat(self, ask: Ask, delay: float) -> None:
        """Ask this again once `delay` seconds are over; till then the app is asked for nothing else."""
        with self._condition:
            if ask.appid in self._days:
                self._again[ask.appid].append(replace(ask, attempt=ask.attempt + 1))
                until = self._clock() + delay
                self._rests_until[ask.appid] = max(until, self._rests_until.get(ask.appid, 0.0))
                self._enqueue(ask.appid)
                self._condition.notify_all()

    def stop(self, appid: str) -> None:
        """Ask for nothing more of this app."""
        with self._condition:
            self._days.pop(appid, None)
            self._condition.notify_all()

    def done(self) -> None:
        """An ask that was taken is dealt with."""
        with self._condition:
            self._under_way -= 1
            if not self._under_way:
                self._condition.notify_all()

    def close(self) -> None:
        """Hand out nothing more."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()

    def _next(self, now: float) -> Ask | None:
        while self._queue and (self._queue[0][0] <= now or self._queue[0][2] not in self._days):
            _, _, appid = heapq.heappop(self._queue)
            self._queued.discard(appid)
            if appid not in self._days:
                continue
            if self._rests_until.get(appid, -math.inf) > now:
                self._enqueue(appid)
                continue
            again = self._again[appid]
            day = None if again else next(self._days[appid], None)
            if again or day is not None:
                self._enqueue(appid)
                return again.pop() if day is None else Ask(appid, day)
        return None

    def _enqueue(self, appid: str) -> None:
        if appid not in self._queued:
            self._turns += 1
            self._queued.add(appid)
            when = max(self._clock(), self._rests_until.get(appid, 0.0))  # who has rested is not overtaken
            heapq.heappush(self._queue, (when, self._turns, appid))
