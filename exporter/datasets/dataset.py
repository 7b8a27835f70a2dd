"""What a dataset is: one of WeChat's tables, and the rows that come from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from exporter.beijing import wire_date
from exporter.datasets.field import Field
from exporter.datasets.period import Calendar, Period
from exporter.datasets.schedule import Schedule
from exporter.datasets.wire import check_message


@dataclass(frozen=True, slots=True)
class Point:
    """One line of a row: label values in the order of `Dataset.labels`, figures in that of `Dataset.fields`.

    An empty label value means that the label is not there, as in Prometheus. A figure is None where WeChat
    left it out, or where it has no meaning under these labels.
    """

    labels: tuple[str, ...]
    values: tuple[int | float | None, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """One period's figures; `dropped` counts what was over the dataset's cap."""

    period: Period
    points: tuple[Point, ...]
    dropped: int = field(default=0, compare=False)


class Shape(Protocol):
    """How a dataset's figures stand in WeChat's body."""

    def read(self, body: Mapping[str, object], period: Period, dataset: "Dataset") -> Row | None:
        """The row of a successful body, None where WeChat sent an empty one.

        Raises:
            MalformedRowError: anything that cannot be trusted, so that no wrong number is shown.
        """

    def write(self, row: Row, dataset: "Dataset") -> Mapping[str, object]:
        """The body of which `read` gives `row` back, in the HTTPS spelling."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """One of WeChat's tables.

    `name` is its name in configuration, storage and labels; `interface` WeChat's, which the cloud call uses
    too. The metrics of the newest row begin with `newest`, those of the by-period family with `dated`, which
    is empty where there is no such family.
    """

    name: str
    interface: str
    path: str
    calendar: Calendar
    shape: Shape
    fields: tuple[Field, ...]
    schedule: Schedule
    newest: str
    dated: str = ""
    labels: tuple[str, ...] = ()

    def request(self, period: Period) -> Mapping[str, str]:
        """The body of the call that asks for a period."""
        return {"begin_date": wire_date(period.first), "end_date": wire_date(period.last)}

    def read(self, body: Mapping[str, object], period: Period) -> Row | None:
        """Read a successful body of either spelling (snake_case, or the cloud call's camelCase).

        Args:
            body: the decoded JSON object.
            period: the period that was asked for.

        Returns:
            the row, or None where WeChat sent an empty one.

        Raises:
            MalformedRowError: anything that cannot be trusted, so that no wrong number is shown.
        """
        check_message(body)
        return self.shape.read(body, period, self)

    def write(self, row: Row) -> Mapping[str, object]:
        """The body of which `read` gives `row` back, in the HTTPS spelling."""
        return self.shape.write(row, self)
