"""Which call may start next: every app a lane of its own, so that one in trouble holds up no other.

Calls of one app follow each other newest date first; apps take turns and share the threads evenly, as
one whose calls hang would soon hold them all. A lane rests as a whole after a failure that a pause may
mend, and what failed is asked for again before its other dates. Dates are drawn from the journal one by
one: the memory needed does not grow with them.
"""

import heapq
import math
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date

from exporter.refresh.plan import Ask


class Lanes:
    """Hands out asks to threads; each taken ask is answered with `done`."""

    def __init__(self, days: Mapping[str, Iterator[date]], threads: int, clock: Callable[[], float]) -> None:
        """Begin with these apps' dates for so many threads; `clock` gives seconds that never jump."""
        self._clock = clock
        self._threads = threads
        self._condition = threading.Condition()
        self._days = dict(days)
        self._again: dict[str, list[Ask]] = {appid: [] for appid in days}
        self._rests_until: dict[str, float] = {}
        self._turns = len(self._days)
        self._queue = [(-math.inf, turn, appid) for turn, appid in enumerate(self._days)]  # a heap by now
        self._queued = set(self._days)
        self._going = set(self._days)  # those that have, as far as is known, something left to ask
        self._under_way: Counter[str] = Counter()
        self._closed = False

    def take(self) -> Ask | None:
        """The next ask, waiting for it; None once there is nothing left to ask or all is closed."""
        with self._condition:
            while not self._closed:
                now = self._clock()
                if (ask := self._next(now)) is not None:
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
                self._going.add(ask.appid)
                self._enqueue(ask.appid)
                self._condition.notify_all()

    def stop(self, appid: str) -> None:
        """Ask for nothing more of this app."""
        with self._condition:
            self._days.pop(appid, None)
            self._leave(appid)
            self._condition.notify_all()

    def done(self, ask: Ask) -> None:
        """An ask that was taken is dealt with."""
        with self._condition:
            self._under_way -= Counter((ask.appid,))  # leaves out what is 0
            if ask.appid in self._going:
                self._enqueue(ask.appid)
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
                self._under_way[appid] += 1
                if self._under_way[appid] < self._share():
                    self._enqueue(appid)
                return again.pop() if day is None else Ask(appid, day)
            self._leave(appid)
        return None

    def _share(self) -> int:
        """How many calls of one app may be under way."""
        return max(1, self._threads // max(1, len(self._going)))

    def _leave(self, appid: str) -> None:
        """One app less: should that make the others' share larger, they may have more calls at once."""
        before = self._share()
        self._going.discard(appid)
        if self._share() > before:
            for other in self._going:
                self._enqueue(other)

    def _enqueue(self, appid: str) -> None:
        if appid not in self._queued:
            self._turns += 1
            self._queued.add(appid)
            when = max(self._clock(), self._rests_until.get(appid, 0.0))  # who has rested is not overtaken
            heapq.heappush(self._queue, (when, self._turns, appid))
