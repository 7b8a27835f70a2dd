"""What is known of every app right now, and which of it is not yet stored and on show."""

import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace

from exporter.config.apps import App
from exporter.datasets.daily_trend import DAILY_TREND
from exporter.datasets.enabled import EnabledDataset
from exporter.datasets.quota import QUOTA
from exporter.store.entry import Entry, HeldRow, with_period, with_row
from exporter.store.pauses import configured, freed, refreshed
from exporter.store.stored_refusals import Refusal, health_of


@dataclass(frozen=True, slots=True)
class Changes:
    """What has come since the last time: rows of `server` to store (appid, dataset, row), entries to show.

    `complete`: the set of apps itself changed; `entries` then holds all of them, in order.
    """

    server: str
    rows: tuple[tuple[str, str, HeldRow], ...]
    entries: Mapping[str, Entry]
    complete: bool

    def __bool__(self) -> bool:
        return self.complete or bool(self.entries)


class Ledger:
    """Hold one `Entry` per configured app; entries are replaced whole, never changed."""

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
        self._changed: dict[str, None] = {}  # a set that keeps its order
        self._complete = True
        self._closed = False

    @property
    def names(self) -> tuple[str, ...]:
        """The datasets that are asked for beside the daily trend, quotas last."""
        return (*self.datasets, QUOTA) if self.quota else tuple(self.datasets)

    def configure(
        self,
        apps: Iterable[tuple[App, str]],
        keep_days: int,
        now: float,
        server: str = "",
        renewed: Collection[tuple[str, str]] = (),
    ) -> None:
        """Set which apps there are (with their token kind), in this order, and the server that they are of.

        Kept apps keep all else, unless the server is another one: what one said is nothing to the other.
        `renewed`: apps' datasets whose credential is another one than WeChat has refused.
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
        """Set which apps there are, without an operator's doing: kept apps keep their pauses too."""
        with self._news:
            known = self._entries
            self._entries = {
                app.appid: replace(known[app.appid], app=app) if app.appid in known else Entry(app, kind)
                for app, kind in apps
            }
            self._all_changed()

    def ask_again(self, appids: Collection[str]) -> None:
        """Let these be asked at once, with all that fails of theirs: its cause is over.

        Until WeChat has answered, what fails is shown.
        """
        with self._news:
            for appid in appids:
                if (entry := self._entries.get(appid)) is not None:
                    self._entries[appid] = freed(entry)

    def ask_all_again(self) -> None:
        """Let all apps be asked at once; what a reload would leave paused waits."""
        with self._news:
            now = self._clock()
            for appid, entry in self._entries.items():
                self._entries[appid] = refreshed(entry, now)

    def restore(
        self, stored: Iterable[tuple[str, tuple[HeldRow, ...]]], dataset: str = DAILY_TREND.name
    ) -> None:
        """Take over the rows of a dataset that a store kept of apps that are configured and have none yet."""
        kept = tuple(stored)  # the storage takes its time: nobody is to wait for it
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
        """Leave alone what WeChat refused before a restart: datasets of apps not asked for since then."""
        with self._news:
            for (appid, dataset), refusal in refusals.items():
                entry = self._entries.get(appid)
                if entry is not None and (table := entry.table(dataset)).health.last_refresh is None:
                    health = health_of(refusal, table.health.last_success)
                    self._entries[appid] = entry.with_table(dataset, replace(table, health=health))
            self._all_changed()

    def entries(self) -> tuple[Entry, ...]:
        """All entries as they are now, in the configuration's order."""
        with self._lock:
            return tuple(self._entries.values())

    def get(self, appid: str) -> Entry | None:
        """One app's entry; None where it is not configured any more."""
        return self._entries.get(appid)

    def update(
        self,
        appid: str,
        change: Callable[[Entry], Entry],
        held: HeldRow | None = None,
        server: str | None = None,
        dataset: str = DAILY_TREND.name,
    ) -> tuple[Entry, Entry] | None:
        """Replace an app's entry by what `change` makes of it, atomically.

        Args:
            appid: the app.
            change: a pure function of the entry.
            held: a row that came, held and stored as well unless one of its date was asked for later.
            server: which one has answered, None where the change is no answer's.
            dataset: that of the row.

        Returns:
            the entry before and after; None where the app is not configured any more, or at another server.
        """
        with self._news:
            before = self._entries.get(appid)
            if before is None or server not in (None, self.server):
                return None
            after = change(before)
            if held is not None:
                table = after.table(dataset)
                rows = self._with(table.rows, held, dataset)
                if rows is not table.rows:  # else one that was asked for later is held, and stored
                    self._rows.append((appid, dataset, held))
                after = after.with_table(dataset, replace(table, rows=rows))
            self._entries[appid] = after
            self._changed[appid] = None
            self._news.notify_all()
            return before, after

    def wait(self, seconds: float) -> None:
        """Return once there is something new, the ledger is closed, or the time is over."""
        with self._news:
            self._news.wait_for(lambda: self._changed or self._complete or self._closed, seconds)

    def take_changes(self) -> Changes:
        """Everything new since the last call."""
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
        """The rows of a dataset with one more; a dataset that was switched off meanwhile takes none."""
        if dataset == DAILY_TREND.name:
            return with_row(rows, held, self.keep_days, self._clock())
        enabled = self.datasets.get(dataset)
        return rows if enabled is None else with_period(rows, held, enabled, self._clock())

    def _kept(self, rows: tuple[HeldRow, ...], dataset: str) -> tuple[HeldRow, ...]:
        """Of the rows that a store kept, those that are held."""
        if dataset == DAILY_TREND.name:
            return rows
        kept: tuple[HeldRow, ...] = ()
        for held in reversed(rows):
            kept = self._with(kept, held, dataset)
        return kept

    def close(self) -> None:
        """Wake whoever waits."""
        with self._news:
            self._closed = True
            self._news.notify_all()
