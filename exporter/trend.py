"""The daily trend under its former names, until every user of it takes a dataset's rows."""

from collections.abc import Mapping
from datetime import date

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
from exporter.datasets.daily_trend import DAILY_TREND, FIELDS, figure_of, trend_row
from exporter.datasets.dataset import Row
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
    "figure_of",
    "midnight",
    "next_midnight",
    "next_month",
    "parse_trend",
    "trend_row",
    "window",
    "wire_date",
    "yesterday",
]


def parse_trend(body: Mapping[str, object], asked: date) -> Row | None:
    """Read an answer for the day `asked`, as `Dataset.read` does."""
    return DAILY_TREND.read(body, DAY.starting(asked))
