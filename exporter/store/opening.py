"""Chooses the store that `storage.url` names."""

from pathlib import Path

from exporter.store.interface import Store


def open_store(url: str) -> Store:
    """Open `memory://` or `sqlite:////absolute/path`.

    Raises:
        StoreError: it cannot be opened; the text tells what to do.
    """
    if url.startswith("sqlite:///"):
        from exporter.store.sqlite import SqliteStore  # noqa: PLC0415 - imported where it is used

        return SqliteStore(Path(url.removeprefix("sqlite:///")))
    from exporter.store.memory import MemoryStore  # noqa: PLC0415

    return MemoryStore()
