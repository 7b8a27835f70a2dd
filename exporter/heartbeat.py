"""How a thread shows that it lives: it says by when it will be heard of again."""

import math
from typing import Final

GRACE_SECONDS: Final = 60.0
"""How late a thread may be: a page of 100,000 apps on a busy machine takes its time."""


class Heartbeat:
    """One thread's sign of life; before the first one nothing is expected."""

    def __init__(self) -> None:
        self._due = math.inf

    def expect(self, now: float, seconds: float) -> None:
        """The thread will be heard of within that many seconds from `now` (monotonic)."""
        self._due = now + seconds + GRACE_SECONDS

    def late(self, now: float) -> bool:
        """Whether it should have been heard of."""
        return now > self._due
