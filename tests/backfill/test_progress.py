import io
from typing import Any

from structlog.typing import FilteringBoundLogger

from exporter.backfill.progress import ProgressLog, bar


def test_a_periodic_line_has_rate_and_time_left(log: FilteringBoundLogger, events: list[Any]) -> None:
    seconds = 0.0

    def clock() -> float:
        return seconds

    lines = ProgressLog(1000, log, clock)
    for _ in range(100):
        seconds += 0.25
        lines.answered()
    assert [event["event"] for event in events] == ["asking", "asking"]
    report = [(event["done"], event["of"], event["per_second"], event["time_left"]) for event in events]
    assert report == [(40, 1000, 4.0, "4m"), (80, 1000, 4.0, "3m50s")]


def test_the_bar_reaches_its_end() -> None:
    stream = io.StringIO()
    stream.isatty = lambda: True  # type: ignore[method-assign]
    with bar(3, stream) as answered:
        for _ in range(3):
            answered()
    assert "3/3" in stream.getvalue()
    assert "100%" in stream.getvalue()
