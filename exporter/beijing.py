"""WeChat's calendar: days begin at midnight in Beijing, whatever zone the machine is in."""

from datetime import date, datetime, timedelta, timezone
from typing import Final

BEIJING: Final = timezone(timedelta(hours=8), "Asia/Shanghai")  # no summer time since 1991
DAY_SECONDS: Final = 86_400


def wire_date(day: date) -> str:
    """Return a date as WeChat writes it: yyyymmdd."""
    return day.isoformat().replace("-", "")


def yesterday(now: float) -> date:
    """Return the newest date that WeChat answers for, at the Unix time `now`: yesterday in Beijing."""
    return datetime.fromtimestamp(now, BEIJING).date() - timedelta(days=1)


def window(newest: date, days: int) -> tuple[date, ...]:
    """Return the `days` dates that end with `newest`, newest first."""
    return tuple(newest - timedelta(days=back) for back in range(days))


def midnight(day: date) -> int:
    """Return the Unix time of 00:00 Beijing on that date."""
    return int(datetime(day.year, day.month, day.day, tzinfo=BEIJING).timestamp())


def next_midnight(now: float) -> int:
    """Return the Unix time of the next 00:00 Beijing after `now`."""
    return midnight(yesterday(now) + timedelta(days=2))


def next_month(now: float) -> int:
    """Return the Unix time of the next month's first 00:00 Beijing after `now`."""
    today = yesterday(now) + timedelta(days=1)
    return midnight((today.replace(day=1) + timedelta(days=32)).replace(day=1))


def beijing_text(at: float) -> str:
    """Write a Unix time for people: `2026-11-24 00:00 (Beijing)`."""
    return f"{datetime.fromtimestamp(at, BEIJING):%Y-%m-%d %H:%M} (Beijing)"
