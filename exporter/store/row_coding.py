"""The coding of rows as texts, for storages and the backfill's journal, and the check of texts read back.

A text is a JSON list of points; a point holds figures (numbers) and labels (texts) under their names. So a
new figure, label or dataset changes no table, and an old row never shows a figure under another's name.
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import date, timedelta
from typing import Any, Final

from exporter.beijing import yesterday
from exporter.datasets.body_parsing import MalformedRowError, figure
from exporter.datasets.daily_trend import DAILY_TREND
from exporter.datasets.dataset import Dataset, Point, Row
from exporter.datasets.packed_points import packed
from exporter.store.entry import HeldRow

Unusable = Callable[[int, str], None]
"""Called with the number of unusable stored rows, and what is wrong with the first of them."""

_OLD_NAMES: Final = (
    "session_cnt",
    "visit_pv",
    "visit_uv",
    "visit_uv_new",
    "stay_time_uv",
    "stay_time_session",
    "visit_depth",
)
"""The order of figures in texts that do not name them. It never changes with the list of figures."""

_AHEAD: Final = timedelta(days=1)  # for a slow clock; WeChat has no figures of today


def row_text(row: Row, dataset: Dataset = DAILY_TREND) -> str:
    """Return a row's text: labels and figures by name, without those that WeChat left out."""
    names = [field.name for field in dataset.fields]
    points = [
        {label: text for label, text in zip(dataset.labels, point.labels, strict=True) if text}
        | {name: value for name, value in zip(names, point.values, strict=True) if value is not None}
        for point in row.points
    ]
    return _written(points)


def points_text(*words: object) -> str:
    """Return the text of a point from alternating names and values of old columns, without NULLs."""
    figures = {name: value for name, value in zip(words[::2], words[1::2], strict=True) if value is not None}
    texts = {name: value if isinstance(value, int | float) else str(value) for name, value in figures.items()}
    return _written([texts])


def old_record(day: str, text: str) -> tuple[object, object, object]:
    """Convert an old row to today's coding: its day, time of the call, text (empty: no row)."""
    asked_at, _, figures = text.partition(" ")
    with suppress(ValueError, TypeError, RecursionError):
        words = [word for pair in zip(_OLD_NAMES, json.loads(figures), strict=True) for word in pair]
        return day, float(asked_at), points_text(*words)
    return day, asked_at, ""


def read_row(first: object, text: object, dataset: Dataset = DAILY_TREND) -> Row:
    """Parse the row of the period that begins on the date `first` (ISO).

    Raise MalformedRowError, which says what was found, for one that WeChat could not have given.
    """
    if not isinstance(first, str) or not isinstance(text, str):
        raise MalformedRowError("not a text")
    try:
        day, points = date.fromisoformat(first), json.loads(text)
    except (ValueError, RecursionError):
        raise MalformedRowError("not a date and figures") from None
    if day.isoformat() != first:  # another spelling would be a second row of the date
        raise MalformedRowError("not a date")
    try:
        period = dataset.calendar.starting(day)
    except (ValueError, OverflowError):
        raise MalformedRowError(f"no {dataset.calendar.name} begins then") from None
    return Row(period, _points(points, dataset))


def read_held(
    first: object, asked_at: object, text: object, now: float, dataset: Dataset = DAILY_TREND
) -> HeldRow:
    """Parse a row and the time of its call; a time in the future, from a wrong clock, counts as now.

    Raise MalformedRowError for a row that WeChat could not have given.
    """
    row = read_row(first, text, dataset)
    if row.period.last > yesterday(now) + _AHEAD:
        raise MalformedRowError("a date in the future")
    if not isinstance(asked_at, int | float) or not math.isfinite(asked_at) or asked_at < 0:
        raise MalformedRowError("no time at which it was asked for")
    return HeldRow(row, min(asked_at, now))


class RowReader:
    """Parses many rows; skips and counts unusable ones, and reports them once at the end."""

    def __init__(self, unusable: Unusable, now: float, dataset: Dataset = DAILY_TREND) -> None:
        self._unusable = unusable
        self._now = now
        self._dataset = dataset
        self._count = 0
        self._first = ""

    def read(self, appid: str, records: Iterable[tuple[object, object, object]]) -> tuple[HeldRow, ...]:
        """Parse an app's rows, each a date, the Unix time of the call, and a text."""
        return tuple(held for record in records if (held := self._held(appid, record)) is not None)

    def report(self) -> None:
        """Report the number of unusable rows, if there were any."""
        if self._count:
            self._unusable(self._count, self._first)

    def _held(self, appid: str, record: tuple[object, object, object]) -> HeldRow | None:
        try:
            return read_held(*record, self._now, self._dataset)
        except MalformedRowError as error:
            self._first = self._first or f"{appid!r}, {str(record[0])[:20]!r}: {error}"
            self._count += 1
            return None


def _written(points: Iterable[Mapping[Any, Any]]) -> str:
    return json.dumps(list(points), separators=(",", ":"), ensure_ascii=False)


def _points(found: Any, dataset: Dataset) -> Sequence[Point]:  # noqa: ANN401 - whatever JSON holds
    if not isinstance(found, list) or not found or not all(isinstance(each, dict) for each in found):
        raise MalformedRowError("no list of points")
    points = {point.labels: point for point in (_point(each, dataset) for each in found)}
    if len(points) < len(found):
        raise MalformedRowError("a point is there twice")
    return packed(tuple(points.values()))


def _point(found: dict[str, Any], dataset: Dataset) -> Point:
    if any(isinstance(value, str) and name not in dataset.labels for name, value in found.items()):
        raise MalformedRowError("a text among the figures")
    labels = tuple(found.get(label, "") for label in dataset.labels)
    if not all(isinstance(label, str) for label in labels):
        raise MalformedRowError("a label that is no text")
    values = tuple(figure(found[each.name], each) if each.name in found else None for each in dataset.fields)
    if all(value is None for value in values):
        raise MalformedRowError("no figure")
    return Point(labels, values)
