"""`check`: is the configuration good, and, with --online, does WeChat answer for each app?"""

import argparse
import os
import sys
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from exporter import capacity
from exporter.config import ConfigError, load
from exporter.config.settings import AccessToken, App, Config
from exporter.refresh.pace import Pace
from exporter.trend import FIELDS, Row, yesterday
from exporter.web import webconfig
from exporter.wechat.errors import CallError, Failure
from exporter.wechat.opening import open_line
from exporter.wechat.ways import choose_way


def run(flags: argparse.Namespace) -> int:
    """Exit code 2: bad configuration; 1: WeChat refuses an app; 0: all well."""
    try:
        config = load(Path(flags.config_file), os.environ)
        if flags.web_config_file is not None:
            webconfig.load(Path(flags.web_config_file), os.environ)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    cost = capacity.estimate(config)
    sys.stdout.write(f"{config.path}: OK\n{capacity.told(cost)}\n")
    for warning in capacity.warnings(cost, config):
        sys.stderr.write(f"warning: {warning}\n")
    if flags.web_config_file is not None:
        sys.stdout.write(f"{flags.web_config_file}: OK\n")
    return check_online(config, chinese=_prefers_chinese(os.environ)) if flags.online else 0


def check_online(config: Config, *, chinese: bool) -> int:
    """Ask for yesterday's row of every app once and print a line about each."""
    if any(isinstance(app.token, AccessToken) for app in config.apps):
        sys.stderr.write(
            "warning: token type access_token: this check fetches a new token, which ends the one that other "
            "programs hold\n"
        )
    pace = Pace(config.refresh.requests_per_second, time.monotonic, time.sleep)
    line = open_line(config.wechat, config.refresh.concurrency, lambda *_: None, pace.wait)

    def ask(app: App) -> Row | Failure:
        try:
            return choose_way(app, line).daily_trend(yesterday(time.time()))
        except CallError as error:
            return error.failure

    failed = 0
    with ThreadPoolExecutor(config.refresh.concurrency) as threads:
        for app, outcome in zip(config.apps, threads.map(ask, config.apps), strict=True):
            sys.stdout.write(f"{_shown(app.name)} ({app.appid}): {_told(outcome, chinese=chinese)}\n")
            sys.stdout.flush()
            failed += isinstance(outcome, Failure) and not outcome.reason.is_state
    line.transport.stop()
    sys.stdout.write(f"{len(config.apps) - failed} of {len(config.apps)} apps OK\n")
    return 1 if failed else 0


def _shown(name: str) -> str:
    """A name on one line."""
    return name if name.isprintable() else repr(name)


def _told(outcome: Row | Failure, *, chinese: bool) -> str:
    if isinstance(outcome, Row):
        figures = ", ".join(
            f"{field.name} {value}"
            for field, value in zip(FIELDS, outcome.values, strict=True)
            if value is not None
        )
        return f"OK, {outcome.ref_date}: {figures}"
    advice = outcome.advice.zh if chinese else outcome.advice.en
    if outcome.reason.is_state:
        return f"OK, but no row yet ({outcome.reason}). {advice}"
    return f"FAILED, {outcome.reason}: {outcome.detail}\n    {advice}"


def _prefers_chinese(environ: Mapping[str, str]) -> bool:
    language = environ.get("LC_ALL") or environ.get("LC_MESSAGES") or environ.get("LANG") or ""
    return language.startswith("zh")
