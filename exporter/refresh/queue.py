"""The calls of one round, each from the time when it may start, and how many were answered how.

The order of the first calls comes from `plan.round_asks`.
"""

import heapq
import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable

from exporter.refresh.plan import Ask


class Queue:
    """Hands out asks to threads: first calls before retries and follow-ups, each not before its time.

    After `deadline` only first calls are handed out, so that the next round can start on time. `counts` has
    the answers by kind: `rows`, `quotas` or a reason; and apps that were not asked, `paused`.
    """

    def __init__(
        self,
        first: Iterable[Ask],
        deadline: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        self._deadline = deadline
        self._condition = threading.Condition()
        self._first = list(first)[::-1]
        self._later: list[tuple[float, int, Ask]] = []  # (when, order of arrival, ask)
        self._arrivals = 0
        self._under_way = 0
        self._pending = Counter(ask.key for ask in self._first)
        self._planned = set(self._pending)
        self._closed = False
        self.counts = Counter(paused=0, rows=0)
        self.overran = False
        """Whether the time was over before the last of the first calls was handed out."""

    @property
    def calls(self) -> int:
        """How many calls were answered."""
        return self.counts.total() - self.counts["paused"]

    def take(self) -> Ask | None:
        """Wait for the next ask and return it; None once the round is over. Call `done` for each."""
        with self._condition:
            while not self._closed:
                now = self._clock()
                if self._first:
                    self.overran = now >= self._deadline
                    self._under_way += 1
                    return self._first.pop()
                when = self._later[0][0] if self._later and now < self._deadline else math.inf
                if when <= now:
                    self._under_way += 1
                    return heapq.heappop(self._later)[2]
                if not self._under_way and when >= self._deadline:
                    break
                self._condition.wait(when - now if when < self._deadline else None)
            self._closed = True
            self._condition.notify_all()
            return None

    def add(self, ask: Ask, delay: float = 0.0) -> None:
        """Add an ask, to be made once `delay` seconds are over."""
        with self._condition:
            self._arrivals += 1
            self._pending[ask.key] += 1
            self._planned.add(ask.key)
            heapq.heappush(self._later, (self._clock() + delay, self._arrivals, ask))
            self._condition.notify()

    def join(self, ask: Ask) -> None:
        """Add an ask, unless the same is already waiting or under way."""
        if not self._pending[ask.key]:
            self.add(ask)

    def follow(self, ask: Ask) -> None:
        """Add an ask, unless the same was asked for in this round."""
        if ask.key not in self._planned:
            self.add(ask)

    def done(self, ask: Ask, kind: str = "") -> None:
        """End an ask that was taken; count it by what it brought, if anything."""
        with self._condition:
            if kind:
                self.counts[kind] += 1
            self._under_way -= 1
            self._pending[ask.key] -= 1
            if not self._under_way:
                self._condition.notify_all()

    def close(self) -> None:
        """End the round now."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()
