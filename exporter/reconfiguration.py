"""Applies changes to the running parts: a new configuration file, and new accounts of platforms."""

import os
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from structlog.typing import FilteringBoundLogger

from exporter.apps import Apps
from exporter.config import ConfigError, load
from exporter.config.settings import Config
from exporter.config.token_types import ThirdParty
from exporter.config_warnings import ConfigWarnings
from exporter.discovery.platform_watch import WatchFindings
from exporter.exposition.publisher import Publisher
from exporter.exposition.telemetry import Telemetry
from exporter.refresh.plan import dataset_names
from exporter.refresh.reload_summary import reload_summary, switched
from exporter.refresh.round_settings import RoundSettings, round_settings
from exporter.refresh.rounds import Rounds
from exporter.store.interface import Store, StoreError
from exporter.store.ledger import Ledger
from exporter.store.opening import sweep
from exporter.store.restoring import restore
from exporter.wechat.endpoints import endpoints_of
from exporter.wechat.failures.failure import Reason
from exporter.wechat.tokens.shared import longest_wait


def settings_of(config: Config, apps: Apps, store: Store) -> RoundSettings:
    """Return the settings of the rounds for a configuration."""
    return round_settings(config, apps.accesses, 0.0 if store.leases is None else longest_wait(config))


@dataclass(slots=True)
class Reconfiguration:
    """Applies changes, from any thread; `outlook` describes the effect of the last reload."""

    config: Config
    apps: Apps
    ledger: Ledger
    publisher: Publisher
    rounds: Rounds
    store: Store
    telemetry: Telemetry
    log: FilteringBoundLogger
    clock: Callable[[], float]
    outlook: str = ""
    _warnings: ConfigWarnings = field(init=False)
    _changing: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """Show the configuration's apps with their stored rows; raise StoreError."""
        self._warnings = ConfigWarnings(self.log)
        self._show(self.config, self.rounds.settings)
        restore(self.ledger, self.store, self.apps.accesses, self.log)

    def reload(self) -> str | None:
        """Read the configuration again; it takes effect as a whole or not at all.

        Return what is wrong with the new one, None once it is in force.
        """
        problem = None
        with self._changing:
            try:
                config = load(self.config.path, os.environ)
                if config.storage != self.config.storage:
                    raise ConfigError((f"{config.path}: storage cannot change while the exporter runs",))  # noqa: TRY301
                self._apply(config)
            except ConfigError as error:
                problem = str(error)
            except OSError as error:
                problem = f"{self.config.path}: {error.strerror}; is the working directory there?"
            except Exception as error:  # noqa: BLE001 - whatever it was, the exporter goes on
                problem = f"internal fault: {type(error).__name__}: {error}"
        if problem is None:
            outlook = {"outlook": self.outlook} if self.outlook else {}
            self.log.info("configuration reloaded", apps=len(self.config.apps), **outlook)
        else:
            self.telemetry.reload_failed()
            self.log.error("configuration refused, the old one stays", error=problem)
        return problem

    def refresh_all(self) -> str:
        """Ask for all apps now, except what a reload leaves paused; describe who is asked and who waits."""
        self.ledger.ask_all_again()
        outlook = reload_summary(self.ledger.entries(), self.clock(), self.rounds.settings)
        self.rounds.hasten()
        return outlook

    def refresh(self, appid: str) -> bool:
        """Ask for an app now, even if it is paused; return False if it is unknown."""
        found = [app.appid for app in self.apps.own if app.appid.lower() == appid]
        if found:
            self.ledger.ask_again(found)
            self.rounds.hasten()
        return bool(found)

    def follow(self, news: WatchFindings) -> None:
        """Ask for newly found accounts, and again for calls that may work now."""
        if news.apps_changed:
            self._take_discovered()
        for platform, reasons in news.retries:
            self._retry(platform, reasons)

    def _apply(self, config: Config) -> None:
        before = self._datasets(self.rounds.settings)
        self.apps.configure(config)
        settings = settings_of(config, self.apps, self.store)
        self._show(config, settings)
        self._restore_new()
        sweep(self.store, self.log)  # the encryption key in the file may be a new one
        now_on = switched(before, self._datasets(settings))
        summary = reload_summary(self.ledger.entries(), self.clock(), settings)
        self.outlook = "; ".join(filter(None, (now_on, summary)))
        self.rounds.reconfigure(settings)

    def _show(self, config: Config, settings: RoundSettings) -> None:
        """Apply a configuration, for which WeChat is already open, to ledger, page and metrics."""
        self.config = config
        self._warnings.log_new(config)
        self.publisher.history_days = settings.history_days
        self.ledger.quota = settings.quota is not None
        self.ledger.datasets = settings.datasets
        self.ledger.configure(
            self.apps.kinds, settings.trend_days, self.clock(), settings.server, self._renewed()
        )
        self.telemetry.configured(len(self.apps.own), settings.interval)
        self.telemetry.expect(endpoints_of(each.name for each in config.datasets))

    def _datasets(self, settings: RoundSettings) -> dict[str, list[str]]:
        """Return the names of each app's datasets, by appid."""
        return {entry.app.appid: dataset_names(entry, settings) for entry in self.ledger.entries()}

    def _renewed(self) -> set[tuple[str, str]]:
        """Return the apps' datasets (appid, name) whose credential has changed since WeChat refused it."""
        refused = {
            (entry.app.appid, name): fingerprint
            for entry in self.ledger.entries()
            for name in entry.names
            if (fingerprint := entry.table(name).health.fingerprint) is not None
        }
        accesses = self.apps.accesses
        return {
            (appid, name)
            for (appid, name), fingerprint in refused.items()
            if appid in accesses and accesses[appid].fingerprint() not in (fingerprint, b"")
        }

    def _restore_new(self) -> None:
        """Restore stored rows of apps that have just come, as they may have been here before."""
        try:
            restore(self.ledger, self.store, self.apps.accesses, self.log)
        except StoreError as error:
            self.log.error("rows not restored", error=str(error))

    def _take_discovered(self) -> None:
        """Add the accounts that were found and drop those that are gone."""
        with self._changing:
            before = self.apps.own
            self.apps.gather()
            if self.apps.own != before:
                self.ledger.discovered(self.apps.kinds)
                self._restore_new()
                self.telemetry.found_apps(len(self.apps.own))
                self.rounds.reconfigure(settings_of(self.config, self.apps, self.store))

    def _retry(self, platform: str, reasons: Collection[Reason]) -> None:
        """Ask for a platform's apps that failed for certain reasons, such as a missing verify ticket."""
        lacked = [
            entry.app.appid
            for entry in self.ledger.entries()
            if entry.health.reason in reasons
            and isinstance(entry.app.token, ThirdParty)
            and entry.app.token.platform == platform
        ]
        if lacked:
            self.ledger.ask_again(lacked)
            self.rounds.hasten()
