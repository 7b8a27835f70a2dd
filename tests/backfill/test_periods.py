from datetime import date

import pytest

from exporter.backfill.periods import Span, SpanError, read_span, shown_from
from exporter.beijing import midnight
from exporter.datasets.period import MONTH, WEEK, Calendar
from tests.building import NOON, YESTERDAY


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        ("2026-01-01", "yesterday", Span(date(2026, 1, 1), YESTERDAY)),
        ("2026-01-01", "2026-01-31", Span(date(2026, 1, 1), date(2026, 1, 31))),
        ("20260101", "20260101", Span(date(2026, 1, 1), date(2026, 1, 1))),
        ("1d", "yesterday", Span(YESTERDAY, YESTERDAY)),
        ("60d", "2d", Span(date(2026, 9, 25), date(2026, 11, 22))),
    ],
)
def test_a_date_is_given_as_such_or_in_days_back(first: str, last: str, expected: Span) -> None:
    assert read_span(first, last, NOON) == expected


@pytest.mark.parametrize(
    ("first", "last", "message"),
    [
        ("2026-02-30", "yesterday", "--from 2026-02-30: not a date such as 2026-11-23"),
        ("last week", "yesterday", "--from last week: not a date"),
        ("2026-01-01", "today", "--to today: not a date"),
        ("999999d", "yesterday", "--from 999999d: not a date"),
        ("740000d", "yesterday", "--from 740000d: not a date"),
        ("2026-01-01", "2026-11-24", "--to 2026-11-24: WeChat answers up to yesterday, 2026-11-23"),
        ("2026-01-02", "2026-01-01", "--from 2026-01-02 is after --to 2026-01-01"),
        ("0d", "yesterday", "--from 2026-11-24 is after --to 2026-11-23"),
    ],
)
def test_dates_that_wechat_does_not_answer_for_are_refused(first: str, last: str, message: str) -> None:
    with pytest.raises(SpanError, match=message):
        read_span(first, last, NOON)


def test_the_newest_date_comes_first() -> None:
    span = Span(date(2026, 2, 27), date(2026, 3, 1))
    assert span.periods == 3
    assert list(span.newest_first()) == [date(2026, 3, 1), date(2026, 2, 28), date(2026, 2, 27)]


def test_a_date_counts_as_shown_from_eight_the_next_morning() -> None:
    assert shown_from(YESTERDAY) == midnight(date(2026, 11, 24)) + 8 * 3600 == NOON - 4 * 3600


@pytest.mark.parametrize(
    ("calendar", "first", "last", "expected"),
    [
        (WEEK, "2026-11-01", "yesterday", Span(date(2026, 11, 2), date(2026, 11, 22), WEEK)),
        (WEEK, "2026-11-16", "2026-11-22", Span(date(2026, 11, 16), date(2026, 11, 22), WEEK)),
        (MONTH, "2026-01-15", "yesterday", Span(date(2026, 2, 1), date(2026, 10, 31), MONTH)),
    ],
)
def test_only_weeks_and_months_that_lie_within_the_dates_whole_are_asked_for(
    calendar: Calendar, first: str, last: str, expected: Span
) -> None:
    assert read_span(first, last, NOON, calendar) == expected


def test_dates_without_a_whole_week_are_refused() -> None:
    with pytest.raises(SpanError, match="no whole week lies between --from 2026-11-17 and --to 2026-11-23"):
        read_span("2026-11-17", "yesterday", NOON, WEEK)


def test_weeks_and_months_come_newest_first() -> None:
    months = Span(date(2025, 12, 1), date(2026, 2, 28), MONTH)
    assert list(months.newest_first()) == [date(2026, 2, 1), date(2026, 1, 1), date(2025, 12, 1)]
    assert months.periods == 3
    assert Span(date(2026, 11, 2), date(2026, 11, 22), WEEK).periods == 3
