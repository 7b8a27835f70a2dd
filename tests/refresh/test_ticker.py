from exporter.refresh.rounds import Ticker
from tests.wechat.lines import Clock


def ticker() -> tuple[Ticker, Clock]:
    clock = Clock()
    return Ticker(clock), clock


def test_the_first_round_begins_at_once() -> None:
    rounds, _ = ticker()
    assert rounds.left(60) == 0


def test_rounds_begin_one_interval_apart_however_long_they_take() -> None:
    rounds, clock = ticker()
    for seconds in (1, 30, 59):
        clock.now += seconds
        rounds.end_round(60)
        assert rounds.left(60) == 60 - seconds
        clock.now += 60 - seconds
        assert rounds.left(60) == 0


def test_a_round_longer_than_the_interval_leaves_out_the_starts_that_it_missed() -> None:
    rounds, clock = ticker()
    clock.now += 130
    rounds.end_round(60)
    assert rounds.left(60) == 50


def test_a_shorter_interval_counts_from_now() -> None:
    rounds, clock = ticker()
    rounds.end_round(3600)
    clock.now += 5
    assert rounds.left(60) == 60
