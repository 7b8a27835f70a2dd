from datetime import date, datetime, time, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exporter.beijing import BEIJING
from exporter.datasets.period import DAY, MONTH, WEEK, Calendar, Period

CALENDARS = (DAY, WEEK, MONTH)
days = st.dates(date(1970, 1, 1), date(2100, 12, 31))
calendars = st.sampled_from(CALENDARS)


@pytest.mark.parametrize(
    ("calendar", "yesterday", "first", "last", "written"),
    [
        (DAY, date(2026, 11, 23), date(2026, 11, 23), date(2026, 11, 23), "20261123"),
        (WEEK, date(2026, 11, 22), date(2026, 11, 16), date(2026, 11, 22), "20261116-20261122"),
        (WEEK, date(2026, 11, 23), date(2026, 11, 16), date(2026, 11, 22), "20261116-20261122"),
        (WEEK, date(2026, 11, 28), date(2026, 11, 16), date(2026, 11, 22), "20261116-20261122"),
        (WEEK, date(2027, 1, 3), date(2026, 12, 28), date(2027, 1, 3), "20261228-20270103"),
        (WEEK, date(2028, 3, 5), date(2028, 2, 28), date(2028, 3, 5), "20280228-20280305"),
        (MONTH, date(2026, 11, 29), date(2026, 10, 1), date(2026, 10, 31), "202610"),
        (MONTH, date(2026, 11, 30), date(2026, 11, 1), date(2026, 11, 30), "202611"),
        (MONTH, date(2026, 12, 31), date(2026, 12, 1), date(2026, 12, 31), "202612"),
        (MONTH, date(2027, 1, 1), date(2026, 12, 1), date(2026, 12, 31), "202612"),
        (MONTH, date(2028, 2, 28), date(2028, 1, 1), date(2028, 1, 31), "202801"),
        (MONTH, date(2028, 2, 29), date(2028, 2, 1), date(2028, 2, 29), "202802"),
        (MONTH, date(2100, 2, 28), date(2100, 2, 1), date(2100, 2, 28), "210002"),
    ],
)
def test_the_newest_period_is_the_last_one_that_is_over(
    calendar: Calendar, yesterday: date, first: date, last: date, written: str
) -> None:
    period = calendar.newest(yesterday)
    assert period == Period(first, last)
    assert calendar.written(period) == written


UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@UNTIMED
@given(calendars, days)
def test_the_newest_period_is_over_and_the_next_one_is_not(calendar: Calendar, yesterday: date) -> None:
    newest = calendar.newest(yesterday)
    following = calendar.starting(newest.last + timedelta(days=1))
    assert newest.last <= yesterday < following.last
    assert calendar.earlier(following) == newest


@UNTIMED
@given(calendars, days, st.integers(0, 60), st.integers(0, 60))
def test_periods_follow_one_another_without_a_gap(
    calendar: Calendar, yesterday: date, back: int, more: int
) -> None:
    newest = calendar.newest(yesterday)
    period = calendar.earlier(newest, back)
    assert calendar.earlier(period, more) == calendar.earlier(newest, back + more)
    assert calendar.earlier(period).last == period.first - timedelta(days=1)
    assert (period < newest) == (back > 0)


@UNTIMED
@given(calendars, days)
def test_a_period_is_known_by_its_first_day(calendar: Calendar, yesterday: date) -> None:
    newest = calendar.newest(yesterday)
    assert calendar.starting(newest.first) == newest


@UNTIMED
@given(days)
def test_weeks_run_from_monday_to_sunday_and_months_from_the_first_to_the_last(yesterday: date) -> None:
    week, month = WEEK.newest(yesterday), MONTH.newest(yesterday)
    assert (week.first.isoweekday(), week.last.isoweekday(), (week.last - week.first).days) == (1, 7, 6)
    assert month.first.day == (month.last + timedelta(days=1)).day == 1
    assert month.first.month == month.last.month
    assert (month.first.year, month.first.month) == (month.last.year, month.last.month)


@UNTIMED
@given(calendars, days, days)
def test_two_periods_are_never_written_alike(calendar: Calendar, one: date, other: date) -> None:
    first, second = calendar.newest(one), calendar.newest(other)
    assert (calendar.written(first) == calendar.written(second)) == (first == second)


@UNTIMED
@given(calendars, st.dates(date(1971, 1, 1), date(2100, 12, 31)))
def test_a_period_begins_and_ends_at_beijings_midnights(calendar: Calendar, yesterday: date) -> None:
    newest = calendar.newest(yesterday)
    for stamp, day in ((newest.start, newest.first), (newest.end, newest.last + timedelta(days=1))):
        assert datetime.fromtimestamp(stamp, BEIJING) == datetime.combine(day, time.min, BEIJING)


@pytest.mark.parametrize(
    ("calendar", "first", "message"),
    [
        (WEEK, date(2026, 11, 24), "2026-11-24 is no Monday"),
        (MONTH, date(2026, 11, 2), "2026-11-02 is no first of a month"),
    ],
)
def test_a_day_inside_a_period_begins_none(calendar: Calendar, first: date, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        calendar.starting(first)
