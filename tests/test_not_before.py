import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.not_before import AT_ONCE, NotBefore, back_off
from tests.building import NOON

DAY = 86_400.0
HOUR = NotBefore.until(NOON + 3600, NOON)


def test_a_wait_ends_at_its_moment() -> None:
    assert [HOUR.left(NOON + after) for after in (0, 3599, 3600, 7200)] == [3600, 1, 0, 0]


def test_a_wait_that_was_made_by_a_clock_a_day_ahead_is_over_once_the_clock_is_right() -> None:
    ahead = NotBefore.until(NOON + DAY + 3600, NOON + DAY)
    assert not ahead.reached(NOON + DAY)
    assert ahead.reached(NOON)


def test_a_clock_set_back_by_seconds_ends_no_wait() -> None:
    assert HOUR.left(NOON - 2) == 3602


def test_no_wait_is_over_whatever_the_clock_says() -> None:
    assert AT_ONCE.reached(NOON)


@given(st.floats(-1e9, 1e9), st.floats(-1e9, 1e9))
def test_no_wait_is_longer_than_it_was_meant_to_be(seconds: float, jump: float) -> None:
    assert NotBefore.until(NOON + seconds, NOON).left(NOON + jump) <= max(seconds, 0) + 60


@pytest.mark.parametrize(("failures", "seconds"), [(1, 30), (2, 60), (3, 120), (4, 200), (5000, 200)])
def test_waits_double_with_each_failure_up_to_the_longest(failures: int, seconds: float) -> None:
    assert back_off(30, failures, 200) == seconds
