"""Which apps the status page lists: filtered, sorted, cut into pages."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from exporter.datasets.daily_trend import figure_of
from exporter.store.entry import Entry, Health
from exporter.web.status.query import Query, State

_URGENCY: Final = {state: place for place, state in enumerate(State)}
_AROUND: Final = 2


@dataclass(frozen=True, slots=True)
class Listing:
    """One page of the apps that match; `first` is the place of its first app, counted from 1."""

    entries: tuple[Entry, ...]
    first: int
    matching: int
    page: int
    pages: int

    @property
    def numbers(self) -> tuple[int | None, ...]:
        """Return the pages to link to: both ends and those around this one, None for what is left out."""
        near = {1, self.pages, *range(self.page - _AROUND, self.page + _AROUND + 1)}
        shown = sorted(number for number in near if 1 <= number <= self.pages)
        numbers: list[int | None] = []
        for number in shown:
            if numbers and number - (numbers[-1] or 0) > 1:
                numbers.append(None)
            numbers.append(number)
        return tuple(numbers)


def state_of(health: Health) -> State:
    """Return how an app, or one of its datasets, is by its last refresh."""
    if health.last_refresh is None:
        return State.UNTRIED
    if health.reason is None:
        return State.OK
    return State.NOT_READY if health.up else State.FAILING


def list_apps(entries: Iterable[Entry], query: Query) -> Listing:
    """Return the page that the query asks for; the last one where it asks for one behind it."""
    found = _sorted(_filtered(entries, query), query)
    pages = max(1, -(-len(found) // query.size))
    page = min(query.page, pages)
    start = (page - 1) * query.size
    shown = tuple(found[start : start + query.size])
    return Listing(shown, start + 1 if shown else 0, len(found), page, pages)


def _filtered(entries: Iterable[Entry], query: Query) -> list[Entry]:
    words = query.q.casefold().split()
    in_state = (each for each in entries if query.state is None or state_of(each.health) is query.state)
    return [entry for entry in in_state if not words or _has(entry, words)]


def _has(entry: Entry, words: Sequence[str]) -> bool:
    app = entry.app
    labels = " ".join(f"{name}={value}" for name, value in app.labels)
    text = f"{app.name} {app.appid} {labels}".casefold()
    return all(word in text for word in words)


def _sorted(entries: list[Entry], query: Query) -> list[Entry]:
    """Sort as the query asks, else the urgent first; without a value come last, equal ones as configured."""
    key = _key(query.sort or "state")
    keyed = [(key(entry), entry) for entry in entries]
    known = [pair for pair in keyed if pair[0] is not None]
    known.sort(key=lambda pair: pair[0], reverse=query.order == "desc")
    return [entry for _, entry in known] + [entry for value, entry in keyed if value is None]


def _key(column: str) -> Callable[[Entry], Any]:
    keys: dict[str, Callable[[Entry], Any]] = {
        "name": lambda entry: entry.app.name.casefold(),
        "state": lambda entry: _URGENCY[state_of(entry.health)],
        "date": lambda entry: entry.rows[0].row.ref_date if entry.rows else None,
        "token": lambda entry: entry.token_expires_at,
    }
    return keys.get(column, lambda entry: figure_of(entry.rows[0].row, column) if entry.rows else None)
