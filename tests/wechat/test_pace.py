import pytest

from exporter.wechat.pace import Pace
from tests.wechat.lines import Clock


@pytest.mark.parametrize(
    ("per_second", "idle", "expected"),
    [(4, [0, 0, 0, 0], [0.25] * 4), (4, [60, 0], [0.25]), (0, [0] * 100, [])],
    ids=["evenly spread", "an idle time is no credit for a burst", "no limit"],
)
def test_calls_wait_for_their_turn(per_second: float, idle: list[float], expected: list[float]) -> None:
    clock, slept = Clock(100.0), []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock.now += seconds

    pace = Pace(per_second, clock, sleep)
    pace.wait()
    for seconds in idle:
        clock.now += seconds
        pace.wait()
    assert slept == expected
