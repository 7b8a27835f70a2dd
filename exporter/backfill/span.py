"""The dates that a backfill is about, and how they are told on the command line."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from exporter.trend import DAY_SECONDS, midnight, yesterday

_BACK: Final = re.compile(r"([0-9]{1,6})d")
_HOURS: Final = 8  # of the next day, Beijing time: WeChat has published most rows by then


class SpanError(ValueError):
    """The dates told cannot be asked for; the text says which can."""


@dataclass(frozen=True, slots=True)
class Span:
    """All dates from `first` to `last`, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many dates."""
        return (self.last - self.first).days + 1

    def newest_first(self) -> Iterator[date]:
        """The dates, beginning with the one that matters most should the quota end."""
        return (self.last - timedelta(days=back) for back in range(self.days))


def read_span(first: str, last: str, now: float) -> Span:
    """The span that the flags `--from` and `--to` tell.

    Args:
        first: `2026-01-31`, or `60d`: that many days before today (Beijing).
        last: the same, or `yesterday`.
        now: Unix time.

    Raises:
        SpanError: not dates, in the wrong order, or later than WeChat answers for.
    """
    newest = yesterday(now)
    begin = _read("--from", first, newest)
    end = newest if last == "yesterday" else _read("--to", last, newest)
    if end > newest:
        raise SpanError(f"--to {end}: WeChat answers up to yesterday, {newest} (Beijing)")
    if begin > end:
        raise SpanError(f"--from {begin} is after --to {end}")
    return Span(begin, end)


def shown_from(day: date) -> int:
    """Unix time from which a date counts as shown: 08:00 Beijing of the day after."""
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
