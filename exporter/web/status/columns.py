"""The columns of the status page's list of apps: their order, and how the list is sorted by each."""

from collections.abc import Callable
from typing import Any, Final

from exporter.datasets.daily_trend import FIELDS, figure_of
from exporter.store.entry import Entry

FIELD_NAMES: Final = tuple(field.name for field in FIELDS)
COLUMNS: Final = ("name", "state", "date", *FIELD_NAMES, "token")
"""The columns by which the list can be sorted, in order; the chart is before the last one.

A new one also needs a heading in status.html and a cell in parts.html (`app_rows`).
"""

_FROM_SMALL: Final = ("name", "state", "token")  # columns that sort in ascending order first


def first_order(column: str) -> str:
    """Return a column's first order: ascending for names, descending for figures."""
    return "asc" if column in _FROM_SMALL else "desc"


def sorted_by(
    column: str, entries: list[Entry], urgency: Callable[[Entry], int], *, descending: bool
) -> list[Entry]:
    """Sort by a column, by default urgent apps first; apps without a value come last."""
    keys: dict[str, Callable[[Entry], Any]] = {
        "": urgency,
        "state": urgency,
        "name": lambda entry: entry.app.name.casefold(),
        "date": lambda entry: entry.rows[0].row.ref_date if entry.rows else None,
        "token": lambda entry: entry.token_expires_at,
    }

    def figure(entry: Entry) -> float | None:
        return figure_of(entry.rows[0].row, column) if entry.rows else None

    key = keys.get(column, figure)
    keyed = [(key(entry), entry) for entry in entries]
    known = [pair for pair in keyed if pair[0] is not None]
    known.sort(key=lambda pair: pair[0], reverse=descending)
    return [entry for _, entry in known] + [entry for value, entry in keyed if value is None]
