"""The running exporter: its parts put together, started, reloaded and stopped."""

import os
import random
import threading
import time
from collections.abc import Callable, Collection
from typing import Final

from structlog.typing import FilteringBoundLogger

from exporter.apps import Apps
from exporter.config import ConfigError, load
from exporter.config.settings import Config, ThirdParty
from exporter.config_warnings import ConfigWarnings
from exporter.datasets.enabled import enabled
from exporter.datasets.quota import QUOTA
from exporter.discovery.watch import PlatformWatch
from exporter.exposition.publisher import Publisher
from exporter.exposition.telemetry import Telemetry
from exporter.refresh.fetching import Fetching
from exporter.refresh.fleet import Fleet
from exporter.refresh.hung_calls import patience
from exporter.refresh.outlook import outlook
from exporter.refresh.plan import Policy
from exporter.refresh.rounds import Rounds
from exporter.shards import THE_WHOLE, Shard
from exporter.store.entry import Table
from exporter.store.interface import StoreError
from exporter.store.ledger import Ledger
from exporter.store.opening import claim_store, sweep
from exporter.store.servers import server_name
from exporter.store.shared import is_shared, turns
from exporter.wechat.endpoints import endpoints_of
from exporter.wechat.failures.failure import Reason
from exporter.wechat.tokens.shared import WAITS, longest_patience

_FINISH_SECONDS: Final = 1.0
_UNTOUCHED: Final = Table()


