"""The list of apps on the status page: filtered, sorted, divided into pages."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from exporter.store.entry import Entry, Health, Table
from exporter.web.status.columns import sorted_by
from exporter.web.status.query import Query, State

_URGENCY: Final = {state: place for place, state in enumerate(State)}
_AROUND: Final = 2


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of the matching apps; `first` is the position of its first app, from 1."""

    entries: tuple[Entry, ...]
    first: int
    matching: int
    page: int
    pages: int

    @property
    def numbers(self) -> tuple[int | None, ...]:
        """Return the page numbers to link to: the ends and those around this page, None for a gap."""
        near = {1, self.pages, *range(self.page - _AROUND, self.page + _AROUND + 1)}
        shown = sorted(number for number in near if 1 <= number <= self.pages)
        numbers: list[int | None] = []
        for number in shown:
            if numbers and number - (numbers[-1] or 0) > 1:
                numbers.append(None)
            numbers.append(number)
        return tuple(numbers)


def state_of(health: Health) -> State:
    """Return the state of a dataset after its last refresh."""
    if health.last_refresh is None:
        return State.UNTRIED
    if health.reason is None:
        return State.OK
    return State.NOT_READY if health.up else State.FAILING


def tables(entry: Entry, datasets: Iterable[str]) -> Iterator[tuple[str, Table]]:
    """Yield name and table of each of these datasets, given by name, that the app has."""
    return ((name, entry.table(name)) for name in datasets if entry.app.has(name))


def app_state(entry: Entry, datasets: Iterable[str]) -> State:
    """Return an app's state: its daily trend's, or that a dataset fails if the daily trend does not."""
    trend = state_of(entry.health)
    if trend is State.FAILING or all(table.health.up for _, table in tables(entry, datasets)):
        return trend
    return State.DATASET_FAILING


def list_apps(entries: Iterable[Entry], query: Query, state: Callable[[Entry], State]) -> Listing:
    """Return the page that a query asks for, at most the last one."""
    words = query.q.casefold().split()
    found = [each for each in entries if query.state in (None, state(each)) and _has(each, words)]
    pages = max(1, -(-len(found) // query.size))
    page = min(query.page, pages)
    start = (page - 1) * query.size
    ordered = sorted_by(
        query.sort, found, lambda entry: _URGENCY[state(entry)], descending=query.order == "desc"
    )
    shown = tuple(ordered[start : start + query.size])
    return Listing(shown, start + 1 if shown else 0, len(found), page, pages)


def _has(entry: Entry, words: Sequence[str]) -> bool:
    app = entry.app
    labels = " ".join(f"{name}={value}" for name, value in app.labels)
    text = f"{app.name} {app.appid} {labels}".casefold()
    return all(word in text for word in words)
