"""A sign of life of a thread, which announces when it will beat again.

`Exporter.ailment` in service.py turns a late beat into the 503 of `/-/healthy`.
"""

import math
from typing import Final

GRACE_SECONDS: Final = 60.0
"""Seconds that a beat may be late: a page of 100,000 apps on a busy machine takes its time."""


class Heartbeat:
    """The sign of life of one thread; before its first beat it is never late."""

    def __init__(self) -> None:
        self._due = math.inf

    def expect(self, now: float, seconds: float) -> None:
        """Beat, and announce the next beat within `seconds` of `now` (monotonic)."""
        self._due = now + seconds + GRACE_SECONDS

    def late(self, now: float) -> bool:
        """Return whether a beat is overdue."""
        return now > self._due
