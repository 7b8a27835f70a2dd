from logging import WARNING
from typing import Any

from structlog.typing import FilteringBoundLogger

from exporter.web.throttled_log import ThrottledLog


def test_a_kind_of_line_is_written_once_a_minute_with_the_number_of_those_left_out(
    log: FilteringBoundLogger, events: list[Any]
) -> None:
    now = [0.0]
    throttled = ThrottledLog(log, lambda: now[0])
    for _ in range(5):
        throttled.write(WARNING, "client certificate refused", client="10.0.0.66")
    throttled.write(WARNING, "push refused", about="main", platform="main")
    throttled.write(WARNING, "push refused", about="main", platform="main")
    throttled.write(WARNING, "push refused", about="other", platform="other")
    now[0] = 61
    throttled.write(WARNING, "client certificate refused", client="10.0.0.66")
    assert [(each["event"], each.get("left_out")) for each in events] == [
        ("client certificate refused", None),
        ("push refused", None),
        ("push refused", None),
        ("client certificate refused", 4),
    ]
