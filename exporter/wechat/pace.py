"""The pace: how many calls per second go to WeChat at most."""

import threading
from collections.abc import Callable


class Pace:
    """A limit of `per_second` calls per second, evenly spread; 0 means no limit.

    Libraries' limiters count in windows, and so allow bursts.
    """

    def __init__(
        self, per_second: float, clock: Callable[[], float], sleep: Callable[[float], object]
    ) -> None:
        self._gap = 1 / per_second if per_second else 0.0
        self._clock = clock
        self._sleep = sleep
        self._next = clock()
        self._lock = threading.Lock()

    def wait(self) -> None:
        """Wait until the next call may start."""
        if not self._gap:
            return
        with self._lock:
            now = self._clock()
            start = max(self._next, now)
            self._next = start + self._gap
        if start > now:
            self._sleep(start - now)
