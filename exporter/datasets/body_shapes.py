"""Shapes that several of WeChat's bodies share: one row, or lists of keys and values."""

from collections.abc import Iterable, Mapping
from typing import Final

from exporter.datasets.body_parsing import (
    MalformedRowError,
    amount,
    check_period,
    figures,
    one_object,
    required_list,
    written_figures,
)
from exporter.datasets.dataset import Dataset, Point, Row
from exporter.datasets.period import Period

NO_FIGURES: Final = "the row has none of the documented figures"
KEY_CAP: Final = 300
"""Most keys kept of a list: WeChat has some sixty, and its mistakes must not enlarge a scrape."""


class OneRowBody:
    """`{"list": [{"ref_date": …, figures}]}`."""

    def read(self, body: Mapping[str, object], period: Period, dataset: Dataset) -> Row | None:
        """Return the row with its single point; None for an empty list."""
        rows = required_list(body, "list")
        if not rows:
            return None
        if len(rows) > 1:
            one = "date" if dataset.calendar.name == "day" else dataset.calendar.name
            raise MalformedRowError(f"'list' has {len(rows)} rows for one {one}")
        item = one_object(rows[0], "list[0]")
        check_period(item, dataset.calendar, period)
        values = figures(item, dataset.fields)
        if all(value is None for value in values):
            raise MalformedRowError(NO_FIGURES)
        return Row(period, (Point((), values),))

    def write(self, row: Row, dataset: Dataset) -> Mapping[str, object]:
        """Return the body of a row, without figures that are None."""
        values = written_figures(dataset.fields, row.points[0].values)
        return {"list": [{"ref_date": dataset.calendar.written(row.period), **values}]}


def key_values(items: Iterable[object], name: str) -> dict[int, int]:
    """Return the values by key; raise MalformedRowError for an untrustworthy item or a repeated key."""
    found: dict[int, int] = {}
    for position, item in enumerate(items):
        entry = one_object(item, f"{name}[{position}]")
        for part in ("key", "value"):
            if part not in entry:
                raise MalformedRowError(f"{name}[{position}] has no {part}")
        key = int(amount(entry["key"], f"{name}[{position}].key", integral=True))
        if key in found:
            raise MalformedRowError(f"{name} has key {key} twice")
        found[key] = int(amount(entry["value"], f"{name}[{position}].value", integral=True))
    return found


def written_items(pairs: Iterable[tuple[int, int | float | None]]) -> list[dict[str, int | float]]:
    """Return a list that `key_values` would read as these pairs, without pairs that lack a value."""
    return [{"key": key, "value": value} for key, value in pairs if value is not None]
