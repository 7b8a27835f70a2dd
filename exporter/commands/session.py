"""WeChat and the storage opened for a command that ends by itself: `check --online` and `backfill`."""

import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from exporter.apps import Apps
from exporter.config.apps import App
from exporter.config.settings import Config
from exporter.config.storage import SQLITE
from exporter.config.token_types import ClassicToken
from exporter.discovery.platform_watch import PlatformWatch
from exporter.shards import THE_WHOLE, Shard
from exporter.store.interface import Store
from exporter.store.memory import MemoryStore
from exporter.store.opening import open_store
from exporter.wechat.client import Observer


class UsageError(Exception):
    """The flags do not fit the configuration; the text says which would."""


def chosen_apps(apps: Apps, names: Collection[str]) -> tuple[App, ...]:
    """Return the apps with these names or appids, all of them where none is named; raise UsageError."""
    known = {each for app in apps.own for each in (app.appid, app.name)}
    for name in names:
        if name not in known:
            found = ", nor an account of a platform" if apps.platforms else ""
            raise UsageError(f"--app {name}: no app of the configuration{found} has this name or appid")
    return tuple(app for app in apps.own if not names or app.appid in names or app.name in names)


def existing_store(config: Config) -> Store:
    """Open the configured storage, or an empty one in memory if its file does not exist; raise StoreError."""
    url = config.storage.url
    absent = url.startswith(SQLITE) and not Path(url.removeprefix(SQLITE)).exists()
    return MemoryStore() if absent else open_store(config.storage)


def needed_store(config: Config) -> Store:
    """Open the configured storage if credentials are kept or shared there; raise StoreError."""
    classic = any(isinstance(app.token, ClassicToken) for app in config.apps)
    needed = classic or config.platforms or config.storage.redis is not None
    return open_store(config.storage) if needed else MemoryStore()


@contextmanager
def open_wechat(
    config: Config,
    store: Store,
    log: FilteringBoundLogger,
    *,
    observer: Observer = lambda *_: None,
    shard: Shard = THE_WHOLE,
) -> Iterator[Apps]:
    """Open WeChat as `serve` does; end all calls and close the store on exit.

    Platforms have the accounts kept in the storage until `list_accounts` asks WeChat.
    """
    stopping = threading.Event()
    try:
        watch = PlatformWatch(log, stopping=stopping)
        apps = Apps(config, store, watch, stopping=stopping, observer=observer, shard=shard)
        try:
            yield apps
        finally:
            apps.close()
    finally:
        store.close()
