"""A dataset: one of WeChat's tables, and the rows that come from it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Protocol

from exporter.beijing import wire_date
from exporter.config.datasets import DatasetSettings
from exporter.datasets.body_parsing import check_message
from exporter.datasets.field import Field
from exporter.datasets.period import Calendar, Period
from exporter.datasets.schedule import Schedule

_FEWEST: Final = 2
"""Without a history two rows are needed: the last one is shown until WeChat has the newest."""


@dataclass(frozen=True, slots=True)
class Point:
    """One line of a row: label values in the order of `Dataset.labels`, figures in that of `Dataset.fields`.

    An empty label value means an absent label, as in Prometheus. A figure is None if WeChat left it out, or
    if it has no meaning under these labels.
    """

    labels: tuple[str, ...]
    values: tuple[int | float | None, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """The figures of one period; `dropped` counts points over the dataset's cap."""

    period: Period
    points: Sequence[Point]
    dropped: int = field(default=0, compare=False)

    @property
    def ref_date(self) -> date:
        """Return the period's first day."""
        return self.period.first

    @property
    def values(self) -> tuple[int | float | None, ...]:
        """Return the figures of a row without labels, which has one point."""
        return self.points[0].values


class BodyShape(Protocol):
    """The place of a dataset's figures in WeChat's body."""

    def read(self, body: Mapping[str, object], period: Period, dataset: "Dataset") -> Row | None:
        """Return the row of a successful body, or None for an empty one.

        Raises:
            MalformedRowError: the body is untrustworthy, and a figure could be wrong.
        """

    def write(self, row: Row, dataset: "Dataset") -> Mapping[str, object]:
        """Return a body, in the HTTPS spelling, that `read` would turn into `row`."""


class Selection(Protocol):
    """The rows of a dataset to ask for, hold and show; rows are newest first, one per period."""

    def backs(self, settings: DatasetSettings) -> Iterable[int]:
        """Return the periods to ask for, as numbers of periods before the newest; for cohorts, the keys."""

    def known(self, row: Row, asked_at: float) -> Row:
        """Return the row without points that WeChat could not know at `asked_at` (Unix time)."""

    def held(self, rows: Sequence[Row], settings: DatasetSettings) -> tuple[Row, ...]:
        """Return the rows to hold; the others are useless."""

    def shown(
        self, rows: Sequence[Row], settings: DatasetSettings
    ) -> Iterable[tuple[Period, Sequence[Point]]]:
        """Return the points for the families of newest figures, each with its period."""


class NewestRow:
    """Shows the newest held row, whole."""

    def backs(self, settings: DatasetSettings) -> Iterable[int]:
        """Return the periods of the history, newest first."""
        return range(max(settings.history, _FEWEST))

    def known(self, row: Row, asked_at: float) -> Row:
        """Return the whole row: its period was over."""
        del asked_at
        return row

    def held(self, rows: Sequence[Row], settings: DatasetSettings) -> tuple[Row, ...]:
        """Return the newest rows, as many as the history has periods."""
        return tuple(rows[: max(settings.history, _FEWEST)])

    def shown(
        self, rows: Sequence[Row], settings: DatasetSettings
    ) -> Iterable[tuple[Period, Sequence[Point]]]:
        """Return the points of the newest row."""
        del settings  # nothing of it matters here
        return [(row.period, row.points) for row in rows[:1]]


@dataclass(frozen=True, slots=True)
class PeriodTime:
    """A time of a period, as a metric; `metric` is the last part of its name."""

    metric: str
    meaning: str
    of: Callable[[Period], int]


@dataclass(frozen=True, slots=True)
class Prefix:
    """The common beginning of a group of metrics, and of their help texts."""

    metric: str
    help: str


@dataclass(frozen=True, slots=True)
class Dataset:
    """One of WeChat's tables.

    `name` is for configuration, storage and labels; `interface` is WeChat's name, for the cloud call too.
    `newest` names the families of the newest figures, `dated` those with a series per period, if any;
    `moments` are the times that both show. A row holds at most `cap` points of a kind.
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
        """Read a successful body, asked for a period; return the row, or None for an empty body.

        The body is of either spelling: snake_case, or the cloud call's camelCase.

        Raises:
            MalformedRowError: the body is untrustworthy, and a figure could be wrong.
        """
        check_message(body)
        return self.shape.read(body, period, self)

    def write(self, row: Row) -> Mapping[str, object]:
        """Return a body, in the HTTPS spelling, that `read` would turn into `row`."""
        return self.shape.write(row, self)
