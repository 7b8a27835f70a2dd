"""A moment to wait for, by a clock that may be set."""


class NotBefore:
    """A moment to wait for. One further ahead than it was ever set is of a wrong clock: it has come."""

    def __init__(self) -> None:
        self._at = self._span = 0.0

    def set(self, now: float, seconds: float) -> None:
        """Wait so long from now."""
        self._at, self._span = now + seconds, seconds

    def left(self, now: float) -> float:
        """Seconds to wait; 0 once it has come."""
        left = self._at - now
        return left if 0 < left <= self._span else 0.0
