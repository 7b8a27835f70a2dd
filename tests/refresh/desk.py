"""A ledger of one app with all that its calls need, on a clock that stands still."""

import threading
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from itertools import count

from structlog.typing import FilteringBoundLogger

from exporter.refresh.fetching import Fetcher
from exporter.refresh.plan import Ask, round_asks
from exporter.refresh.queue import Queue
from exporter.refresh.round_settings import RoundSettings
from exporter.store.entry import Entry
from exporter.store.ledger import Ledger
from exporter.wechat.access import Access
from tests.building import NOON, make_app

APP = make_app(1, "coffee-shop")


class Desk:
    """A fetcher of one app, with counts of answers by kind, of `revised` rows and `dropped` points."""

    def __init__(self, log: FilteringBoundLogger, settings: RoundSettings) -> None:
        self.now = NOON
        self.settings = settings
        self.ledger = Ledger(settings.trend_days, lambda: self.now)
        self.ledger.datasets = settings.datasets
        self.ledger.configure([(APP, "stable_token")], settings.trend_days, NOON)
        self.revised = self.dropped = 0
        self.counts: Counter[str] = Counter()
        self.stopping = threading.Event()
        self.fetcher = Fetcher(settings, self.ledger, self, log, lambda: self.now, lambda: 0.0, self.stopping)

    def row_revised(self) -> None:
        self.revised += 1

    def points_dropped(self, count: int) -> None:
        self.dropped += count

    def round_finished(self, seconds: float) -> None:
        raise NotImplementedError

    def calls_hang(self, count: int) -> None:
        raise NotImplementedError

    def work(self, access: Access, asks: Iterable[Ask] | None = None) -> None:
        """Make a round, or given asks and those that follow, without pauses between retries."""
        self.fetcher.settings = replace(self.settings, accesses={APP.appid: access})
        if asks is None:
            asks = round_asks([self.entry], self.now, self.settings)
        clock = count(step=100)
        queue = Queue(asks, 1e12, lambda: next(clock))
        while (ask := queue.take()) is not None:
            queue.done(ask, self.fetcher.fetch(ask, queue))
        self.counts += queue.counts

    @property
    def entry(self) -> Entry:
        entry = self.ledger.get(APP.appid)
        assert entry is not None
        return entry
