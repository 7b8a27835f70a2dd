"""The conditions of the simulated WeChat, and its clock, which tests and demos may move."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final


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


@dataclass(frozen=True, slots=True)
class Conditions:
    """The behaviour of the simulated WeChat towards all apps.

    `latency_seconds`: wait before every answer. `slow_seconds`: additional wait for a slow app.
    `drip_seconds`: wait between the bytes of a dripping answer. `always_published`: yesterday is available at
    any hour. `time_source` returns Unix time. `hosting_appid`: the account whose cloud hosting makes calls
    without a token.
    """

    latency_seconds: float = 0.0
    slow_seconds: float = 5.0
    drip_seconds: float = 1.0
    always_published: bool = False
    time_source: Callable[[], float] = time.time
    hosting_appid: str = ""


USUAL: Final = Conditions()
