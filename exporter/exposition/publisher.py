"""Stores new rows before it shows them, so that a kill never loses a row that was on the page."""

import threading
import time
from collections.abc import Callable
from datetime import date, timedelta
from typing import Final

from structlog.typing import FilteringBoundLogger

from exporter.beijing import midnight, next_midnight, window, yesterday
from exporter.datasets.catalogue import BY_NAME
from exporter.exposition.app_families import OptionalFamilies
from exporter.exposition.dataset_families import DatasetFamilies, QuotaFamilies
from exporter.exposition.page import Page, PageRenderer
from exporter.heartbeat import Heartbeat
from exporter.store.entry import HeldRow
from exporter.store.interface import Store, StoreError
from exporter.store.ledger import Ledger
from exporter.store.stored_refusals import Refusal, refusal_key, refusal_of

_GATHER_SECONDS: Final = 0.2  # seconds: rows that come together are stored and rendered together
_LONGEST_WAIT: Final = 10.0  # seconds until a changed clock or storage is noticed
_SLOWEST: Final = 60.0  # seconds for a publication, including its wait
_WORK_SHARE: Final = 3  # length of a pause, in computing times of the last publication


class Publisher:
    """Turns changes of the ledger into pages; `run` is the body of a thread."""

    def __init__(
        self,
        ledger: Ledger,
        store: Store,
        history_days: int,
        log: FilteringBoundLogger,
        clock: Callable[[], float],
    ) -> None:
        self._ledger = ledger
        self._store = store
        self._log = log
        self._clock = clock
        self._publishing = threading.Lock()  # another thread publishes once more at the end
        self._renderer = PageRenderer()
        self._server = ""  # of the stored rows
        self._unsaved: dict[tuple[str, str, date], HeldRow] = {}
        self._refusals: dict[str, Refusal] = {}  # the stored ones, by `refusal_key`
        self._unsaved_refusals: dict[str, Refusal | None] = {}
        self.trouble = ""  # why the storage refuses rows; empty while it works
        self.heartbeat = Heartbeat()
        self.history_days = history_days
        self.page: Page = self._renderer.replace_all({}, ())

    def publish(self) -> None:
        """Store and show all changes."""
        with self._publishing:
            self._publish()

    def _publish(self) -> None:
        changes = self._ledger.take_changes()
        if changes.server != self._server:
            self._server, self._unsaved, self._refusals, self._unsaved_refusals = changes.server, {}, {}, {}
        self._unsaved.update(
            ((appid, dataset, held.row.ref_date), held) for appid, dataset, held in changes.rows
        )
        for appid, entry in changes.entries.items():
            for dataset in entry.names:
                key, refusal = refusal_key(appid, dataset), refusal_of(entry.table(dataset).health)
                if refusal != self._refusals.get(key) or key in self._unsaved_refusals:
                    self._unsaved_refusals[key] = refusal
        self._save()
        dates, shown = self._dates(), self._shown()
        if changes.complete:
            self.page = self._renderer.replace_all(changes.entries, dates, shown)
        elif changes.entries or (dates, shown) != (self._renderer.dates, self._renderer.shown):
            self.page = self._renderer.update(changes.entries, dates, shown)

    def run(self, stopping: threading.Event) -> None:
        """Publish after each change, and at midnight, when the window of dates moves."""
        while not stopping.is_set():
            self.heartbeat.expect(time.monotonic(), _SLOWEST)
            self._ledger.wait(min(next_midnight(self._clock()) - self._clock(), _LONGEST_WAIT))
            started = time.thread_time()  # waiting for a slow storage is not computing
            try:
                self.publish()
            except Exception as error:  # noqa: BLE001 - the page must not freeze for one bad moment
                self._log.error("internal fault", error=type(error).__name__, exc_info=True)
            stopping.wait(max(_GATHER_SECONDS, _WORK_SHARE * (time.thread_time() - started)))

    def _dates(self) -> tuple[date, ...]:
        days = self.history_days
        return window(yesterday(self._clock()), days) if days > 1 else ()

    def _shown(self) -> tuple[OptionalFamilies, ...]:
        now = self._clock()
        today = midnight(yesterday(now) + timedelta(days=1))
        quotas = (QuotaFamilies(today),) if self._ledger.quota else ()
        return (
            *(DatasetFamilies(each, each.window(now)) for each in self._ledger.datasets.values()),
            *quotas,
        )

    def _keep_days(self, dataset: str) -> int:
        enabled = self._ledger.datasets.get(dataset)
        return self._ledger.keep_days if enabled is None else enabled.keep_days

    def _save(self) -> None:
        """Store all that is not stored yet; after a failure the next change, or a short wait, tries again."""
        try:
            if self._store.emptied():
                self._log.warning("storage has lost its data, it is stored again")
                self._unsaved_refusals = {**self._refusals, **self._unsaved_refusals}
                self._unsaved |= {
                    (entry.app.appid, dataset, held.row.ref_date): held
                    for entry in self._ledger.entries()
                    for dataset in entry.names
                    for held in entry.table(dataset).rows
                }
            grouped: dict[str, list[tuple[str, HeldRow]]] = {}
            for (appid, dataset, _), held in self._unsaved.items():
                grouped.setdefault(dataset, []).append((appid, held))
            for dataset, rows in grouped.items():
                self._store.save(self._server, rows, self._keep_days(dataset), BY_NAME[dataset])
            if self._unsaved_refusals:
                self._store.save_refusals(self._server, self._unsaved_refusals)
        except StoreError as error:
            if not self.trouble:
                self._log.error("storage fails, going on from memory", error=str(error))
            self.trouble = str(error)
            return
        if self.trouble:
            self._log.info("storage works again", rows=len(self._unsaved))
        self.trouble = ""
        self._unsaved.clear()
        self._refusals |= {key: each for key, each in self._unsaved_refusals.items() if each is not None}
        for key in [key for key, each in self._unsaved_refusals.items() if each is None]:
            self._refusals.pop(key, None)
        self._unsaved_refusals.clear()
