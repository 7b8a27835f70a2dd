"""What a dataset is: one of WeChat's tables, and the rows that come from it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from exporter.beijing import wire_date
from exporter.config.datasets import DatasetSettings
from exporter.datasets.body_parsing import check_message
from exporter.datasets.field import Field
from exporter.datasets.period import Calendar, Period
from exporter.datasets.schedule import Schedule


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
    points: Sequence[Point]
    dropped: int = field(default=0, compare=False)

    @property
    def ref_date(self) -> date:
        """The period's first day."""
        return self.period.first

    @property
    def values(self) -> tuple[int | float | None, ...]:
        """The figures of a row without labels, which has one point."""
        return self.points[0].values


class BodyShape(Protocol):
    """How a dataset's figures stand in WeChat's body."""

    def read(self, body: Mapping[str, object], period: Period, dataset: "Dataset") -> Row | None:
        """Return the row of a successful body, None where WeChat sent an empty one.

        Raises:
            MalformedRowError: anything that cannot be trusted, so that no wrong number is shown.
        """

    def write(self, row: Row, dataset: "Dataset") -> Mapping[str, object]:
        """Return the body of which `read` gives `row` back, in the HTTPS spelling."""


class Selection(Protocol):
    """Which of a dataset's rows are asked for, held and shown; rows come newest first, one of a period."""

    def backs(self, settings: DatasetSettings) -> Iterable[int]:
        """Return how many periods before the newest one to ask for; of cohorts, the keys."""

    def known(self, row: Row, asked_at: float) -> Row:
        """Return the row without points that nobody could know when it was asked for (Unix time)."""

    def held(self, rows: Sequence[Row], settings: DatasetSettings) -> tuple[Row, ...]:
        """Return the rows to hold; the others are of no more use."""

    def shown(
        self, rows: Sequence[Row], settings: DatasetSettings
    ) -> Iterable[tuple[Period, Sequence[Point]]]:
        """Return the points of the families that show the newest figures, each with its period."""


@dataclass(frozen=True, slots=True)
class PeriodTime:
    """A metric that shows a time of a period; `metric` is the metric's last part."""

    metric: str
    meaning: str
    of: Callable[[Period], int]


@dataclass(frozen=True, slots=True)
class Prefix:
    """What the metrics of a group of families, and their help texts, begin with."""

    metric: str
    help: str


@dataclass(frozen=True, slots=True)
class Dataset:
    """One of WeChat's tables.

    `name` is its name in configuration, storage and labels; `interface` WeChat's, which the cloud call uses
    too. `newest` names the families of the newest figures, `dated` those of each period on show, which not
    every dataset has; `moments` are the times that both have. A row holds at most `cap` points of a kind.
    """

    name: str
    interface: str
    chinese: str
    path: str
    calendar: Calendar
    shape: BodyShape
    selection: Selection
    schedule: Schedule
    fields: tuple[Field, ...]
    newest: Prefix
    dated: Prefix | None = None
    labels: tuple[str, ...] = ()
    moments: tuple[PeriodTime, ...] = ()
    cap: int = 1

    def request(self, period: Period) -> Mapping[str, str]:
        """Return the body of the call that asks for a period."""
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
        """Return the body of which `read` gives `row` back, in the HTTPS spelling."""
        return self.shape.write(row, self)
