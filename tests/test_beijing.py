import time
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.beijing import (
    BEIJING,
    beijing_text,
    midnight,
    next_midnight,
    next_month,
    window,
    wire_date,
    yesterday,
)

DAY = date(2026, 11, 23)
days = st.dates(date(1971, 1, 1), date(2199, 12, 31))


def utc(moment: str) -> float:
    return datetime.fromisoformat(moment).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("now", "newest"),
    [
        ("2026-11-24T00:00", date(2026, 11, 23)),  # 08:00 Beijing
        ("2026-11-24T07:59", date(2026, 11, 23)),  # 15:59 Beijing, the same day
        ("2026-11-24T15:59:59.9", date(2026, 11, 23)),  # the last moment of the Beijing day
        ("2026-11-24T16:00", date(2026, 11, 24)),  # Beijing's midnight
        ("2026-11-24T23:59", date(2026, 11, 24)),
        ("2026-11-30T16:00", date(2026, 11, 30)),
        ("2026-11-30T15:59", date(2026, 11, 29)),
        ("2026-12-31T15:59", date(2026, 12, 30)),
        ("2026-12-31T16:00", date(2026, 12, 31)),
        ("2027-01-01T15:59", date(2026, 12, 31)),
        ("2028-02-29T15:59", date(2028, 2, 28)),
        ("2028-02-29T16:00", date(2028, 2, 29)),
        ("2027-02-28T16:00", date(2027, 2, 28)),
    ],
)
def test_yesterday_is_the_day_before_in_beijing(now: str, newest: date) -> None:
    assert yesterday(utc(now)) == newest


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai", "Pacific/Kiritimati", "America/Los_Angeles"])
def test_the_machines_zone_does_not_matter(zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.setenv("TZ", zone)
        time.tzset()
        assert yesterday(utc("2026-11-24T16:00")) == date(2026, 11, 24)
        assert midnight(date(2026, 11, 24)) == utc("2026-11-23T16:00")
        assert beijing_text(utc("2026-11-23T16:00")) == "2026-11-24 00:00 (Beijing)"
    time.tzset()


@pytest.mark.parametrize(
    ("now", "midnight_after", "month_after"),
    [
        ("2026-11-24T07:59", "2026-11-24T16:00", "2026-11-30T16:00"),
        ("2026-11-24T15:59:59.9", "2026-11-24T16:00", "2026-11-30T16:00"),
        ("2026-11-24T16:00", "2026-11-25T16:00", "2026-11-30T16:00"),
        ("2026-11-30T15:59", "2026-11-30T16:00", "2026-11-30T16:00"),
        ("2026-11-30T16:00", "2026-12-01T16:00", "2026-12-31T16:00"),
        ("2026-12-31T15:59", "2026-12-31T16:00", "2026-12-31T16:00"),
        ("2026-12-31T16:00", "2027-01-01T16:00", "2027-01-31T16:00"),
        ("2027-01-31T12:00", "2027-01-31T16:00", "2027-01-31T16:00"),
        ("2027-01-31T16:00", "2027-02-01T16:00", "2027-02-28T16:00"),
        ("2028-02-28T16:00", "2028-02-29T16:00", "2028-02-29T16:00"),
    ],
)
def test_quotas_come_back_at_beijings_midnights(now: str, midnight_after: str, month_after: str) -> None:
    assert next_midnight(utc(now)) == utc(midnight_after)
    assert next_month(utc(now)) == utc(month_after)


@given(day=days, seconds=st.integers(0, 86_399))
def test_each_moment_of_a_beijing_day_has_the_same_yesterday_and_midnights(day: date, seconds: int) -> None:
    now = midnight(day) + seconds
    assert yesterday(now) == day - timedelta(days=1)
    assert next_midnight(now) == midnight(day + timedelta(days=1))
    first = datetime.fromtimestamp(next_month(now), BEIJING)
    assert (first.day, first.hour, first.minute, first.second) == (1, 0, 0, 0)
    assert now < next_month(now) <= now + 31 * 86_400


@given(day=st.dates())
def test_dates_on_the_wire_have_eight_digits_and_read_back(day: date) -> None:
    assert len(wire_date(day)) == 8
    assert date.fromisoformat(wire_date(day)) == day


def test_a_window_is_its_newest_date_and_those_before_across_months_and_leap_days() -> None:
    assert window(date(2028, 3, 1), 3) == (date(2028, 3, 1), date(2028, 2, 29), date(2028, 2, 28))
    assert window(DAY, 1) == (DAY,)
    assert window(DAY, 0) == ()
