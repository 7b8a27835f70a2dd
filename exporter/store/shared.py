"""What a storage offers beside keeping rows where several exporters use it together."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from exporter.store.entry import Entry, Health, HeldRow, Vacant
from exporter.store.interface import Store


@dataclass(frozen=True, slots=True)
class Shared:
    """What another exporter may have found out about an app: all of an `Entry` but its settings."""

    rows: tuple[HeldRow, ...]
    health: Health
    vacant: tuple[Vacant, ...]
    token_expires_at: float | None


class SharedStore(Store, Protocol):
    """A store that several exporters use at once; safe to use from many threads.

    Every method raises StoreError where the storage cannot be reached. What was fetched later wins: a row
    by its `fetched_at`, a state by its `last_refresh`; an exporter that was away overwrites nothing newer.
    """

    def phase(self) -> float:
        """At which part of the interval, from 0 to 1, the rounds of all exporters begin; drawn once."""

    def take(self, duty: str, holder: str, seconds: float) -> bool:
        """Take a duty for that long, or go on having it; False where another holder has it."""

    def leave(self, duty: str, holder: str) -> None:
        """Give a duty back at once."""

    def save_states(self, entries: Mapping[str, Entry]) -> None:
        """Share how the last refresh of these apps went; their rows are saved by `save`."""

    def states(self, appids: Collection[str]) -> Iterable[tuple[str, Shared]]:
        """What is kept of these apps; those of which nothing is kept are left out."""

    def news(self, since: int) -> tuple[int, Collection[str]]:
        """The appids saved after `since` (0: all), and what to ask with the next time."""
