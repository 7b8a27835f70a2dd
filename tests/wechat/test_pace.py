import pytest

from exporter.wechat.pace import Pace


class Time:
    """A clock that only sleeping moves on."""

    def __init__(self) -> None:
        self.now = 100.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def time() -> Time:
    return Time()


def test_calls_start_evenly_spread(time: Time) -> None:
    pace = Pace(4, time.clock, time.sleep)
    starts = []
    for _ in range(5):
        pace.wait()
        starts.append(time.now - 100)
    assert starts == [0, 0.25, 0.5, 0.75, 1.0]


def test_an_idle_time_is_no_credit_for_a_burst(time: Time) -> None:
    pace = Pace(4, time.clock, time.sleep)
    pace.wait()
    time.now += 60
    pace.wait()
    pace.wait()
    assert time.slept == [0.25]


def test_no_limit_never_sleeps(time: Time) -> None:
    pace = Pace(0, time.clock, time.sleep)
    for _ in range(100):
        pace.wait()
    assert time.slept == []
