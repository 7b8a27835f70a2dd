"""The shape of the pages: a list of items, each with a text that names it and its figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from exporter.datasets.dataset import Dataset, Point, Row
from exporter.datasets.field import camel
from exporter.datasets.one_row import NO_FIGURES
from exporter.datasets.period import Period
from exporter.datasets.wire import (
    MalformedRowError,
    check_period,
    figures,
    one_object,
    required_list,
    shown,
    spelled,
)

_LONGEST: Final = 1024  # characters of a name


@dataclass(frozen=True, slots=True)
class Items:
    """`{"ref_date": …, "list": [{"page_path": …, figures}]}`.

    `key` is the item's name, which becomes the label; items with more of `order` come first.
    """

    key: str
    order: str

    def read(self, body: Mapping[str, object], period: Period, dataset: Dataset) -> Row | None:
        """The row, a point for each item, in order; None for an empty list."""
        check_period(body, dataset.calendar, period)
        points: dict[str, Point] = {}
        for position, found in enumerate(required_list(body, "list")):
            item = one_object(found, f"list[{position}]")
            name = self._name(item, f"list[{position}]")
            if name in points:
                raise MalformedRowError(f"{self.key} {shown(name)} is there twice")
            points[name] = Point((name,), figures(item, dataset.fields))
        if not points:
            return None
        if all(value is None for point in points.values() for value in point.values):
            raise MalformedRowError(NO_FIGURES)
        column = [field.name for field in dataset.fields].index(self.order)
        ordered = sorted(points.values(), key=lambda point: (-(point.values[column] or 0), point.labels))
        return Row(period, tuple(ordered[: dataset.cap]), max(0, len(ordered) - dataset.cap))

    def write(self, row: Row, dataset: Dataset) -> Mapping[str, object]:
        """The body of this row; figures that are None are left out."""
        items = []
        for point in row.points:
            named = zip(dataset.fields, point.values, strict=True)
            values = {field.name: value for field, value in named if value is not None}
            items.append({self.key: point.labels[0], **values})
        return {"ref_date": dataset.calendar.written(row.period), "list": items}

    def _name(self, item: Mapping[str, object], path: str) -> str:
        """The item's name, without the query that WeChat says is never there."""
        found = spelled(item, self.key)
        if not found:
            raise MalformedRowError(f"{path} has no {self.key}")
        name = found[0]
        if not isinstance(name, str) or len(name) > _LONGEST:
            raise MalformedRowError(f"{path}.{self.key} is {shown(name)}, not a path")
        if any(each != name for each in found):
            raise MalformedRowError(f"{path}: {self.key} and {camel(self.key)} differ")
        try:
            name.encode()
        except UnicodeEncodeError:  # half of a surrogate pair, which no scrape can carry
            broken = True
        else:
            broken = False
        if broken:
            raise MalformedRowError(f"{path}.{self.key} is no text")
        return name.partition("?")[0]
