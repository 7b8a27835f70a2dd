"""The progress of a backfill: periodic log lines with rate and time left."""

import threading
from collections.abc import Callable
from typing import Final

from structlog.typing import FilteringBoundLogger

from exporter.config.durations import written

LINE_SECONDS: Final = 10.0  # seconds between two log lines


class ProgressLog:
    """Logs the progress every LINE_SECONDS; safe to use from many threads. `clock` is in seconds."""

    def __init__(self, total: int, log: FilteringBoundLogger, clock: Callable[[], float]) -> None:
        self._total = total
        self._log = log
        self._clock = clock
        self._start = self._told = clock()
        self._done = 0
        self._lock = threading.Lock()

    def answered(self) -> None:
        """Count an answered date; log a line if it is time."""
        with self._lock:
            self._done += 1
            now = self._clock()
            if now - self._told >= LINE_SECONDS:
                self._told = now
                rate = self._done / (now - self._start)
                left = written(round((self._total - self._done) / rate))
                self._log.info(
                    "asking", done=self._done, of=self._total, per_second=round(rate, 1), time_left=left
                )
