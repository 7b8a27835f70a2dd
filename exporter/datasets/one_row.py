"""The shape of the trends and the summary: a list that holds one row of figures."""

from collections.abc import Mapping
from typing import Final

from exporter.datasets.dataset import Dataset, Point, Row
from exporter.datasets.period import Period
from exporter.datasets.wire import MalformedRowError, check_period, figures, one_object, required_list

NO_FIGURES: Final = "the row has none of the documented figures"


class OneRow:
    """`{"list": [{"ref_date": …, figures}]}`."""

    def read(self, body: Mapping[str, object], period: Period, dataset: Dataset) -> Row | None:
        """The row with its single point; None for an empty list."""
        rows = required_list(body, "list")
        if not rows:
            return None
        if len(rows) > 1:
            raise MalformedRowError(f"'list' has {len(rows)} rows for one {_one(dataset)}")
        item = one_object(rows[0], "list[0]")
        check_period(item, dataset.calendar, period)
        values = figures(item, dataset.fields)
        if all(value is None for value in values):
            raise MalformedRowError(NO_FIGURES)
        return Row(period, (Point((), values),))

    def write(self, row: Row, dataset: Dataset) -> Mapping[str, object]:
        """The body with this row; figures that are None are left out."""
        named = zip(dataset.fields, row.points[0].values, strict=True)
        values = {field.name: value for field, value in named if value is not None}
        return {"list": [{"ref_date": dataset.calendar.written(row.period), **values}]}


def _one(dataset: Dataset) -> str:
    return "date" if dataset.calendar.name == "day" else dataset.calendar.name
