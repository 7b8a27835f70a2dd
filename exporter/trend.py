"""The daily trend under its former names, until every user of it takes a dataset's rows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from exporter.beijing import (
    BEIJING,
    DAY_SECONDS,
    beijing_text,
    midnight,
    next_midnight,
    next_month,
    window,
    wire_date,
    yesterday,
)
from exporter.datasets.daily_trend import DAILY_TREND, FIELDS
from exporter.datasets.field import Field
from exporter.datasets.period import DAY
from exporter.datasets.wire import MalformedRowError, figure

__all__ = [
    "BEIJING",
    "DAY_SECONDS",
    "FIELDS",
    "Field",
    "MalformedRowError",
    "Row",
    "beijing_text",
    "figure",
    "midnight",
    "next_midnight",
    "next_month",
    "parse_trend",
    "window",
    "wire_date",
    "yesterday",
]

_INDEX: Final = {field.name: position for position, field in enumerate(FIELDS)}


@dataclass(frozen=True, slots=True)
class Row:
    """One day's figures, `values` in the order of FIELDS; None where WeChat left a field out."""

    ref_date: date
    values: tuple[int | float | None, ...]

    def __getitem__(self, name: str) -> int | float | None:
        """The value of the field `name`, in the field's unit."""
        return self.values[_INDEX[name]]


def parse_trend(body: Mapping[str, object], asked: date) -> Row | None:
    """Read an answer for the day `asked`, as `Dataset.read` does."""
    row = DAILY_TREND.read(body, DAY.starting(asked))
    return None if row is None else Row(asked, row.points[0].values)
