"""`backfill`: fetch past dates and write or send them as if the exporter had been running then."""

import argparse
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import requests
from structlog.typing import FilteringBoundLogger

from exporter.apps import Apps
from exporter.backfill import report, samples
from exporter.backfill.atomic_file import OutputError, check_writable, write_whole
from exporter.backfill.fetching import BackfillScope, fetch, take_over
from exporter.backfill.formats import BY_SUFFIX, OPENMETRICS, written
from exporter.backfill.journal import Journal, JournalError
from exporter.backfill.periods import Span, SpanError, read_span
from exporter.backfill.progress import ProgressLog, bar
from exporter.backfill.report import counted
from exporter.backfill.samples import SampleShape
from exporter.backfill.victoriametrics import Push, PushError, Target, read_target
from exporter.beijing import DAY_SECONDS
from exporter.commands.session import UsageError, chosen_apps, existing_store, needed_store, open_wechat
from exporter.config import ConfigError, durations, load
from exporter.config.datasets import usual_settings
from exporter.config.settings import Config
from exporter.config_warnings import config_warnings
from exporter.datasets.catalogue import BY_NAME
from exporter.datasets.period import DAY
from exporter.logs import open_log
from exporter.store.interface import StoreError
from exporter.store.opening import open_store
from exporter.wechat.endpoints import server_name

_LABEL: Final = re.compile(r"([a-zA-Z_][a-zA-Z0-9_]*)=(.*)", re.DOTALL)
_OURS: Final = frozenset({"appid", "name", "ref_date"})


@dataclass(frozen=True, slots=True)
class BackfillOptions:
    """The parsed flags; `apps` are names and appids, empty for all apps."""

    apps: tuple[str, ...]
    span: Span
    now: float
    shape: SampleShape
    output: Path | None
    written_as: str
    target: Target | None
    journal: Path


