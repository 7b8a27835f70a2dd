"""A moment to wait for by a clock that may be wrong."""

from dataclasses import dataclass
from typing import Final, Self

_MOST_DOUBLINGS: Final = 60  # longer than any wait
_TOLERANCE: Final = 60.0
"""How far, in seconds, a clock may be set back without ending a wait."""


@dataclass(frozen=True, slots=True)
class NotBefore:
    """A Unix time, and the most seconds that it can lie ahead.

    One that lies further ahead was made by a fast clock, and counts as reached.
    """

    at: float
    span: float

    @classmethod
    def until(cls, at: float, now: float) -> Self:
        """Return the wait from `now` until `at` (Unix times)."""
        return cls(at, max(at - now, 0.0))

    @classmethod
    def after(cls, seconds: float, now: float) -> Self:
        """Return the wait of `seconds` from `now` (Unix time)."""
        return cls.until(now + seconds, now)

    def left(self, now: float) -> float:
        """Return the seconds left to wait; 0 once the wait is over."""
        ahead = self.at - now
        return ahead if 0 < ahead <= self.span + _TOLERANCE else 0.0

    def reached(self, now: float) -> bool:
        """Return whether the wait is over."""
        return self.left(now) == 0


def back_off(first: float, failures: int, longest: float) -> float:
    """Return the seconds to wait after `failures` in a row: `first`, doubled by each, up to `longest`."""
    return min(first * 2.0 ** min(failures - 1, _MOST_DOUBLINGS), longest)


AT_ONCE: Final = NotBefore(0.0, 0.0)
"""No wait at all."""
