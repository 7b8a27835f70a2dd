"""Credentials in every storage: replaced only where nobody was faster, encrypted anew when they are read."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from exporter.config.settings import Secret
from exporter.store.interface import Store
from exporter.store.memory import MemoryStore
from exporter.store.redis.store import RedisStore
from exporter.store.sealing import KeySeal, open_seal
from exporter.store.sqlite import SqliteStore
from tests.store.test_sealing import NEW, OLD

Open = Callable[[str | None], Store]
KEY = "refresh_token/wx1"


@pytest.fixture(params=["memory", "sqlite", "redis"])
def open_(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    """Opens the same storage again and again, with one key or another."""
    memory = MemoryStore()
    opened: Any = request.getfixturevalue("opened") if request.param == "redis" else None

    def run(key: str | None) -> Store:
        if request.param == "memory":
            return memory
        if request.param == "sqlite":
            return SqliteStore(tmp_path / "a.db", seal=open_seal(None if key is None else Secret(key)))
        store: RedisStore = opened(key=key)
        return store

    return run


def raw(store: Store) -> str:
    kept = store._kept(KEY)  # type: ignore[attr-defined]
    assert isinstance(kept, str)
    return kept


@pytest.mark.parametrize("key", [None, OLD])
def test_a_credential_is_replaced_only_where_it_is_still_the_one_that_was_read(
    open_: Open, key: str | None
) -> None:
    store = open_(key)
    assert not store.replace_credential(KEY, "one", "two")
    assert store.credential(KEY) is None
    store.save_credential(KEY, "one")
    assert store.replace_credential(KEY, "one", "two")
    assert not store.replace_credential(KEY, "one", "three")
    assert store.credential(KEY) == "two"


@pytest.mark.parametrize("open_", ["sqlite", "redis"], indirect=True)
def test_what_is_read_is_encrypted_with_the_newest_key_from_then_on(open_: Open) -> None:
    plain = open_(None)
    plain.save_credential(KEY, "one")
    assert raw(plain) == "one"
    assert open_(OLD).credential(KEY) == "one"
    assert KeySeal(Secret(OLD)).is_current(raw(plain))
    assert open_(f"{NEW},{OLD}").credential(KEY) == "one"
    assert KeySeal(Secret(NEW)).open(raw(plain)) == "one"
    assert open_(NEW).credential(KEY) == "one"  # the old key can go
