"""Chooses the store that `storage.url` names."""

from pathlib import Path
from typing import Final

from exporter.config.settings import StorageSettings
from exporter.config.storage import SQLITE
from exporter.store.claim import Claim
from exporter.store.coding import Unusable
from exporter.store.interface import Store, WriteObserver

_SPECIMEN: Final = "specimen"


def claim_store(settings: StorageSettings, observer: WriteObserver, unusable: Unusable) -> Store:
    """Open the storage for an exporter: a SQLite file for this one alone.

    Args:
        settings: the section `storage`.
        observer: is told of every write to a disk or to Redis.
        unusable: is told of stored rows that cannot be used.

    Raises:
        StoreError: another exporter has the file, it cannot be opened, or the key does not fit it; the text
            tells what to do.
    """
    claim = Claim(_path(settings)) if settings.url.startswith(SQLITE) else None
    try:
        return _checked(_open(settings, observer, unusable, claim), settings)
    except BaseException:
        if claim is not None:
            claim.release()
        raise


def open_store(settings: StorageSettings) -> Store:
    """Open the storage for a command, also while an exporter uses it; raises StoreError as above."""
    return _checked(_open(settings, lambda _: None, lambda *_: None, None), settings)


def _open(
    settings: StorageSettings, observer: WriteObserver, unusable: Unusable, claim: Claim | None
) -> Store:
    if settings.redis is not None:
        from exporter.store.redis.store import open_redis  # noqa: PLC0415 - an extra

        return open_redis(settings, observer, unusable)
    from exporter.store.sealing import open_seal  # noqa: PLC0415 - imported where it is used

    if settings.url.startswith(SQLITE):
        from exporter.store.sqlite import SqliteStore  # noqa: PLC0415

        return SqliteStore(_path(settings), observer, open_seal(settings.encryption_key), unusable, claim)
    from exporter.store.memory import MemoryStore  # noqa: PLC0415

    return MemoryStore()


def _path(settings: StorageSettings) -> Path:
    return Path(settings.url.removeprefix(SQLITE))


def _checked(store: Store, settings: StorageSettings) -> Store:
    """Read what was encrypted for this purpose: a key that does not fit must not show at a failover only."""
    try:
        if settings.encryption_key is not None:
            store.put(_SPECIMEN, None, _SPECIMEN)
        store.credential(_SPECIMEN)
    except BaseException:
        store.close()
        raise
    return store
