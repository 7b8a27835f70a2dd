"""The calls of one round, in the order in which they may start."""

import heapq
import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable

from exporter.refresh.plan import Ask


class Queue:
    """Hands out asks to threads: first calls before retries and follow-ups, each not before its time.

    After `deadline` only first calls are handed out, so that the next round can start on time.
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
        self.overran = False
        """Whether the time was over before the last of the first calls was handed out."""

    @property
    def size(self) -> int:
        """How many asks wait for their turn."""
        with self._condition:
            return len(self._first) + len(self._later)

    def take(self) -> Ask | None:
        """The next ask, waiting for it; None once the round is over. Tell `done` of each."""
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
        """Ask this too, once `delay` seconds are over."""
        with self._condition:
            self._arrivals += 1
            self._pending[ask.key] += 1
            self._planned.add(ask.key)
            heapq.heappush(self._later, (self._clock() + delay, self._arrivals, ask))
            self._condition.notify()

    def join(self, ask: Ask) -> None:
        """Ask this too, unless the same is already waiting or under way."""
        if not self._pending[ask.key]:
            self.add(ask)

    def follow(self, ask: Ask) -> None:
        """Ask this too, unless the same was asked for in this round."""
        if ask.key not in self._planned:
            self.add(ask)

    def done(self, ask: Ask) -> None:
        """An ask that was taken is dealt with."""
        with self._condition:
            self._under_way -= 1
            self._pending[ask.key] -= 1
            if not self._under_way:
                self._condition.notify_all()

    def close(self) -> None:
        """End the round now."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()
