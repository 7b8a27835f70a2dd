"""Opens the storage that `storage.url` names."""

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from structlog.typing import FilteringBoundLogger

from exporter.config.storage import SQLITE, StorageSettings
from exporter.store.encryption import Seal
from exporter.store.file_lock import FileLock
from exporter.store.interface import Store, StoreError, WriteObserver
from exporter.store.memory import MemoryStore
from exporter.store.row_coding import Unusable
from exporter.store.sqlite import SqliteStore

_SPECIMEN: Final = "specimen"


def claim_store(settings: StorageSettings, observer: WriteObserver, unusable: Unusable) -> Store:
    """Open the storage for an exporter, and lock a SQLite file for it.

    Raises:
        StoreError: another exporter has the file, the storage cannot be opened, or the key does not fit; the
            text says what to do.
    """
    claim = FileLock(_path(settings)) if settings.url.startswith(SQLITE) else None
    try:
        return _checked(_open(settings, observer, unusable, claim), settings)
    except BaseException:
        if claim is not None:
            claim.release()
        raise


def sweep(store: Store, log: FilteringBoundLogger) -> None:
    """Encrypt all stored secrets with the newest key, and log when older keys can go."""
    try:
        done = store.reseal()
    except StoreError as error:
        log.error("encryption key not renewed", error=str(error))
        return
    if done.lost:
        log.error("stored texts that no key opens", texts=done.lost)
    if done.changed:
        log.info("stored texts encrypted with the newest key", texts=done.changed)
    if done.old_keys_can_go:
        log.info("the old encryption key is no longer needed", old_keys=done.old_keys)


def open_store(settings: StorageSettings) -> Store:
    """Open the storage for a command, even while an exporter uses it; raise StoreError if that fails."""
    return _checked(_open(settings, lambda _: None, lambda *_: None, None), settings)


def storage_doubts(settings: StorageSettings) -> Iterator[str]:
    """Yield the reasons why this user could not open the storage, leaving no files behind."""
    if not settings.url.startswith(SQLITE):
        return
    path = _path(settings)
    folder = next(each for each in path.parents if each.exists())
    try:
        if path.exists():
            os.close(os.open(path, os.O_RDWR))
        TemporaryDirectory(prefix=".check-", dir=folder).cleanup()
    except OSError as error:
        yield f"storage {path}: cannot be written by this user: {folder}: {error.strerror}"


def _open(
    settings: StorageSettings, observer: WriteObserver, unusable: Unusable, claim: FileLock | None
) -> Store:
    if settings.redis is not None:
        from exporter.store.redis.store import open_redis  # noqa: PLC0415 - an extra

        store = open_redis(settings, observer, unusable)
        try:
            store.refuse_cluster()
        except BaseException:
            store.close()
            raise
        return store
    if settings.url.startswith(SQLITE):
        return SqliteStore(_path(settings), observer, Seal(settings.encryption_key), unusable, claim)
    return MemoryStore()


def _path(settings: StorageSettings) -> Path:
    return Path(settings.url.removeprefix(SQLITE))


def _checked(store: Store, settings: StorageSettings) -> Store:
    """Return the store after decrypting a test text, so that a wrong key shows now and not at a failover."""
    try:
        if settings.encryption_key is not None:
            store.put(_SPECIMEN, None, _SPECIMEN)
        store.credential(_SPECIMEN)
    except BaseException:
        store.close()
        raise
    return store
