import io
from typing import Any

from structlog.typing import FilteringBoundLogger

from exporter.backfill.progress import Lines, bar


def test_a_line_now_and_then_tells_rate_and_time_left(log: FilteringBoundLogger, events: list[Any]) -> None:
    seconds = 0.0

    def clock() -> float:
        return seconds

    lines = Lines(1000, log, clock)
    for _ in range(100):
        seconds += 0.25
        lines.answered()
    assert events == [
        {"event": "asking", "log_level": "info", "done": 40, "of": 1000, "per_second": 4.0, "time_left": "4m"},
        {"event": "asking", "log_level": "info", "done": 80, "of": 1000, "per_second": 4.0, "time_left": "3m50s"},
    ]  # fmt: skip


def test_the_bar_reaches_its_end() -> None:
    stream = io.StringIO()
    stream.isatty = lambda: True  # type: ignore[method-assign]
    with bar(3, stream) as answered:
        for _ in range(3):
            answered()
    assert "3/3" in stream.getvalue()
    assert "100%" in stream.getvalue()
