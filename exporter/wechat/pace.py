"""How fast calls leave: one limit for all threads."""

import threading
from collections.abc import Callable


class Pace:
    """Let at most `per_second` calls start each second, evenly spread; 0 means no limit.

    The limiters on offer count in windows and so let bursts through.
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
        """Return when the next call may start."""
        if not self._gap:
            return
        with self._lock:
            now = self._clock()
            start = max(self._next, now)
            self._next = start + self._gap
        if start > now:
            self._sleep(start - now)
