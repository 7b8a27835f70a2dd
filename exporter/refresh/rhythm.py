"""When rounds begin: on a steady beat, of this exporter's own or one that a fleet has in common."""

import math
import time
from collections.abc import Callable
from typing import Protocol


class Rhythm(Protocol):
    """Used by one thread."""

    def begin(self, interval: float) -> float:
        """A round begins; returns since when (Unix time) an app that was asked counts as asked in it."""

    def rest(self, interval: float) -> None:
        """The round is over; beats that it has missed are left out."""

    def left(self, interval: float) -> float:
        """Seconds until the next round begins; an interval made shorter counts from now."""


class OwnRhythm:
    """The first round begins at once; a jump of the clock moves none."""

    def __init__(self, clock: Callable[[], float], stopwatch: Callable[[], float] = time.monotonic) -> None:
        """`clock` gives Unix time, `stopwatch` seconds that never jump."""
        self._clock = clock
        self._stopwatch = stopwatch
        self._beat = stopwatch()

    def begin(self, interval: float) -> float:  # noqa: ARG002 - the beat is the moment itself
        """Now."""
        return self._clock()

    def rest(self, interval: float) -> None:
        """Until the first beat after now."""
        self._beat = next_beat(self._beat, interval, self._stopwatch())

    def left(self, interval: float) -> float:
        """Until that beat."""
        now = self._stopwatch()
        self._beat = min(self._beat, now + interval)
        return self._beat - now


class SharedRhythm:
    """Beats at the same moments for all of a fleet: whoever takes over knows what was asked already."""

    def __init__(self, phase: float, clock: Callable[[], float]) -> None:
        """`phase`: at which part of the interval, from 0 to 1, its beats are."""
        self._phase = phase
        self._clock = clock
        self._next = 0.0

    def begin(self, interval: float) -> float:
        """The newest beat."""
        return self._after(interval) - interval

    def rest(self, interval: float) -> None:
        """Until the first beat after now."""
        self._next = self._after(interval)

    def left(self, interval: float) -> float:
        """Until that beat; a clock that was set back leaves no beat more than an interval away."""
        left = self._next - self._clock()
        if left > interval:
            self._next = self._after(interval)
            left = self._next - self._clock()
        return left

    def _after(self, interval: float) -> float:
        return next_beat(self._phase * interval, interval, self._clock())


def next_beat(beat: float, interval: float, now: float) -> float:
    """The first beat of the rhythm after `now`."""
    return beat + interval * (math.floor((now - beat) / interval) + 1)