def run(flags: argparse.Namespace) -> int:
    """Return 0 if all dates are there, 3 if some are missing, 1 for a failure or Ctrl-C, 2 for bad usage."""
    try:
        config = load(Path(flags.config_file), os.environ)
        options = _read(flags, config, time.time())
        return _estimate(options, config, flags) if flags.dry_run else _carry_out(options, config, flags)
    except (ConfigError, SpanError, UsageError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except (JournalError, StoreError, OutputError, PushError) as error:
        sys.stderr.write(f"{error}\n")
    except KeyboardInterrupt:
        sys.stderr.write("interrupted: the journal keeps the answers so far, the same command continues\n")
    return report.FAILED


def _read(flags: argparse.Namespace, config: Config, now: float) -> BackfillOptions:
    if not flags.output and not flags.push:
        raise UsageError("say where the samples go: --output FILE, --push URL, or both")
    if flags.dataset not in BY_NAME:
        raise UsageError(f"--dataset {flags.dataset}: none of {', '.join(BY_NAME)}")
    output = Path(flags.output) if flags.output else None
    journal = flags.journal or (f"{output}.journal" if output else "backfill.journal")
    ending = output.suffix.lower() if output else ""
    on = {each.name: each for each in config.datasets}
    settings = on.get(flags.dataset) or usual_settings(flags.dataset)
    return BackfillOptions(
        tuple(flags.apps),
        read_span(flags.first, flags.last, now, BY_NAME[flags.dataset].calendar),
        now,
        SampleShape(_labels(flags.labels), _step(flags.resolution), samples.newest_moment(now), settings),
        output,
        flags.format or BY_SUFFIX.get(ending, OPENMETRICS),
        _target(flags.push) if flags.push else None,
        Path(journal),
    )


def _estimate(options: BackfillOptions, config: Config, flags: argparse.Namespace) -> int:
    """Print the number of calls needed, without a call or a change, for the accounts last listed."""
    log = _log(flags)
    with open_wechat(config, existing_store(config), log) as apps:
        for name in apps.unlisted:
            sys.stdout.write(f"platform {name}: its accounts are not known yet, and not counted\n")
        scope = _scope(options, apps)
        with _existing(options, config) as known:
            if flags.missing:
                take_over(apps.store, known, scope)
            calls = scope.calls(known)
    pace = config.refresh.requests_per_second
    least = f", at least {durations.written(round(calls / pace))} at {pace:g} per second" if pace else ""
    sys.stdout.write(
        f"{counted(calls, 'call')} for {counted(len(scope.apps), 'app')} and "
        f"{counted(options.span.periods, _noun(options))}, "
        f"{options.span.first} to {options.span.last}{least}\n"
    )
    return report.ALL


def _carry_out(options: BackfillOptions, config: Config, flags: argparse.Namespace) -> int:
    log = _log(flags)
    for config_warning in config_warnings(config):
        log.warning(config_warning.what, **config_warning.fields)
    store = open_store(config.storage) if flags.missing else needed_store(config)
    with open_wechat(config, store, log) as apps:
        searches = apps.list_accounts()
        scope = _scope(options, apps)
        if options.output is not None:
            check_writable(options.output)
        with _journal(options, config) as journal:
            if flags.missing:
                take_over(store, journal, scope)
            with _progress(scope.calls(journal), flags) as (answered, bar_log):
                fetcher = fetch(apps, scope, journal, answered, bar_log)
            periods = options.span.periods
            summaries = [
                report.AppSummary(
                    app.appid,
                    periods,
                    journal.count(app.appid, options.span, options.now),
                    fetcher.outcomes[app.appid],
                )
                for app in scope.apps
            ]
            if any(each.count.rows for each in summaries):
                _deliver(options, scope, journal, log)
            else:
                log.warning("there are no rows: nothing is written")
    unlisted = [(search.name, search.failure) for search in searches if search.failure is not None]
    report.write_table(summaries, sys.stdout)
    sentences = report.advice(
        summaries, unlisted, _noun(options), flags.log_language, out_of_reach=fetcher.out_of_reach
    )
    for sentence in sentences:
        sys.stdout.write(f"{sentence}\n")
    return report.exit_code(summaries, unlisted)


def _deliver(
    options: BackfillOptions, scope: BackfillScope, journal: Journal, log: FilteringBoundLogger
) -> None:
    if options.output is not None:
        size = write_whole(
            options.output, written(options.written_as, journal, scope.apps, scope.span, options.shape)
        )
        log.info("written", output=str(options.output), format=options.written_as, bytes=size)
    if options.target is not None:
        with requests.Session() as session:
            push = Push(session, options.target, options.shape, log, time.sleep)
            rows = push.send(journal, scope.apps, scope.span)
        log.info("all pushed", rows=rows, target=options.target.place)


@contextmanager
def _progress(
    calls: int, flags: argparse.Namespace
) -> Iterator[tuple[Callable[[], None], FilteringBoundLogger]]:
    """Yield the function to call for each answer, and a log that does not disturb the progress bar."""
    if sys.stderr.isatty() and calls:
        with bar(calls, sys.stderr) as answered:  # replaces sys.stderr meanwhile
            yield answered, _log(flags)
    else:
        log = _log(flags)
        log.info("asking", of=calls)
        yield ProgressLog(calls, log, time.monotonic).answered, log


def _log(flags: argparse.Namespace) -> FilteringBoundLogger:
    return open_log(flags.log_level, flags.log_format, sys.stderr, flags.log_language)


def _journal(options: BackfillOptions, config: Config) -> Journal:
    return Journal(options.journal, server_name(config.wechat.base_url), options.shape.dataset)


def _existing(options: BackfillOptions, config: Config) -> Journal:
    if not options.journal.exists():
        return Journal("", server_name(config.wechat.base_url), options.shape.dataset)
    with _journal(options, config) as journal:
        return journal.copy()


def _noun(options: BackfillOptions) -> str:
    calendar = options.span.calendar
    return "date" if calendar is DAY else calendar.name


def _scope(options: BackfillOptions, apps: Apps) -> BackfillScope:
    return BackfillScope(chosen_apps(apps, options.apps), options.span, options.now)


def _labels(pairs: Sequence[str]) -> dict[str, str]:
    labels = {}
    for pair in pairs:
        match = _LABEL.fullmatch(pair)
        if match is None or match[1] in _OURS or match[1].startswith("__"):
            raise UsageError(f"--label {pair}: not NAME=VALUE, or appid, name, ref_date, which are taken")
        labels[match[1]] = match[2]
    return labels


def _step(resolution: str | None) -> int | None:
    if resolution is None:
        return None
    try:
        step = durations.parse(resolution)
    except ValueError:
        step = 0.0
    if not step.is_integer() or not 1 <= step <= DAY_SECONDS:
        raise UsageError(f"--resolution {resolution}: not whole seconds between 1s and 1d, such as 5m")
    return int(step)


def _target(url: str) -> Target:
    try:
        return read_target(url)
    except ValueError as error:
        raise UsageError(f"--push: {error}") from error
