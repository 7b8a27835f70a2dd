"""The queue of a round: its calls with their earliest times, and the counts of answers.

`plan.round_asks` gives the order of the first calls.
"""

import heapq
import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable

from exporter.refresh.plan import Ask


class Queue:
    """Hands asks to threads: first calls before retries and follow-ups, none before its time.

    After `deadline` it hands out only first calls, so that the next round can start on time. `counts` maps
    kinds to numbers of answers: `rows`, `quotas`, a reason, or `paused` for apps that were not asked.
    """

    def __init__(
        self, first: Iterable[Ask], deadline: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._deadline = deadline
        self._condition = threading.Condition()
        self._first = list(first)[::-1]
        self._later: list[tuple[float, int, Ask]] = []  # (earliest time, order of arrival, ask)
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
        """Return the number of answered calls."""
        return self.counts.total() - self.counts["paused"]

    def take(self) -> Ask | None:
        """Wait for the next ask and return it, to end it by `done`; return None once the round is over."""
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
            self.close()
            return None

    def add(self, ask: Ask, delay: float = 0.0) -> None:
        """Add an ask whose call may start in `delay` seconds."""
        with self._condition:
            self._arrivals += 1
            self._pending[ask.key] += 1
            self._planned.add(ask.key)
            heapq.heappush(self._later, (self._clock() + delay, self._arrivals, ask))
            self._condition.notify()

    def join(self, ask: Ask) -> None:
        """Add an ask, unless an equal one is waiting or under way."""
        if not self._pending[ask.key]:
            self.add(ask)

    def follow(self, ask: Ask) -> None:
        """Add an ask, unless this round has had an equal one."""
        if ask.key not in self._planned:
            self.add(ask)

    def done(self, ask: Ask, kind: str = "") -> None:
        """End a taken ask and count it by the kind of its answer, '' for none."""
        with self._condition:
            if kind:
                self.counts[kind] += 1
            self._under_way -= 1
            self._pending[ask.key] -= 1
            if not self._under_way:
                self._condition.notify_all()

    def close(self) -> None:
        """End the round at once."""
        with self._condition:
            self._closed = True
            self._condition.notify_all()
