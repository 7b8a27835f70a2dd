from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.refresh.plan import ASKS_IN_A_ROW, LOOKBACK_DAYS, Ask, asks_after, round_asks
from exporter.refresh.round_settings import RoundSettings
from exporter.store.entry import EmptyDate, Entry, Health, HeldRow
from exporter.wechat.failures.failure import Reason
from tests.building import NOON, YESTERDAY, make_entry, make_failure, make_row

NINE = RoundSettings(history_days=9, revisit_days=3)


def day(back: int) -> date:
    return YESTERDAY - timedelta(days=back)


def older(entry: Entry, settings: RoundSettings) -> list[Ask]:
    """Return the asks that follow the answer for yesterday's row."""
    return asks_after(Ask(entry.app.appid, YESTERDAY, newest=True), entry, NOON, settings)


def test_every_round_asks_for_yesterday_of_every_app_even_when_it_is_held() -> None:
    entries = [make_entry(1, [make_row()]), make_entry(2, [make_row()])]
    asks = [Ask(entry.app.appid, YESTERDAY, newest=True) for entry in entries]
    assert round_asks(entries, NOON, NINE) == asks


def test_apps_that_lack_yesterdays_row_are_asked_first() -> None:
    held, lacking = make_entry(1, [make_row()]), make_entry(2, [make_row(day(1))])
    asks = round_asks([held, lacking], NOON, NINE)
    assert [ask.appid for ask in asks] == [lacking.app.appid, held.app.appid]


def test_yesterday_is_beijings_whatever_utc_says() -> None:
    just_after_midnight = NOON - 12 * 3600
    assert round_asks([make_entry(1)], just_after_midnight - 1, NINE)[0].day == day(1)
    assert round_asks([make_entry(1)], just_after_midnight, NINE)[0].day == YESTERDAY


def test_apps_that_failed_last_time_wait_behind_the_healthy_ones() -> None:
    failing = make_entry(1, health=Health(last_refresh=NOON, failure=make_failure(Reason.TIMEOUT)))
    waiting = make_entry(2, health=Health(last_refresh=NOON, failure=make_failure(Reason.NOT_READY)))
    asks = round_asks([failing, waiting], NOON, NINE)
    assert [ask.appid for ask in asks] == [waiting.app.appid, failing.app.appid]


def test_missing_dates_of_the_window_are_asked_for_newest_first() -> None:
    entry = make_entry(1, [make_row(day(back)) for back in (0, 2, 3)])
    asks = older(entry, RoundSettings(history_days=6, revisit_days=0))
    assert [ask.day for ask in asks] == [day(1), day(4), day(5)]


def test_a_full_window_asks_for_nothing_more() -> None:
    entry = make_entry(1, [make_row(day(back)) for back in range(9)])
    assert older(entry, NINE) == []


def test_recent_dates_are_asked_for_again_once_a_beijing_day() -> None:
    entry = make_entry(1, [make_row(day(back)) for back in range(9)])
    fetched_before_midnight = replace(
        entry, rows=tuple(HeldRow(held.row, NOON - 13 * 3600) for held in entry.rows)
    )
    assert [ask.day for ask in older(fetched_before_midnight, NINE)] == [day(1), day(2)]
    fetched_after_midnight = replace(
        entry, rows=tuple(HeldRow(held.row, NOON - 12 * 3600) for held in entry.rows)
    )
    assert older(fetched_after_midnight, NINE) == []


def test_an_app_without_any_row_is_looked_up_further_back_than_a_window_of_one() -> None:
    asks = older(make_entry(1), RoundSettings(history_days=1, revisit_days=0))
    assert [(ask.day, ask.fallback) for ask in asks] == [
        (day(back), True) for back in range(1, LOOKBACK_DAYS)
    ]


def test_the_usual_window_needs_no_fallback() -> None:
    asks = older(make_entry(1), NINE)
    assert [(ask.day, ask.fallback) for ask in asks] == [(day(back), False) for back in range(1, 9)]


def test_old_dates_that_never_had_a_row_are_asked_for_once_a_day() -> None:
    settings = RoundSettings(history_days=7, revisit_days=0)
    asked_today = tuple(EmptyDate(day(back), ASKS_IN_A_ROW, NOON - 60) for back in range(1, 7))
    entry = replace(make_entry(1, [make_row()]), empty_dates=asked_today)
    assert [ask.day for ask in older(entry, settings)] == [day(1), day(2), day(3)]
    asked_yesterday = tuple(EmptyDate(day(back), ASKS_IN_A_ROW, NOON - 86_400) for back in range(1, 7))
    assert len(older(replace(entry, empty_dates=asked_yesterday), settings)) == 6
    asked_seldom = tuple(EmptyDate(day(back), ASKS_IN_A_ROW - 1, NOON - 60) for back in range(1, 7))
    assert len(older(replace(entry, empty_dates=asked_seldom), settings)) == 6


@pytest.mark.parametrize(("history", "revisit", "keep"), [(9, 3, 9), (1, 3, 3), (1, 0, 1)])
def test_rows_are_kept_as_long_as_they_are_shown_or_asked_for_again(
    history: int, revisit: int, keep: int
) -> None:
    assert RoundSettings(history, revisit).trend_days == keep


@given(
    held=st.sets(st.integers(0, 20)),
    history=st.integers(1, 15),
    revisit=st.integers(0, 15),
    age_hours=st.integers(0, 48),
)
def test_follow_ups_are_never_yesterday_never_the_future_and_never_twice(
    held: set[int], history: int, revisit: int, age_hours: int
) -> None:
    entry = make_entry(1, [make_row(day(back)) for back in sorted(held)])
    entry = replace(entry, rows=tuple(HeldRow(each.row, NOON - age_hours * 3600) for each in entry.rows))
    days = [ask.day for ask in older(entry, RoundSettings(history, revisit))]
    assert all(each < YESTERDAY for each in days)
    assert len(days) == len(set(days))
    missing = {day(back) for back in range(1, history)} - {day(back) for back in held}
    assert missing <= set(days)
