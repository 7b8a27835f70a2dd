"""The ledger: the present state of every app, and the changes that are not yet stored and shown."""

import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from exporter.config.apps import App
from exporter.datasets.daily_trend import DAILY_TREND
from exporter.datasets.enabled import EnabledDataset
from exporter.datasets.quota import QUOTA
from exporter.store.entry import Entry, HeldRow, with_period, with_row
from exporter.store.pause_ends import configured, freed, refreshed
from exporter.store.stored_refusals import Refusal, health_of


@dataclass(frozen=True, slots=True)
class Changes:
    """The changes since the last call: rows of `server` to store (appid, dataset, row), entries to show.

    `complete`: the set of apps has changed, so `entries` has all of them, in order.
    """

    server: str
    rows: tuple[tuple[str, str, HeldRow], ...]
    entries: Mapping[str, Entry]
    complete: bool

    def __bool__(self) -> bool:
        return self.complete or bool(self.entries)


class Ledger:
    """Holds an `Entry` per configured app; entries are replaced, never changed."""

    def __init__(self, keep_days: int, clock: Callable[[], float] = time.time) -> None:
        self.keep_days = keep_days
        self._clock = clock
        self.server = ""
        self.datasets: Mapping[str, EnabledDataset] = {}
        """Those beside the daily trend, by name."""
        self.quota = False
        """Whether quotas are asked for."""
        self._lock = threading.Lock()
        self._news = threading.Condition(self._lock)
        self._entries: dict[str, Entry] = {}
        self._rows: list[tuple[str, str, HeldRow]] = []
        self._changed: dict[str, None] = {}  # an ordered set
        self._complete = True
        self._closed = False

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the datasets beside the daily trend, quotas last."""
        return (*self.datasets, QUOTA) if self.quota else tuple(self.datasets)

    def configure(
        self,
        apps: Iterable[tuple[App, str]],
        keep_days: int,
        now: float,
        server: str = "",
        renewed: Collection[tuple[str, str]] = (),
    ) -> None:
        """Set the apps (with their token types), in order, and the server of their rows.

        Remaining apps keep their state, unless the server has changed, as one server's rows are not
        another's. `renewed`: apps' datasets whose credential has changed since WeChat refused it.
        """
        with self._news:
            self.keep_days = keep_days
            if server != self.server:
                self.server, self._entries, self._rows = server, {}, []
            self._entries = {
                app.appid: configured(self._entries.get(app.appid), app, kind, now, renewed)
                for app, kind in apps
            }
            self._all_changed()

    def discovered(self, apps: Iterable[tuple[App, str]]) -> None:
        """Set the apps after a discovery, which unlike a reload leaves pauses alone."""
        with self._news:
            known = self._entries
            self._entries = {
                app.appid: replace(known[app.appid], app=app) if app.appid in known else Entry(app, kind)
                for app, kind in apps
            }
            self._all_changed()

    def ask_again(self, appids: Collection[str]) -> None:
        """Mark apps, with all their failing datasets, to be asked at once, as the cause is over.

        Their failures stay visible until WeChat has answered.
        """
        with self._news:
            for appid in appids:
                if (entry := self._entries.get(appid)) is not None:
                    self._entries[appid] = freed(entry)

    def ask_all_again(self) -> None:
        """Mark all apps to be asked at once, except what a reload would leave paused."""
        with self._news:
            now = self._clock()
            for appid, entry in self._entries.items():
                self._entries[appid] = refreshed(entry, now)

    def restore(
        self, stored: Iterable[tuple[str, tuple[HeldRow, ...]]], dataset: str = DAILY_TREND.name
    ) -> None:
        """Add stored rows of a dataset to configured apps that have none yet."""
        kept = tuple(stored)  # read before the lock is taken, as a storage may be slow
        with self._news:
            for appid, rows in kept:
                entry = self._entries.get(appid)
                if entry is not None and not (table := entry.table(dataset)).rows:
                    success = max(held.asked_at for held in rows)
                    health = replace(table.health, last_success=success)
                    table = replace(table, rows=self._kept(rows, dataset), health=health)
                    self._entries[appid] = entry.with_table(dataset, table)
            self._all_changed()

    def refused(self, refusals: Mapping[tuple[str, str], Refusal]) -> None:
        """Pause datasets that WeChat refused before a restart, unless they were asked for since."""
        with self._news:
            for (appid, dataset), refusal in refusals.items():
                entry = self._entries.get(appid)
                if entry is not None and (table := entry.table(dataset)).health.last_refresh is None:
                    health = health_of(refusal, table.health.last_success)
                    self._entries[appid] = entry.with_table(dataset, replace(table, health=health))
            self._all_changed()

    def entries(self) -> tuple[Entry, ...]:
        """Return all present entries, in the configuration's order."""
        with self._lock:
            return tuple(self._entries.values())

    def get(self, appid: str) -> Entry | None:
        """Return an app's entry; None if it is no longer configured."""
        return self._entries.get(appid)

    def update(
        self,
        appid: str,
        change: Callable[[Entry], Entry],
        held: HeldRow | None = None,
        server: str | None = None,
        dataset: str = DAILY_TREND.name,
    ) -> tuple[Entry, Entry] | None:
        """Replace an app's entry atomically by the result of `change`, a pure function of the entry.

        `held`: a new row of the dataset to hold and store, unless a later call has its date's. `server`: the
        server that answered; None if the change is not an answer. Return the entry before and after; None if
        the app is no longer configured, or at another server.
        """
        with self._news:
            before = self._entries.get(appid)
            if before is None or server not in (None, self.server):
                return None
            after = change(before)
            if held is not None:
                table = after.table(dataset)
                rows = self._with(table.rows, held, dataset)
                if rows is not table.rows:  # otherwise a row from a later call is held and stored
                    self._rows.append((appid, dataset, held))
                after = after.with_table(dataset, replace(table, rows=rows))
            self._entries[appid] = after
            self._changed[appid] = None
            self._news.notify_all()
            return before, after

    def wait(self, seconds: float) -> None:
        """Wait for a change or the ledger's end, at most `seconds`."""
        with self._news:
            self._news.wait_for(lambda: self._changed or self._complete or self._closed, seconds)

    def take_changes(self) -> Changes:
        """Return the changes since the last call."""
        with self._lock:
            shown = self._entries if self._complete else self._changed
            changes = Changes(
                server=self.server,
                rows=tuple(self._rows),
                entries={appid: self._entries[appid] for appid in shown if appid in self._entries},
                complete=self._complete,
            )
            self._rows, self._changed, self._complete = [], {}, False
            return changes

    def _all_changed(self) -> None:
        self._complete = True
        self._news.notify_all()

    def _with(self, rows: tuple[HeldRow, ...], held: HeldRow, dataset: str) -> tuple[HeldRow, ...]:
        """Return a dataset's rows with a new one, unless the dataset has been switched off meanwhile."""
        if dataset == DAILY_TREND.name:
            return with_row(rows, held, self.keep_days, self._clock())
        enabled = self.datasets.get(dataset)
        return rows if enabled is None else with_period(rows, held, enabled, self._clock())

    def _kept(self, rows: tuple[HeldRow, ...], dataset: str) -> tuple[HeldRow, ...]:
        """Return those of a dataset's stored rows to hold."""
        if dataset == DAILY_TREND.name:
            return rows
        kept: tuple[HeldRow, ...] = ()
        for held in reversed(rows):
            kept = self._with(kept, held, dataset)
        return kept

    def close(self) -> None:
        """Wake waiting threads for the end."""
        with self._news:
            self._closed = True
            self._news.notify_all()
