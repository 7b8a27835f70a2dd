"""The progress of a backfill, with rate and time left: a bar on a terminal, elsewhere periodic log lines."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, TextIO

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn
from structlog.typing import FilteringBoundLogger

from exporter.config.durations import written

LINE_SECONDS: Final = 10.0  # seconds between two log lines


class ProgressLog:
    """Logs the progress every LINE_SECONDS; safe to use from many threads. `clock` is in seconds."""

    def __init__(self, total: int, log: FilteringBoundLogger, clock: Callable[[], float]) -> None:
        self._total = total
        self._log = log
        self._clock = clock
        self._start = self._logged_at = clock()
        self._done = 0
        self._lock = threading.Lock()

    def answered(self) -> None:
        """Count an answered date; log a line if it is time."""
        with self._lock:
            self._done += 1
            now = self._clock()
            if now - self._logged_at >= LINE_SECONDS:
                self._logged_at = now
                rate = self._done / (now - self._start)
                left = written(round((self._total - self._done) / rate))
                self._log.info(
                    "asking", done=self._done, of=self._total, per_second=round(rate, 1), time_left=left
                )


@contextmanager
def bar(total: int, stream: TextIO) -> Iterator[Callable[[], None]]:
    """Draw a bar on a terminal; output to sys.stderr appears above it.

    Yields the function to call after each answered date.
    """
    columns = (*Progress.get_default_columns(), MofNCompleteColumn(), TextColumn("{task.fields[rate]}"))
    with Progress(*columns, console=Console(file=stream)) as progress:
        task = progress.add_task("asking WeChat", total=total, rate="")

        def answered() -> None:
            progress.advance(task)
            speed = progress.tasks[0].speed
            progress.update(task, rate=f"{speed:.0f}/s" if speed else "")

        yield answered
