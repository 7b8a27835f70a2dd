"""`check`: is the configuration good, and, with --online, does WeChat answer for each app?"""

import argparse
import os
import sys
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from exporter import capacity
from exporter.config import ConfigError, load
from exporter.config.settings import AccessToken, App, Config
from exporter.refresh import accounts
from exporter.refresh.pace import Pace
from exporter.shards import Shard, ShardError, choose_shard
from exporter.store.interface import Store, StoreError
from exporter.store.memory import MemoryStore
from exporter.store.opening import open_store
from exporter.store.shared import is_shared
from exporter.trend import FIELDS, Row, yesterday
from exporter.web import webconfig
from exporter.wechat.errors import CallError, Failure
from exporter.wechat.opening import open_line
from exporter.wechat.pool import pooled_shelves
from exporter.wechat.third_party import OpenPlatform, open_platforms
from exporter.wechat.tokens import Shelves, own_shelves
from exporter.wechat.ways import choose_way


def run(flags: argparse.Namespace) -> int:
    """Exit code 2: bad configuration; 1: WeChat refuses an app; 0: all well."""
    try:
        shard = choose_shard(flags.shard, flags.total_shards, os.environ)
        config = load(Path(flags.config_file), os.environ)
        if flags.web_config_file is not None:
            webconfig.load(Path(flags.web_config_file), os.environ)
    except (ConfigError, ShardError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    config = replace(config, apps=tuple(app for app in config.apps if shard.owns(app.appid)))
    cost = capacity.estimate(config)
    part = f"shard {shard}: " if shard.total > 1 else ""
    sys.stdout.write(f"{config.path}: OK\n{part}{capacity.told(cost)}\n")
    for warning in capacity.warnings(cost, config):
        sys.stderr.write(f"warning: {warning}\n")
    if flags.web_config_file is not None:
        sys.stdout.write(f"{flags.web_config_file}: OK\n")
    return check_online(config, shard, chinese=_prefers_chinese(os.environ)) if flags.online else 0


def check_online(config: Config, shard: Shard, *, chinese: bool) -> int:
    """Ask for yesterday's row of every app of the shard once and print a line about each.

    Refresh tokens that come back must not be lost, and tokens that a fleet shares be used.
    """
    if any(isinstance(app.token, AccessToken) for app in config.apps):
        sys.stderr.write(
            "warning: token type access_token: this check fetches a new token, which ends the one that other "
            "programs hold\n"
        )
    needed = config.platforms or config.storage.redis is not None
    store: Store = MemoryStore()
    try:
        if needed:
            store = open_store(config.storage)
        if is_shared(store):
            sys.stdout.write(f"storage {config.storage.url}: OK\n")
    except StoreError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    try:
        return _ask_all(config, shard, store, chinese=chinese)
    finally:
        store.close()


def _ask_all(config: Config, shard: Shard, store: Store, *, chinese: bool) -> int:
    pace = Pace(config.refresh.requests_per_second, time.monotonic, time.sleep)
    line = open_line(config.wechat, config.refresh.concurrency, lambda *_: None, pace.wait)
    shelves: Shelves = own_shelves
    if is_shared(store):
        shelves = pooled_shelves(store.tokens, line, config, threading.Event().wait)
    platforms = open_platforms(config.platforms, line, store, shelves)
    found, failed = _discovered(config, shard, platforms, chinese=chinese)
    apps = (*config.apps, *found)

    def ask(app: App) -> Row | Failure:
        try:
            return choose_way(app, line, platforms, shelves).daily_trend(yesterday(time.time()))
        except CallError as error:
            return error.failure

    refused = 0
    with ThreadPoolExecutor(config.refresh.concurrency) as threads:
        for app, outcome in zip(apps, threads.map(ask, apps), strict=True):
            sys.stdout.write(f"{_shown(app.name)} ({app.appid}): {_told(outcome, chinese=chinese)}\n")
            sys.stdout.flush()
            refused += isinstance(outcome, Failure) and not outcome.reason.is_state
    line.transport.stop()
    sys.stdout.write(f"{len(apps) - refused} of {len(apps)} apps OK\n")
    return 1 if refused or failed else 0


def _discovered(
    config: Config, shard: Shard, platforms: Mapping[str, OpenPlatform], *, chinese: bool
) -> tuple[list[App], int]:
    """The accounts that discovery would add to the shard, told of; and how many platforms failed."""
    configured = {app.appid.lower() for app in config.apps}
    found: list[App] = []
    failed = 0
    for name, platform in platforms.items():
        if platform.settings.discovery is None:
            continue
        try:
            listing = platform.component.list_accounts()
        except CallError as error:
            failed += 1
            sys.stdout.write(f"platform {name}: {_told(error.failure, chinese=chinese)}\n")
            continue
        appids = accounts.wanted(listing.refresh_tokens, platform.settings.discovery)
        without = sum(not listing.refresh_tokens[appid] for appid in appids)
        sys.stdout.write(f"platform {name}: OK, {len(appids)} accounts, {without} without a refresh token\n")
        found += [
            accounts.app_of(appid, accounts.Account(), name)
            for appid in appids
            if appid.lower() not in configured and shard.owns(appid)
        ]
    return found, failed


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
