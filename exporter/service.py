"""The running exporter: assembles its parts, starts and stops them."""

import random
import threading
import time
from collections.abc import Callable
from typing import Final

from structlog.typing import FilteringBoundLogger

from exporter.apps import Apps
from exporter.config.settings import Config
from exporter.discovery.platform_watch import PlatformWatch
from exporter.exposition.publisher import Publisher
from exporter.exposition.telemetry import Telemetry
from exporter.reconfiguration import Reconfiguration, settings_of
from exporter.refresh.fetching import Fetcher
from exporter.refresh.rounds import Rounds
from exporter.shards import THE_WHOLE, Shard
from exporter.store.ledger import Ledger
from exporter.store.opening import claim_store, sweep

_FINISH_SECONDS: Final = 1.0
_FAULT_SECONDS: Final = 5.0


class Exporter:
    """The exporter without its web server, which shows `publisher.page` and `telemetry`.

    `reconfiguration` has the configuration in force, and reloads it.
    """

    def __init__(
        self,
        config: Config,
        log: FilteringBoundLogger,
        clock: Callable[[], float] = time.time,
        shard: Shard = THE_WHOLE,
    ) -> None:
        """Open the storage and show its rows of the shard's apps, calling nobody; raise StoreError."""
        self.shard = shard
        self.log = log
        self._stopping = stopping = threading.Event()
        self.telemetry = Telemetry(clock)
        self.telemetry.sharded(shard)
        self._store = store = claim_store(
            config.storage,
            self.telemetry.storage_written,
            lambda count, first: log.warning("stored rows skipped", rows=count, first=first),
        )
        sweep(store, log)
        self.watch = PlatformWatch(log, self.telemetry.platforms, stopping=stopping, leases=store.leases)
        self.apps = Apps(
            config,
            store,
            self.watch,
            stopping=stopping,
            observer=self.telemetry.call,
            clock=clock,
            shard=shard,
        )
        settings = settings_of(config, self.apps, store)
        self.ledger = Ledger(settings.trend_days, clock)
        self.publisher = Publisher(self.ledger, store, settings.history_days, log, clock)
        self.rounds = Rounds(
            Fetcher(settings, self.ledger, self.telemetry, log, clock, random.random, stopping)
        )
        self.reconfiguration = Reconfiguration(
            config, self.apps, self.ledger, self.publisher, self.rounds, store, self.telemetry, log, clock
        )
        self.publisher.publish()
        self._threads = [
            threading.Thread(target=self.rounds.run, name="rounds", daemon=True),
            threading.Thread(target=self._follow_platforms, name="platforms", daemon=True),
            threading.Thread(target=self.publisher.run, args=(stopping,), name="publisher", daemon=True),
        ]

    def start(self) -> None:
        """Begin the first round."""
        for thread in self._threads:
            thread.start()

    @property
    def ready(self) -> bool:
        """Return whether every app has been asked for or restored, and every platform's accounts listed."""
        return self.publisher.page.ready and self.watch.settled

    def ailment(self) -> str | None:
        """Return why the exporter cannot continue without a restart; None while it can."""
        now = time.monotonic()
        if self.rounds.heartbeat.late(now):
            return "the rounds have stopped"
        if self.publisher.heartbeat.late(now):
            return "the publisher has stopped: is the storage on a disk that does not answer?"
        if self.rounds.exhausted:
            return "all calls hang: does the name service answer, are mounted files there?"
        return None

    def stop(self, seconds: float) -> None:
        """Abandon calls under way, store the answers so far and close the storage, within `seconds`."""
        deadline = time.monotonic() + seconds
        self._stopping.set()
        self.rounds.stop()
        self.watch.stop()
        self.ledger.close()
        self.apps.close()
        for thread in filter(threading.Thread.is_alive, self._threads):
            thread.join(max(0.0, deadline - time.monotonic()))
        last = threading.Thread(target=self._finish, name="finish", daemon=True)
        last.start()  # a silent storage must not delay the end
        last.join(max(_FINISH_SECONDS, deadline - time.monotonic()))

    def _finish(self) -> None:
        try:
            self.publisher.publish()
        finally:
            self._store.close()

    def _follow_platforms(self) -> None:
        while not self._stopping.is_set():
            try:
                self.reconfiguration.follow(self.watch.look())
            except Exception as error:
                self.log.exception("internal fault", error=type(error).__name__)
                self._stopping.wait(_FAULT_SECONDS)
            self.watch.wait()