class Exporter:
    """Everything but the web: what it shows is `publisher.page` and `telemetry`."""

    def __init__(
        self,
        config: Config,
        log: FilteringBoundLogger,
        clock: Callable[[], float] = time.time,
        shard: Shard = THE_WHOLE,
    ) -> None:
        """Open the storage and show what it holds of the shard's apps; nothing is asked of WeChat yet.

        Raises:
            StoreError: the storage cannot be opened.
        """
        self.config = config
        self.shard = shard
        self.log = log
        self._clock = clock
        self._stopping = threading.Event()
        self._reloading = threading.Lock()
        self.outlook = ""
        """What the last reload has led to."""
        self.telemetry = Telemetry(clock)
        self.telemetry.sharded(shard)
        self._store = claim_store(
            config.storage,
            self.telemetry.storage_written,
            lambda count, first: log.warning("stored rows skipped", rows=count, first=first),
        )
        sweep(self._store, log)
        self._config_warnings = ConfigWarnings(log)
        self.watch = PlatformWatch(
            self._store,
            self._take_discovered,
            self.telemetry,
            log,
            clock=clock,
            stopping=self._stopping,
            turn=turns(self._store),
        )
        self.apps = Apps(
            config,
            self._store,
            self.watch,
            stopping=self._stopping,
            observer=self.telemetry.call,
            clock=clock,
            shard=shard,
        )
        policy = _policy(config)
        self.ledger = Ledger(policy.keep_days, clock)
        self.publisher = Publisher(self.ledger, self._store, policy.history_days, log, clock)
        fetching = Fetching(
            self._take_over(config),
            self.ledger,
            self.telemetry.row_revised,
            log,
            clock=clock,
            random=random.random,
            stopping=self._stopping,
        )
        self._restore()
        self.publisher.publish()
        self.worker = Rounds(self.ledger, fetching, self.telemetry, log, clock=clock, stopping=self._stopping)
        self.watch.retry = self._retry
        self._threads = [
            threading.Thread(target=self.worker.run, name="rounds", daemon=True),
            threading.Thread(target=self.watch.run, name="platforms", daemon=True),
            threading.Thread(
                target=self.publisher.run, args=(self._stopping,), name="publisher", daemon=True
            ),
        ]

    def start(self) -> None:
        """Begin the first round."""
        for thread in self._threads:
            thread.start()

    @property
    def storage_trouble(self) -> str:
        """Why the storage fails; empty while it works."""
        return self.publisher.trouble

    def ailment(self) -> str | None:
        """Why the exporter cannot go on by itself; None while it can."""
        now = time.monotonic()
        if self.worker.heartbeat.late(now):
            return "the rounds have stopped"
        if self.publisher.heartbeat.late(now):
            return "the publisher has stopped: is the storage on a disk that does not answer?"
        if self.worker.exhausted:
            return "all calls hang: does the name service answer, are mounted files there?"
        return None

    def reload(self) -> str | None:
        """Read the configuration again: all of it takes effect, or nothing.

        Returns:
            what is wrong with the new one, None where it is in force; `outlook` says what follows then.
        """
        with self._reloading:
            try:
                config = load(self.config.path, os.environ)
                if config.storage != self.config.storage:
                    raise ConfigError((f"{config.path}: storage cannot change while the exporter runs",))  # noqa: TRY301
                self._follow(config)
            except ConfigError as error:
                return self._refuse(str(error))
            except OSError as error:
                return self._refuse(f"{self.config.path}: {error.strerror}; is the working directory there?")
            except Exception as error:  # noqa: BLE001 - whatever it was, the exporter goes on
                return self._refuse(f"internal fault: {type(error).__name__}: {error}")
            self.log.info("configuration reloaded", apps=len(config.apps), outlook=self.outlook)
            return None

    def _refuse(self, problem: str) -> str:
        self.telemetry.reload_failed()
        self.log.error("configuration refused, the old one stays", error=problem)
        return problem

    def _follow(self, config: Config) -> None:
        """Work by another configuration from now on."""
        self.apps.configure(config)
        fleet = self._take_over(config)
        self._restore_new()
        sweep(self._store, self.log)  # the file of the encryption key may have a new one
        self.outlook = outlook(self.ledger.entries(), self._clock())
        self.worker.reconfigure(fleet)

    def stop(self, seconds: float) -> None:
        """Abandon the calls under way, store what came, close the storage; at most that many seconds."""
        deadline = time.monotonic() + seconds
        self._stopping.set()
        self.worker.stop()
        self.watch.stop()
        self.ledger.close()
        self.apps.close()
        for thread in filter(threading.Thread.is_alive, self._threads):
            thread.join(max(0.0, deadline - time.monotonic()))
        last = threading.Thread(target=self._finish, name="finish", daemon=True)
        last.start()  # a storage that does not answer must not hold up the end
        last.join(max(_FINISH_SECONDS, deadline - time.monotonic()))

    def _finish(self) -> None:
        try:
            self.publisher.publish()
        finally:
            self._store.close()

    def _take_over(self, config: Config) -> Fleet:
        """Work by the configuration that WeChat was opened for."""
        self._config_warnings.tell(config)
        apps = self.apps.kinds
        self.config = config
        policy = _policy(config)
        self.publisher.history_days = policy.history_days
        self.ledger.quota = policy.quota is not None
        self.ledger.datasets = {each.name: each for each in policy.datasets}
        self.ledger.configure(apps, policy.keep_days, self._clock(), policy.server, self._mended())
        self.telemetry.configured(len(apps), config.refresh.interval)
        self.telemetry.expect(endpoints_of(each.name for each in config.datasets))
        return self._fleet()

    def _mended(self) -> set[str]:
        """The apps whose credential is another one than WeChat has refused."""
        refused = {
            entry.app.appid: entry.health.fingerprint
            for entry in self.ledger.entries()
            if entry.health.fingerprint is not None
        }
        return {
            appid
            for appid, fingerprint in refused.items()
            if appid in self.apps.accesses
            and self.apps.accesses[appid].fingerprint() not in (fingerprint, b"")
        }

    def _fleet(self) -> Fleet:
        config, refresh = self.config, self.config.refresh
        waits = WAITS * longest_patience(config) if is_shared(self._store) else 0.0
        return Fleet(
            self.apps.accesses,
            _policy(config),
            refresh.concurrency,
            patience(config.wechat, refresh) + waits,
        )

    def _take_discovered(self) -> None:
        """Report on the accounts that were found, and no longer on those that are gone."""
        with self._reloading:
            before = self.apps.own
            self.apps.gather()
            if self.apps.own != before:
                apps = self.apps.kinds
                self.ledger.discovered(apps)
                self._restore_new()
                self.telemetry.found_apps(len(apps))
                self.worker.reconfigure(self._fleet())

    def _restore(self) -> None:
        """Take over what is kept of the apps that were not asked yet; raises StoreError."""
        server = _policy(self.config).server
        new = [entry for entry in self.ledger.entries() if entry.health.last_refresh is None]
        bare = [entry.app.appid for entry in new if not entry.rows]
        if bare:
            self.ledger.restore(self._store.load(server, bare))
        for each in self.ledger.datasets.values():
            appids = [
                entry.app.appid
                for entry in self.ledger.entries()
                if each.belongs_to(entry.app) and entry.table(each.name) == _UNTOUCHED
            ]
            if appids:
                self.ledger.restore(self._store.load(server, appids, each.dataset), each.name)
        if not new:
            return
        refused = {
            appid: refusal
            for appid, refusal in self._store.refusals(server, [entry.app.appid for entry in new]).items()
            if refusal.fingerprint in (None, self.apps.accesses[appid].fingerprint())
        }
        if refused:
            self.ledger.refused(refused)
            self.log.warning(
                "apps refused before the restart stay paused", apps=len(refused), first=min(refused)
            )

    def _restore_new(self) -> None:
        """Take over what is kept of apps that have just come, which may have been here before."""
        try:
            self._restore()
        except StoreError as error:
            self.log.error("rows not restored", error=str(error))

    def _retry(self, platform: str, reasons: Collection[Reason]) -> None:
        """Ask for the platform's apps that failed for these reasons, such as the lack of a verify ticket."""
        lacked = [
            entry.app.appid
            for entry in self.ledger.entries()
            if entry.health.reason in reasons
            and isinstance(entry.app.token, ThirdParty)
            and entry.app.token.platform == platform
        ]
        if lacked:
            self.ledger.ask_again(lacked)
            self.worker.reconfigure(self._fleet())

    @property
    def ready(self) -> bool:
        """Whether every app was asked or restored, and the platforms' accounts were looked up."""
        return self.publisher.page.ready and self.watch.settled


def _policy(config: Config) -> Policy:
    refresh = config.refresh
    server = server_name(config.wechat.base_url)
    datasets = enabled(config.datasets)
    quota = next((each for each in config.datasets if each.name == QUOTA), None)
    return Policy(refresh.history_days, refresh.revisit_days, server, refresh.interval, datasets, quota)
