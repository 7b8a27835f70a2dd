"""The simulator's clock, which tests and demos may move."""

from collections.abc import Callable


class Clock:
    """A source of Unix time plus a shift.

    With `time.time` as its source the clock runs; with a constant source it stands still between moves.
    """

    def __init__(self, source: Callable[[], float]) -> None:
        self._source = source
        self._shift = 0.0

    def now(self) -> float:
        """Return the Unix time."""
        return self._source() + self._shift

    def set(self, now: float) -> None:
        """Set the clock to `now` (Unix time), from where it continues."""
        self._shift = now - self._source()

    def advance(self, seconds: float) -> None:
        """Move the clock by `seconds`, back if negative."""
        self._shift += seconds
