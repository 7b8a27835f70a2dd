"""What a storage offers beside keeping rows where several exporters use it together."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Final, Protocol, TypeGuard

from exporter.store.entry import Entry, Health, HeldRow, Vacant, changed_at, with_row
from exporter.store.interface import Store
from exporter.wechat.pool import TokenPool

_AHEAD_SECONDS: Final = 300.0


@dataclass(frozen=True, slots=True)
class Shared:
    """What another exporter may have found out about an app: all of an `Entry` but its settings."""

    rows: tuple[HeldRow, ...]
    health: Health
    vacant: tuple[Vacant, ...]
    token_expires_at: float | None

    @property
    def changed_at(self) -> float:
        """When an answer last changed health or vacant dates (Unix time); 0: never."""
        return changed_at(self.health, self.vacant)

    def has_all_of(self, entry: Entry, now: float) -> bool:
        """Whether the entry knows nothing that is not kept here, or later."""
        kept = {held.row.ref_date: credible(held.fetched_at, now) for held in self.rows}
        return entry.changed_at <= credible(self.changed_at, now) and all(
            held.fetched_at <= kept.get(held.row.ref_date, 0.0) for held in entry.rows
        )


def merged(entry: Entry, shared: Shared, keep_days: int, now: float) -> Entry:
    """The entry with what is kept of it where that is later; the same object where nothing is.

    `now`: Unix time; what is far ahead of it is of an exporter whose clock was wrong, and counts as none.
    """
    own = {held.row.ref_date: credible(held.fetched_at, now) for held in entry.rows}
    rows = entry.rows
    for held in shared.rows:
        if credible(held.fetched_at, now) > own.get(held.row.ref_date, 0.0):
            rows = with_row(rows, held, keep_days)
    if rows != entry.rows:
        entry = replace(entry, rows=rows)
    if credible(shared.changed_at, now) > credible(entry.changed_at, now):
        entry = replace(
            entry, health=shared.health, vacant=shared.vacant, token_expires_at=shared.token_expires_at
        )
    return entry


def credible(moment: float, now: float) -> float:
    """The moment, 0 (never) where it is too far in the future."""
    return moment if moment <= now + _AHEAD_SECONDS else 0.0


class SharedStore(Store, Protocol):
    """A store that several exporters use at once; safe to use from many threads.

    `tokens`: access tokens that all of them use.

    Every method raises StoreError where the storage cannot be reached. What was fetched later wins: a row
    by its `fetched_at`, a state by its `last_refresh`; an exporter that was away overwrites nothing newer.
    """

    tokens: TokenPool

    def phase(self, proposed: float) -> float:
        """At which part of the interval, from 0 to 1, the rounds of all exporters begin.

        The first one's proposal holds.
        """

    def take(self, duty: str, holder: str, seconds: float) -> bool:
        """Take a duty for that long, or go on having it; False where another holder has it."""

    def leave(self, duty: str, holder: str) -> None:
        """Give a duty back at once."""

    def states(self, appids: Collection[str]) -> Iterable[tuple[str, Shared]]:
        """What is kept of these apps; those of which nothing is kept are left out."""

    def mark(self) -> int:
        """What to ask for news since now with."""

    def news(self, since: int) -> tuple[int, Collection[str]]:
        """The appids saved after `since` (0: all) by others, and what to ask with the next time."""

    def lost(self) -> bool:
        """Whether the storage is another one, or was started anew, since the last call."""

    def probe(self) -> None:
        """From now on the calling thread tries again after a failure, while others fail at once."""


def is_shared(store: Store) -> TypeGuard[SharedStore]:
    """Whether several exporters can use it at once."""
    return hasattr(store, "tokens")
