"""The periods of a backfill, and their notation on the command line."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from exporter.beijing import DAY_SECONDS, midnight, yesterday
from exporter.datasets.period import DAY, Calendar

_BACK: Final = re.compile(r"([0-9]{1,6})d")
_HOURS: Final = 8  # Beijing hour of the next day by which WeChat has published most rows


class SpanError(ValueError):
    """The dates cannot be asked for; the text says which can."""


@dataclass(frozen=True, slots=True)
class Span:
    """All periods from the one that begins on `first` to the one that ends on `last`."""

    first: date
    last: date
    calendar: Calendar = DAY

    @property
    def periods(self) -> int:
        """Return the number of periods."""
        return sum(1 for _ in self.newest_first())

    def newest_first(self) -> Iterator[date]:
        """Yield the periods' first days, newest first: should the quota end, the newest matter most."""
        period = self.calendar.newest(self.last)
        while period.first > self.first:
            yield period.first
            period = self.calendar.earlier(period)
        if period.first == self.first:
            yield period.first


def read_span(first: str, last: str, now: float, calendar: Calendar = DAY) -> Span:
    """Return the periods of a dataset's calendar that lie wholly within `--from` and `--to`.

    Each is `2026-01-31`, or `60d`: that many days before today (Beijing); `last` may be `yesterday`.

    Raises:
        SpanError: not dates, in the wrong order, too recent for WeChat, or without a whole period.
    """
    newest = yesterday(now)
    begin = _read("--from", first, newest)
    end = newest if last == "yesterday" else _read("--to", last, newest)
    if end > newest:
        raise SpanError(f"--to {end}: WeChat answers up to yesterday, {newest} (Beijing)")
    if begin > end:
        raise SpanError(f"--from {begin} is after --to {end}")
    firsts = list(Span(begin, end, calendar).newest_first())
    if not firsts:
        raise SpanError(f"no whole {calendar.name} lies between --from {begin} and --to {end}")
    return Span(firsts[-1], calendar.newest(end).last, calendar)


def shown_from(day: date) -> int:
    """Return the Unix time from which a date counts as published: 08:00 Beijing of the day after."""
    return midnight(day) + DAY_SECONDS + _HOURS * 3600


def _read(flag: str, text: str, newest: date) -> date:
    try:
        if back := _BACK.fullmatch(text):
            return newest - timedelta(days=int(back[1]) - 1)
        return date.fromisoformat(text)
    except (ValueError, OverflowError):
        raise SpanError(
            f"{flag} {text}: not a date such as {newest}, nor a number of days back such as 60d"
        ) from None
