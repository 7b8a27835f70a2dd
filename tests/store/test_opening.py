from collections.abc import Callable
from pathlib import Path

import pytest

from exporter.config.secret import Secret
from exporter.config.storage import RedisSettings, StorageSettings
from exporter.store.entry import HeldRow
from exporter.store.interface import StoreError
from exporter.store.memory import MemoryStore
from exporter.store.opening import open_store
from exporter.store.sqlite import SqliteStore
from tests.building import NOON, make_row


def test_sqlite_opens_the_file_that_the_address_names(tmp_path: Path) -> None:
    store = open_store(StorageSettings(f"sqlite:///{tmp_path}/a.db"))
    assert isinstance(store, SqliteStore)
    store.close()
    assert (tmp_path / "a.db").exists()


def test_the_memory_store_keeps_no_rows() -> None:
    store = open_store(StorageSettings("memory://"))
    assert isinstance(store, MemoryStore)
    store.save("", [("wx0000000000000001", HeldRow(make_row(), NOON))], 9)
    assert list(store.load("", ["wx0000000000000001"])) == []
    store.close()


def test_a_key_encrypts_the_credentials_of_a_file(tmp_path: Path) -> None:
    key = Secret("bm90LWEtcmVhbC1rZXktbm90LWEtcmVhbC1rZXktISE=")
    store = open_store(StorageSettings(f"sqlite:///{tmp_path}/a.db", encryption_key=key))
    store.put("key", None, "not-a-real-token")
    store.close()
    assert b"not-a-real-token" not in (tmp_path / "a.db").read_bytes()


def test_an_unusable_key_is_reported(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"storage\.encryption_key cannot be used"):
        open_store(StorageSettings(f"sqlite:///{tmp_path}/a.db", encryption_key=Secret("sesame")))


def test_a_redis_that_does_not_answer_is_a_clear_error_at_the_start(free_port: Callable[[], int]) -> None:
    port = free_port()
    with pytest.raises(StoreError, match=rf"redis://127\.0\.0\.1:{port}/0: .*refused.*Is Redis there"):
        open_store(StorageSettings(f"redis://127.0.0.1:{port}/0", RedisSettings((("127.0.0.1", port),))))
