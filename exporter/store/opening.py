"""Chooses the store that `storage.url` names."""

from pathlib import Path

from exporter.store.interface import Store, WriteObserver


def open_store(url: str, observer: WriteObserver = lambda _: None) -> Store:
    """Open `memory://` or `sqlite:////absolute/path`; `observer` is told of every write to a disk.

    Raises:
        StoreError: it cannot be opened; the text tells what to do.
    """
    if url.startswith("sqlite:///"):
        from exporter.store.sqlite import SqliteStore  # noqa: PLC0415 - imported where it is used

        return SqliteStore(Path(url.removeprefix("sqlite:///")), observer)
    from exporter.store.memory import MemoryStore  # noqa: PLC0415

    return MemoryStore()
