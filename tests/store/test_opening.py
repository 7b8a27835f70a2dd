from pathlib import Path

from exporter.config.settings import StorageSettings
from exporter.store.entry import HeldRow
from exporter.store.memory import MemoryStore
from exporter.store.opening import open_store
from exporter.store.sqlite import SqliteStore
from tests.building import NOON, make_row


def test_sqlite_opens_the_file_that_the_address_names(tmp_path: Path) -> None:
    store = open_store(StorageSettings(f"sqlite:///{tmp_path}/a.db"))
    assert isinstance(store, SqliteStore)
    store.close()
    assert (tmp_path / "a.db").exists()


def test_memory_keeps_nothing() -> None:
    store = open_store(StorageSettings("memory://"))
    assert isinstance(store, MemoryStore)
    store.save([("wx0000000000000001", HeldRow(make_row(), NOON))], 9)
    assert list(store.load()) == []
    store.close()
