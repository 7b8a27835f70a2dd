"""Chooses the store that `storage.url` names."""

from pathlib import Path

from exporter.config.settings import StorageSettings
from exporter.config.storage import SQLITE
from exporter.store.interface import Store, WriteObserver


def open_store(settings: StorageSettings, observer: WriteObserver = lambda _: None) -> Store:
    """Open the storage; `observer` is told of every write to a disk or to Redis.

    Raises:
        StoreError: it cannot be opened; the text tells what to do.
    """
    if settings.redis is not None:
        from exporter.store.redis.store import open_redis  # noqa: PLC0415 - an extra

        return open_redis(settings, observer)
    from exporter.store.sealing import open_seal  # noqa: PLC0415 - imported where it is used

    if settings.url.startswith(SQLITE):
        from exporter.store.sqlite import SqliteStore  # noqa: PLC0415

        return SqliteStore(
            Path(settings.url.removeprefix(SQLITE)), observer, open_seal(settings.encryption_key)
        )
    from exporter.store.memory import MemoryStore  # noqa: PLC0415

    return MemoryStore()
