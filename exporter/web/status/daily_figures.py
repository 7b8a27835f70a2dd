"""The daily trend for people: figures, their changes, and their delay."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from exporter.beijing import yesterday
from exporter.datasets.daily_trend import FIELDS, figure_of
from exporter.datasets.dataset import Row
from exporter.datasets.field import Field
from exporter.store.entry import Entry
from exporter.web.status.language import Language

DASH: Final = "–"
"""The text for a missing figure."""

PUBLISHED_BY: Final = 12 * 3600.0
"""Second of the day after which yesterday's figures are late: WeChat has them in the morning."""

_DAY: Final = timedelta(days=1)
_WEEK: Final = timedelta(days=7)
_EXACT_BELOW: Final = 99.95  # percent; from here on decimals are insignificant


@dataclass(frozen=True, slots=True)
class Change:
    """A change in percent; `trend` is `up`, `down`, `same`, or `none` without a comparison."""

    text: str
    trend: str


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of the newest row, with its changes since the day before and a week before."""

    name: str
    text: str
    day: Change
    week: Change


_NO_CHANGE_KNOWN: Final = Change(DASH, "none")


def figures(entry: Entry, language: Language) -> tuple[Figure, ...]:
    """Return the figures of the newest row of an app with rows, in the order of FIELDS."""
    newest = entry.rows[0].row
    day, week = entry.row(newest.ref_date - _DAY), entry.row(newest.ref_date - _WEEK)
    return tuple(
        Figure(
            field.name,
            written(field, figure_of(newest, field.name), language),
            change(newest, day, field),
            change(newest, week, field),
        )
        for field in FIELDS
    )


def days_late(entry: Entry, now: float) -> int:
    """Return the days by which the newest row lags behind WeChat's usual one at the Unix time `now`."""
    if not entry.rows:
        return 0
    return max(0, (yesterday(now - PUBLISHED_BY) - entry.rows[0].row.ref_date).days)


def written(field: Field, value: float | None, language: Language) -> str:
    """Write a value with its unit: `12,345`, `45.3 s`, `2:05`, `1:02:03`, `2.57`."""
    if value is None:
        return DASH
    if field.unit == "seconds":
        return _duration(value, language)
    return f"{value:,.0f}" if field.integral else f"{value:,.2f}"


def change(newer: Row, older: Row | None, field: Field) -> Change:
    """Return the change in percent of the older value, `none` if one is missing or the older is 0."""
    value, base = figure_of(newer, field.name), figure_of(older, field.name) if older is not None else None
    if value is None or not base:
        return _NO_CHANGE_KNOWN
    percent = (value - base) / base * 100
    size = abs(percent)
    digits = f"{size:.1f}" if size < _EXACT_BELOW else f"{size:,.0f}"
    if digits == "0.0":
        return Change("0.0%", "same")
    return Change(f"+{digits}%", "up") if percent > 0 else Change(f"−{digits}%", "down")


def _duration(seconds: float, language: Language) -> str:
    if round(seconds, 1) < 60:  # noqa: PLR2004 - a minute
        return language.text("unit.seconds", value=f"{seconds:.1f}")
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:,}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
