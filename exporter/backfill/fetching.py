"""Fetches what the journal lacks: opens the line to WeChat, runs the threads, ends them well."""

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from structlog.typing import FilteringBoundLogger

from exporter.backfill.asking import Asking, Course
from exporter.backfill.journal import Journal
from exporter.backfill.lanes import Lanes
from exporter.backfill.span import Span
from exporter.config.settings import App, Config
from exporter.refresh.pace import Pace
from exporter.store.interface import Store
from exporter.wechat.opening import open_line
from exporter.wechat.pool import TokenPool, pooled_shelves
from exporter.wechat.tokens import Shelves, own_shelves
from exporter.wechat.ways import choose_way


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which apps and dates are wanted, and when that was said (Unix time)."""

    apps: tuple[App, ...]
    span: Span
    now: float

    def calls(self, journal: Journal) -> int:
        """How many calls it takes to know them all, tokens and retries left aside."""
        counts = (journal.count(app.appid, self.span, self.now) for app in self.apps)
        return self.span.days * len(self.apps) - sum(count.rows + count.empty for count in counts)


def take_over(store: Store, journal: Journal, wanted: Wanted) -> int:
    """Copy the wanted rows that the exporter's storage holds and the journal lacks; says how many.

    Raises:
        StoreError: the storage cannot be read.
        JournalError: the journal cannot be written.
    """
    appids = {app.appid for app in wanted.apps}
    taken = 0
    for appid, rows in store.load():
        if appid in appids:
            new = [
                (appid, held.row.ref_date, held.row, held.fetched_at)
                for held in rows
                if wanted.span.first <= held.row.ref_date <= wanted.span.last
                and not journal.knows(appid, held.row.ref_date, wanted.now)
            ]
            journal.keep(new)
            taken += len(new)
    return taken


def fetch(
    config: Config,
    wanted: Wanted,
    journal: Journal,
    answered: Callable[[], None],
    log: FilteringBoundLogger,
    pool: TokenPool | None = None,
) -> Asking:
    """Ask WeChat for every wanted date that the journal lacks.

    Args:
        config: gives WeChat's address, the pace and the number of calls at a time.
        wanted: which apps and dates.
        journal: gets the answers.
        answered: is called after each one, from many threads.
        log: is told which apps are left out.
        pool: tokens that are shared with running exporters.

    Returns:
        how it went.

    Raises:
        JournalError: an answer could not be kept.
        KeyboardInterrupt: Ctrl-C; what came till then is kept.
    """
    stopping = threading.Event()
    pace = Pace(config.refresh.requests_per_second, time.monotonic, stopping.wait)
    line = open_line(config.wechat, config.refresh.concurrency, lambda *_: None, pace.wait)
    shelves: Shelves = own_shelves
    if pool is not None:
        shelves = pooled_shelves(pool, line, config, stopping.wait)
    lanes = Lanes(
        {app.appid: journal.unknown(app.appid, wanted.span, wanted.now) for app in wanted.apps},
        config.refresh.concurrency,
        time.monotonic,
    )
    asking = Asking(
        {app.appid: Course(app.name) for app in wanted.apps},
        {app.appid: choose_way(app, line, shelves=shelves) for app in wanted.apps},
        lanes,
        journal,
        answered,
        log,
        clock=time.time,
        random=random.random,
    )
    threads = [
        threading.Thread(target=asking.work, name=f"backfill-{number}", daemon=True)
        for number in range(min(config.refresh.concurrency, wanted.calls(journal)))
    ]
    try:
        for thread in threads:
            thread.start()
        _wait_for(threads)
    finally:
        lanes.close()
        stopping.set()
        line.transport.stop()
        _wait_for(threads)
    if asking.fault is not None:
        raise asking.fault
    return asking


def _wait_for(threads: Sequence[threading.Thread]) -> None:
    for thread in threads:
        if thread.ident is not None:  # Ctrl-C may have come before it was started
            thread.join()
