"""`check`: validates the configuration and, with --online, asks WeChat for each app."""

import argparse
import os
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from exporter import capacity
from exporter.apps import Apps
from exporter.backfill.report import counted
from exporter.beijing import yesterday
from exporter.commands.call_details import CallDetails
from exporter.commands.probe import ProbeResult, probe
from exporter.commands.session import UsageError, chosen_apps, needed_store, open_wechat
from exporter.config import ConfigError, load
from exporter.config.apps import App
from exporter.config.redacted import config_text
from exporter.config.settings import Config
from exporter.config_warnings import config_warnings, doubts
from exporter.datasets.daily_trend import FIELDS
from exporter.datasets.dataset import Row
from exporter.discovery.account_search import AccountSearch
from exporter.logs import open_log
from exporter.shards import Shard, ShardError, choose_shard
from exporter.store.interface import StoreError
from exporter.store.opening import storage_doubts
from exporter.web.webconfig import loading as webconfig
from exporter.wechat import endpoints
from exporter.wechat.endpoints import Endpoint
from exporter.wechat.failures.errcodes import failure
from exporter.wechat.failures.failure import Failure, Reason


def run(flags: argparse.Namespace) -> int:
    """Return 0 if all is well, 1 if an app, a platform or the storage fails, 2 for bad usage or files."""
    try:
        shard = choose_shard(flags.shard, flags.total_shards, os.environ)
        config = load(Path(flags.config_file), os.environ)
        if flags.web_config_file is not None:
            webconfig.load(Path(flags.web_config_file), os.environ)
        config = replace(config, apps=tuple(app for app in config.apps if shard.owns(app.appid)))
        if flags.print_config:
            sys.stdout.write(config_text(config))
            return 0
        return _check(config, shard, flags)
    except (ConfigError, ShardError, UsageError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except StoreError as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _check(config: Config, shard: Shard, flags: argparse.Namespace) -> int:
    sys.stdout.write(f"{config.path}: OK\n")
    if flags.web_config_file is not None:
        sys.stdout.write(f"{flags.web_config_file}: OK\n")
    for warning in (*config_warnings(config), *doubts(config), *storage_doubts(config.storage)):
        sys.stderr.write(f"warning: {warning}\n")
    report = _Report(config, shard, flags.log_language or _language(os.environ))
    if flags.online:
        return _check_online(config, shard, report, flags.apps)
    report.write_capacity(len(config.apps))
    for platform in config.platforms:
        if platform.discovery is not None:
            sys.stdout.write(f"platform {platform.name}: --online counts its accounts too\n")
    report.write_warnings(len(config.apps))
    return 0


def _check_online(config: Config, shard: Shard, report: "_Report", names: Sequence[str]) -> int:
    """Ask for the newest row of the shard's apps, or of those named, and print a line for each.

    For named apps also print WeChat's answer to each call.
    """
    store = needed_store(config)
    log, latency, details = open_log("error", "logfmt"), _Latency(), CallDetails(sys.stdout.write)
    with open_wechat(config, store, log, observer=details if names else latency, shard=shard) as apps:
        if names:
            apps.client.record = details.answered
            apps.list_accounts()
            chosen = chosen_apps(apps, names)
            return 1 if sum([report.write_app(app, _probed(apps, log, app)) for app in chosen]) else 0
        if store.leases is not None:
            sys.stdout.write(f"storage {config.storage.url}: OK\n")
        failed = sum([report.write_platform(search) for search in apps.list_accounts()])
        report.write_capacity(len(apps.own))
        results = _ask_all(apps, report, log)
        report.write_warnings(len(apps.own), latency.mean)
        refused = sum(result.refused for result in results)
        of_datasets = refused - sum(result.trend_refused for result in results)
        which = f"{counted(of_datasets, 'app')} with failing datasets alone; " if of_datasets else ""
        sys.stdout.write(f"{which}{len(results) - refused} of {counted(len(results), 'app')} OK\n")
    return 1 if refused or failed else 0


def _ask_all(apps: Apps, report: "_Report", log: FilteringBoundLogger) -> list[ProbeResult]:
    """Ask for every app, several at a time."""
    results = []
    with ThreadPoolExecutor(apps.config.refresh.concurrency) as threads:
        for app, result in zip(apps.own, threads.map(partial(_probed, apps, log), apps.own), strict=True):
            report.write_app(app, result)
            results.append(result)
    return results


def _probed(apps: Apps, log: FilteringBoundLogger, app: App) -> ProbeResult:
    return probe(apps.accesses[app.appid], apps.config.datasets_of(app), yesterday(time.time()), log)


class _Latency:
    """Measures the latency of WeChat's answers."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count, self._seconds = 0, 0.0

    def __call__(self, endpoint: Endpoint, seconds: float, reason: Reason | None) -> None:
        """Count a call; failed calls do not count, as they say little about others."""
        if endpoint == endpoints.DAILY_VISIT_TREND and reason is None:
            with self._lock:
                self._count, self._seconds = self._count + 1, self._seconds + seconds

    @property
    def mean(self) -> float | None:
        """Return the mean seconds per call; None without calls."""
        return self._seconds / self._count if self._count else None


class _Report:
    """Writes results, with advice in the reader's language."""

    def __init__(self, config: Config, shard: Shard, language: str) -> None:
        self._config = config
        self._shard = shard
        self._language = language

    def write_capacity(self, apps: int) -> None:
        """Write the cost of running a number of apps."""
        part = f"shard {self._shard}: " if self._shard.total > 1 else ""
        sys.stdout.write(f"{part}{capacity.summary(capacity.estimate(self._config, apps))}\n")

    def write_warnings(self, apps: int, latency: float | None = None) -> None:
        """Write warnings about running a number of apps."""
        for warning in capacity.warnings(capacity.estimate(self._config, apps, latency), self._config):
            sys.stderr.write(f"warning: {warning}\n")

    def write_platform(self, search: AccountSearch) -> bool:
        """Write the result of listing a platform's accounts; return whether it failed for any."""
        name, without = f"platform {search.name}", search.without
        if search.failure is not None:
            self.write_outcome(name, search.failure)
            return True
        others = sum(not each.is_app for each in search.known.values())
        kinds = f", {others} of them no mini program" if others else ""
        sys.stdout.write(f"{name}: OK, {counted(len(search.known), 'account')}{kinds}\n")
        if without:
            words = f"{counted(len(without), 'account')} without a refresh token, first {without[0]}"
            self.write_outcome(name, failure(Reason.THIRD_PARTY_REFRESH_TOKEN, words))
        return bool(without)

    def write_app(self, app: App, result: ProbeResult) -> bool:
        """Write an app's line and below it its failed datasets with advice; return whether any failed."""
        about = f"{_shown(app.name)} ({app.appid})"
        problems = [(name, problem) for name, problem in result.datasets if problem is not None]
        good = len(result.datasets) - len(problems)
        words = [f"{counted(good, 'dataset')} OK"] if good else []
        words += [f"{name}: no row yet ({each.reason})" for name, each in problems if each.reason.is_state]
        self._write(about, "; ".join([*self._worded(result.trend).split("\n", 1)[:1], *words]))
        if isinstance(result.trend, Failure) and not result.trend.reason.is_state:
            sys.stdout.write(f"    {self._advice(result.trend)}\n")
        for name, problem in problems:
            if not problem.reason.is_state:
                self._write(f"    {name}", self._worded(problem).replace("\n", "\n    "))
        return result.refused

    def write_outcome(self, about: str, outcome: Row | Failure) -> None:
        """Write an outcome on a separate line."""
        self._write(about, self._worded(outcome))

    def _write(self, about: str, words: str) -> None:
        sys.stdout.write(f"{about}: {words}\n")
        sys.stdout.flush()

    def _advice(self, problem: Failure) -> str:
        return problem.advice.text(self._language)

    def _worded(self, outcome: Row | Failure) -> str:
        if isinstance(outcome, Row):
            figures = ", ".join(
                f"{field.name} {value}"
                for field, value in zip(FIELDS, outcome.values, strict=True)
                if value is not None
            )
            return f"OK, {outcome.ref_date}: {figures}"
        advice = self._advice(outcome)
        if outcome.reason.is_state:
            return f"OK, but no row yet ({outcome.reason}). {advice}"
        return f"FAILED, {outcome.reason}: {outcome.detail}\n    {advice}"


def _shown(name: str) -> str:
    """Return a name on one line."""
    return name if name.isprintable() else repr(name)


def _language(environ: Mapping[str, str]) -> str:
    """Return the language of the locale: `zh`, or `en` for every other one."""
    locale = environ.get("LC_ALL") or environ.get("LC_MESSAGES") or environ.get("LANG") or ""
    return "zh" if locale.startswith("zh") else "en"
