"""Fetches what the journal lacks: runs the threads, ends them well."""

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from structlog.typing import FilteringBoundLogger

from exporter.apps import Apps
from exporter.backfill.asking import Asking, Course
from exporter.backfill.journal import Journal
from exporter.backfill.lanes import Lanes
from exporter.backfill.span import Span
from exporter.config.settings import App
from exporter.store.interface import Store


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which apps and dates are wanted, and when that was said (Unix time)."""

    apps: tuple[App, ...]
    span: Span
    now: float

    def calls(self, journal: Journal) -> int:
        """How many calls it takes to know them all, tokens and retries left aside."""
        counts = (journal.count(app.appid, self.span, self.now) for app in self.apps)
        return self.span.periods * len(self.apps) - sum(count.rows + count.empty for count in counts)


def take_over(store: Store, journal: Journal, wanted: Wanted) -> int:
    """Copy the wanted rows that the exporter's storage holds and the journal lacks; says how many.

    Raises:
        StoreError: the storage cannot be read.
        JournalError: the journal cannot be written.
    """
    taken = 0
    appids = [app.appid for app in wanted.apps]
    for appid, rows in store.load(journal.server, appids, journal.dataset):
        new = [
            (appid, held.row.ref_date, held.row, held.asked_at)
            for held in rows
            if wanted.span.first <= held.row.period.first <= wanted.span.last
            and not journal.knows(appid, held.row.ref_date, wanted.now)
        ]
        journal.keep(new)
        taken += len(new)
    return taken


def fetch(
    apps: Apps,
    wanted: Wanted,
    journal: Journal,
    answered: Callable[[], None],
    log: FilteringBoundLogger,
) -> Asking:
    """Ask WeChat for every wanted date that the journal lacks; afterwards `apps` is closed.

    Args:
        apps: the way to ask for each app, and how many calls at a time.
        wanted: which of its apps and dates.
        journal: gets the answers.
        answered: is called after each one, from many threads.
        log: is told which apps are left out.

    Returns:
        how it went.

    Raises:
        JournalError: an answer could not be kept.
        KeyboardInterrupt: Ctrl-C; what came till then is kept.
    """
    concurrency = apps.config.refresh.concurrency
    lanes = Lanes(
        {app.appid: journal.unknown(app.appid, wanted.span, wanted.now) for app in wanted.apps},
        concurrency,
        time.monotonic,
    )
    asking = Asking(
        {app.appid: Course(app.name) for app in wanted.apps},
        apps.accesses,
        lanes,
        journal,
        answered,
        log,
        clock=time.time,
        random=random.random,
    )
    threads = [
        threading.Thread(target=asking.work, name=f"backfill-{number}", daemon=True)
        for number in range(min(concurrency, wanted.calls(journal)))
    ]
    try:
        for thread in threads:
            thread.start()
        _wait_for(threads)
    finally:
        lanes.close()
        apps.close()
        _wait_for(threads)
    if asking.fault is not None:
        raise asking.fault
    return asking


def _wait_for(threads: Sequence[threading.Thread]) -> None:
    for thread in threads:
        if thread.ident is not None:  # Ctrl-C may have come before it was started
            thread.join()
