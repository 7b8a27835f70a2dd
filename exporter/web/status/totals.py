"""The top of the status page: how many apps are how, and the sums that may be formed."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from exporter.datasets.daily_trend import FIELDS, figure_of
from exporter.store.entry import Entry
from exporter.web.status.query import State
from exporter.web.status.selection import state_of


@dataclass(frozen=True, slots=True)
class Total:
    """The sum of one figure over the `apps` that gave it; None where none did."""

    field: str
    value: float | None
    apps: int


@dataclass(frozen=True, slots=True)
class DayTotals:
    """One date's sums and how many apps have that date."""

    day: date
    apps: int
    totals: tuple[Total, ...]


@dataclass(frozen=True, slots=True)
class Overview:
    """All apps together; `newest` is None while no app has a row."""

    apps: int
    states: dict[State, int]
    newest: DayTotals | None


def overview(entries: Sequence[Entry]) -> Overview:
    """What stands above the table; the filter has no influence on it."""
    counts = Counter(map(state_of, entries))
    newest = max((entry.rows[0].row.ref_date for entry in entries if entry.rows), default=None)
    return Overview(
        apps=len(entries),
        states={state: counts[state] for state in State},
        newest=None if newest is None else _totals(entries, newest),
    )


def _totals(entries: Iterable[Entry], day: date) -> DayTotals:
    """Additive figures only: the sum of distinct visitors or of means would be a wrong number."""
    rows = [entry.rows[0].row for entry in entries if entry.rows and entry.rows[0].row.ref_date == day]
    totals: list[Total] = []
    for field in FIELDS:
        if field.additive:
            values = [value for row in rows if (value := figure_of(row, field.name)) is not None]
            totals.append(Total(field.name, sum(values) if values else None, len(values)))
    return DayTotals(day, len(rows), tuple(totals))
