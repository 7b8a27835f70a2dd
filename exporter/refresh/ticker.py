"""When rounds begin: one interval apart, whatever happens to the clock."""

import math
import time
from collections.abc import Callable


class Ticker:
    """Used by one thread. The first round begins at once."""

    def __init__(self, stopwatch: Callable[[], float] = time.monotonic) -> None:
        """`stopwatch` gives seconds that never jump."""
        self._stopwatch = stopwatch
        self._next = stopwatch()

    def end_round(self, interval: float) -> None:
        """End a round: the next one begins with the interval; starts that were missed are left out."""
        missed = math.floor((self._stopwatch() - self._next) / interval)
        self._next += interval * (missed + 1)

    def left(self, interval: float) -> float:
        """Return the seconds until the next round; an interval made shorter counts from now."""
        now = self._stopwatch()
        self._next = min(self._next, now + interval)
        return self._next - now
