"""Chooses the store that `storage.url` names."""

from pathlib import Path
from typing import Final

from exporter.config.settings import StorageSettings
from exporter.config.storage import SQLITE
from exporter.store.interface import Store, WriteObserver

_SPECIMEN: Final = "specimen"


def open_store(settings: StorageSettings, observer: WriteObserver = lambda _: None) -> Store:
    """Open the storage; `observer` is told of every write to a disk or to Redis.

    Raises:
        StoreError: it cannot be opened, or the key does not fit it; the text tells what to do.
    """
    store = _open(settings, observer)
    try:
        _try_key(store, settings)
    except BaseException:
        store.close()
        raise
    return store


def _open(settings: StorageSettings, observer: WriteObserver) -> Store:
    if settings.redis is not None:
        from exporter.store.redis.store import open_redis  # noqa: PLC0415 - an extra

        return open_redis(settings, observer)
    from exporter.store.sealing import open_seal  # noqa: PLC0415 - imported where it is used

    if settings.url.startswith(SQLITE):
        from exporter.store.sqlite import SqliteStore  # noqa: PLC0415

        path = Path(settings.url.removeprefix(SQLITE))
        return SqliteStore(path, observer, open_seal(settings.encryption_key))
    from exporter.store.memory import MemoryStore  # noqa: PLC0415

    return MemoryStore()


def _try_key(store: Store, settings: StorageSettings) -> None:
    """Read what was encrypted for this purpose: a key that does not fit must not show at a failover only."""
    if store.credential(_SPECIMEN) is None and settings.encryption_key is not None:
        store.save_credential(_SPECIMEN, _SPECIMEN)
