"""Beats of one exporter and of a fleet."""

import pytest

from exporter.refresh.rhythm import OwnRhythm, SharedRhythm, next_beat


class Clock:
    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("now", "beat"), [(100.0, 160), (100.5, 160), (159.9, 160), (160, 220), (290, 340), (1000, 1060)]
)
def test_beats_that_a_long_round_has_missed_are_left_out(now: float, beat: float) -> None:
    assert next_beat(100, 60, now) == beat


def test_the_first_round_of_its_own_begins_at_once_and_the_next_an_interval_after_that() -> None:
    clock, stopwatch = Clock(1_000_000.0), Clock(5.0)
    rhythm = OwnRhythm(clock, stopwatch)
    assert rhythm.begin(60) == 1_000_000.0
    stopwatch.now = 25.0
    rhythm.rest(60)
    assert rhythm.left(60) == 40


def test_an_interval_made_shorter_counts_from_now() -> None:
    stopwatch = Clock(0.0)
    rhythm = OwnRhythm(Clock(0.0), stopwatch)
    rhythm.begin(3600)
    rhythm.rest(3600)
    stopwatch.now = 10.0
    assert rhythm.left(30) == 30
    assert rhythm.left(3600) == 30  # a longer one from the next beat on


def test_exporters_of_a_fleet_have_their_beats_together_whenever_they_started() -> None:
    early, late = Clock(1_000_000.0), Clock(1_000_030.0)
    first, second = SharedRhythm(0.25, early), SharedRhythm(0.25, late)
    assert first.begin(60) == second.begin(60) == 999_975.0
    first.rest(60)
    second.rest(60)
    assert early.now + first.left(60) == late.now + second.left(60)


def test_a_clock_set_back_makes_no_exporter_of_a_fleet_wait_longer_than_an_interval() -> None:
    clock = Clock(1_000_000.0)
    rhythm = SharedRhythm(0.0, clock)
    rhythm.begin(60)
    rhythm.rest(60)
    clock.now -= 86_400
    assert clock.now + rhythm.left(60) == 1_000_020.0 - 86_400  # 1,000,020 is a whole minute
    clock.now += 20
    assert rhythm.left(60) <= 0  # it does come


def test_of_a_fleet_too_an_interval_made_shorter_counts_at_once() -> None:
    clock = Clock(1_000_000.0)
    rhythm = SharedRhythm(0.0, clock)
    rhythm.begin(3600)
    rhythm.rest(3600)
    assert rhythm.left(60) == 20
    assert rhythm.left(3600) == 20


def test_a_beat_that_is_reached_a_moment_early_is_waited_for() -> None:
    clock = Clock(1_199.999)
    rhythm = SharedRhythm(0.0, clock)
    assert rhythm.begin(60) == 1_140
    rhythm.rest(60)
    assert rhythm.left(60) == pytest.approx(0.001)
