"""The periods of WeChat's figures: days, weeks from Monday to Sunday, calendar months."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Final, Protocol

from exporter.beijing import midnight, wire_date

_MONDAY: Final = 0
_SUNDAY: Final = 6


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """The dates from `first` to `last`, both included; `first` is its key in storage and in labels."""

    first: date
    last: date

    @property
    def start(self) -> int:
        """Return the Unix time of 00:00 Beijing of the first day."""
        return midnight(self.first)

    @property
    def end(self) -> int:
        """Return the Unix time of 00:00 Beijing after the last day, when the period is over."""
        return midnight(self.last + timedelta(days=1))

    def __str__(self) -> str:
        """Write the period for people: `2026-11-23`, `2026-11-16 to 2026-11-22`."""
        return f"{self.first}" if self.first == self.last else f"{self.first} to {self.last}"


class Calendar(Protocol):
    """A division of time into periods."""

    @property
    def name(self) -> str:
        """Return the English noun: day, week, month."""

    def starting(self, first: date) -> Period:
        """Return the period that begins on `first`; raise ValueError if none does."""

    def newest(self, yesterday: date) -> Period:
        """Return the last period that is over at the end of `yesterday`."""

    def earlier(self, period: Period, back: int = 1) -> Period:
        """Return the period `back` periods before."""

    def written(self, period: Period) -> str:
        """Return the period as WeChat writes its ref_date."""


@lru_cache(maxsize=4096)
def _period(first: date, last: date) -> Period:
    """Return the period, as an object that the rows of all apps share."""
    return Period(first, last)


class _Day:
    name = "day"

    def starting(self, first: date) -> Period:
        return _period(first, first)

    def newest(self, yesterday: date) -> Period:
        return _period(yesterday, yesterday)

    def earlier(self, period: Period, back: int = 1) -> Period:
        return self.starting(period.first - timedelta(days=back))

    def written(self, period: Period) -> str:
        return wire_date(period.first)


class _Week:
    name = "week"

    def starting(self, first: date) -> Period:
        if first.weekday() != _MONDAY:
            raise ValueError(f"{first} is no Monday")
        return _period(first, first + timedelta(days=6))

    def newest(self, yesterday: date) -> Period:
        sunday = yesterday - timedelta(days=(yesterday.weekday() - _SUNDAY) % 7)
        return _period(sunday - timedelta(days=6), sunday)

    def earlier(self, period: Period, back: int = 1) -> Period:
        return self.starting(period.first - timedelta(weeks=back))

    def written(self, period: Period) -> str:
        return f"{wire_date(period.first)}-{wire_date(period.last)}"


class _Month:
    name = "month"

    def starting(self, first: date) -> Period:
        if first.day != 1:
            raise ValueError(f"{first} is no first of a month")
        return _period(first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1))

    def newest(self, yesterday: date) -> Period:
        today = yesterday + timedelta(days=1)
        return self.earlier(self.starting(today.replace(day=1)))

    def earlier(self, period: Period, back: int = 1) -> Period:
        months = period.first.year * 12 + period.first.month - 1 - back
        return self.starting(date(months // 12, months % 12 + 1, 1))

    def written(self, period: Period) -> str:
        return f"{period.first:%Y%m}"


DAY: Final[Calendar] = _Day()
WEEK: Final[Calendar] = _Week()
MONTH: Final[Calendar] = _Month()
