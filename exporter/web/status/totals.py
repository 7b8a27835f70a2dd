"""The top of the status page: counts of apps by state, and sums of additive figures."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from exporter.datasets.daily_trend import FIELDS, figure_of
from exporter.datasets.field import Field
from exporter.store.entry import Entry
from exporter.web.status.query import State


@dataclass(frozen=True, slots=True)
class Total:
    """The sum of a figure over the `apps` that have it; None if none has."""

    field: Field
    value: float | None
    apps: int


@dataclass(frozen=True, slots=True)
class Overview:
    """All apps together: their `newest` date, the number `up_to_date` with it, and its sums."""

    apps: int
    states: dict[State, int]
    newest: date | None
    up_to_date: int
    totals: tuple[Total, ...]


def overview(entries: Sequence[Entry], state: Callable[[Entry], State]) -> Overview:
    """Count and sum all apps, regardless of the filter.

    Only additive figures have sums: one of distinct visitors or of means would be a wrong number.
    """
    counts = Counter(map(state, entries))
    rows = [entry.rows[0].row for entry in entries if entry.rows]
    newest = max((row.ref_date for row in rows), default=None)
    rows = [row for row in rows if row.ref_date == newest]
    totals: list[Total] = []
    for field in FIELDS if rows else ():
        if field.additive:
            values = [value for row in rows if (value := figure_of(row, field.name)) is not None]
            totals.append(Total(field, sum(values) if values else None, len(values)))
    return Overview(len(entries), {each: counts[each] for each in State}, newest, len(rows), tuple(totals))
