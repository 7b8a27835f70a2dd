"""Log lines that strangers can cause: at most one a minute of each kind."""

import time
from collections.abc import Callable
from typing import Final

from structlog.typing import FilteringBoundLogger

EVERY_SECONDS: Final = 60.0


class ThrottledLog:
    """Writes, and counts what it leaves out; for several threads, as only a count may be wrong."""

    def __init__(self, log: FilteringBoundLogger, clock: Callable[[], float] = time.monotonic) -> None:
        self._log = log
        self._clock = clock
        self._last: dict[str, float] = {}
        self._left_out: dict[str, int] = {}

    def warning(self, event: str, **values: object) -> None:
        """Warn of an event, unless a line about it was written less than a minute ago."""
        self._write(self._log.warning, event, values)

    def error(self, event: str, **values: object) -> None:
        """Log an event as an error, unless a line about it was written less than a minute ago."""
        self._write(self._log.error, event, values)

    def _write(self, write: Callable[..., object], event: str, values: dict[str, object]) -> None:
        now = self._clock()
        if event in self._last and now - self._last[event] < EVERY_SECONDS:
            self._left_out[event] = self._left_out.get(event, 0) + 1
            return
        self._last[event] = now
        left_out = self._left_out.pop(event, 0)
        write(event, **values, **({"left_out": left_out} if left_out else {}))
