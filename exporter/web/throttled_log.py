"""A log for lines that strangers can cause: at most one a minute of each kind."""

import time
from collections import Counter
from collections.abc import Callable
from typing import Final

from structlog.typing import FilteringBoundLogger

EVERY_SECONDS: Final = 60.0


class ThrottledLog:
    """Writes lines and counts omitted ones, from any thread: only a count may be inexact.

    Lines with equal event and `about` are of one kind. There must be few kinds, so `about` must not contain
    names that strangers can make up.
    """

    def __init__(self, log: FilteringBoundLogger, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._clock = clock
        self._last: dict[tuple[str, str], float] = {}
        self._left_out: Counter[tuple[str, str]] = Counter()

    def write(self, level: int, event: str, about: str = "", **values: object) -> None:
        """Log an event, unless a line of its kind was written less than a minute ago."""
        kind, now = (event, about), self._clock()
        if kind in self._last and now - self._last[kind] < EVERY_SECONDS:
            self._left_out[kind] += 1
            return
        self._last[kind] = now
        left_out = self._left_out.pop(kind, 0)
        self._log.log(level, event, **values, **({"left_out": left_out} if left_out else {}))
