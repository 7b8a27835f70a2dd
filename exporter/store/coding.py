"""Rows as texts, in every storage and in the backfill's journal, and one rule for what is read back.

A text is a JSON list of points; a point holds figures (numbers) and labels (texts) under their names. So a
new figure, label or dataset changes no table, and an old row never shows a figure under another's name.
"""

import json
import math
from collections.abc import Callable, Iterable
from datetime import date, timedelta
from typing import Any, Final

from exporter.beijing import yesterday
from exporter.datasets.daily_trend import DAILY_TREND, FIELDS
from exporter.datasets.wire import MalformedRowError, figure
from exporter.store.entry import HeldRow
from exporter.trend import Row

DATASET: Final = DAILY_TREND.name
"""The dataset of all rows, until there are others."""

Unusable = Callable[[int, str], None]
"""Is given how many stored rows cannot be used, and what is wrong with the first of them."""

_AHEAD: Final = timedelta(days=1)  # for a clock that is behind; WeChat has no figures of today
_FIELDS: Final = {field.name: field for field in FIELDS}


def row_text(row: Row) -> str:
    """Write a row's figures by name; a figure that WeChat left out has no name there."""
    return points_text(*(word for pair in zip(_FIELDS, row.values, strict=True) for word in pair))


def points_text(*words: object) -> str:
    """Write one point from names and values in turn, as old columns hold them; what is NULL is left out."""
    figures = {name: value for name, value in zip(words[::2], words[1::2], strict=True) if value is not None}
    told = {name: value if isinstance(value, int | float) else str(value) for name, value in figures.items()}
    return json.dumps([told], separators=(",", ":"), ensure_ascii=False)


def read_row(first: object, text: object) -> Row:
    """Read the row of that date (ISO).

    Raises:
        MalformedRowError: nothing that WeChat could have given; the text says what was found.
    """
    if not isinstance(first, str) or not isinstance(text, str):
        raise MalformedRowError("not a text")
    try:
        day, points = date.fromisoformat(first), json.loads(text)
    except (ValueError, RecursionError):
        raise MalformedRowError("not a date and figures") from None
    if day.isoformat() != first:  # another way to write it would be a second row of the same date
        raise MalformedRowError("not a date")
    return Row(day, _values(points))


def read_held(first: object, asked_at: object, text: object, now: float) -> HeldRow:
    """Read a row and when it was asked for; a time in the future, of a clock set wrong, counts as now.

    Raises:
        MalformedRowError: nothing that WeChat could have given.
    """
    row = read_row(first, text)
    if row.ref_date > yesterday(now) + _AHEAD:
        raise MalformedRowError("a date in the future")
    if not isinstance(asked_at, int | float) or not math.isfinite(asked_at) or asked_at < 0:
        raise MalformedRowError("no time at which it was asked for")
    return HeldRow(row, min(asked_at, now))


class RowReader:
    """Reads many rows; those that cannot be used are left out, counted, and reported once at the end."""

    def __init__(self, unusable: Unusable, now: float) -> None:
        self._unusable = unusable
        self._now = now
        self._count = 0
        self._first = ""

    def read(self, appid: str, records: Iterable[tuple[object, object, object]]) -> tuple[HeldRow, ...]:
        """Read an app's rows, each a date, the time at which it was asked for, and a text."""
        return tuple(held for record in records if (held := self._held(appid, record)) is not None)

    def report(self) -> None:
        """Say how many were left out, if any were."""
        if self._count:
            self._unusable(self._count, self._first)

    def _held(self, appid: str, record: tuple[object, object, object]) -> HeldRow | None:
        try:
            return read_held(*record, self._now)
        except MalformedRowError as error:
            self._first = self._first or f"{appid!r}, {str(record[0])[:20]!r}: {error}"
            self._count += 1
            return None


def _values(points: Any) -> tuple[int | float | None, ...]:  # noqa: ANN401 - whatever JSON holds
    if not isinstance(points, list) or len(points) != 1 or not isinstance(points[0], dict):
        raise MalformedRowError("not one point")
    point = points[0]
    if any(isinstance(value, str) for value in point.values()):
        raise MalformedRowError("a text among the figures")
    values = tuple(figure(point[name], field) if name in point else None for name, field in _FIELDS.items())
    if all(value is None for value in values):
        raise MalformedRowError("no figure")
    return values
