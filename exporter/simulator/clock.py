"""The simulator's own time, which a test or a demo may move."""

from collections.abc import Callable


class Clock:
    """A source of Unix time plus a shift.

    With `time.time` as its source the clock runs; with a constant source it stands still between moves.
    """

    def __init__(self, source: Callable[[], float]) -> None:
        self._source = source
        self._shift = 0.0

    def now(self) -> float:
        """Unix time in seconds."""
        return self._source() + self._shift

    def set(self, now: float) -> None:
        """Make it `now` (Unix time); the source goes on from there."""
        self._shift = now - self._source()

    def advance(self, seconds: float) -> None:
        """Move the clock by `seconds`, back if negative."""
        self._shift += seconds
