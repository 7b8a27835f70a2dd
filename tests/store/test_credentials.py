"""Credentials in every storage: compare-and-set, and encryption with new keys."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import structlog
from structlog.testing import capture_logs

from exporter.config.secret import Secret
from exporter.config.storage import RedisSettings, StorageSettings
from exporter.store.encryption import Seal
from exporter.store.interface import ResealResult, Store, StoreError
from exporter.store.memory import MemoryStore
from exporter.store.opening import claim_store, open_store, sweep
from exporter.store.redis.store import RedisStore
from exporter.store.sqlite import SqliteStore
from tests.redis_server import RedisServer
from tests.store.test_encryption import NEW, OLD

Open = Callable[[str | None], Store]
KEY = "refresh_token/wx1"


@pytest.fixture(params=["memory", "sqlite", "redis"])
def open_(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    """Return a function that opens one storage repeatedly, with different keys."""
    memory = MemoryStore()
    opened: Any = request.getfixturevalue("opened") if request.param == "redis" else None

    def run(key: str | None) -> Store:
        if request.param == "memory":
            return memory
        if request.param == "sqlite":
            return SqliteStore(tmp_path / "a.db", seal=Seal(None if key is None else Secret(key)))
        store: RedisStore = opened(key=key)
        return store

    return run


def raw(store: Store) -> str:
    kept = store._kept(KEY)  # type: ignore[attr-defined]
    kept = kept[0] if isinstance(kept, tuple) else kept
    assert isinstance(kept, str)
    return kept


@pytest.mark.parametrize("key", [None, OLD])
def test_put_keeps_a_value_only_where_the_expected_one_is_stored(open_: Open, key: str | None) -> None:
    store = open_(key)
    assert not store.put(KEY, "one", "two")
    assert store.credential(KEY) is None
    assert store.put(KEY, None, "one")
    assert not store.put(KEY, None, "two")
    assert store.put(KEY, "one", "two")
    assert not store.put(KEY, "one", "three")
    assert store.credential(KEY) == "two"


def test_put_may_be_repeated_where_its_answer_was_lost(open_: Open) -> None:
    store = open_(None)
    assert store.put(KEY, None, "one")
    assert store.put(KEY, None, "one")
    assert store.put(KEY, "one", "two")
    assert store.put(KEY, "one", "two")
    assert store.credential(KEY) == "two"


@pytest.mark.parametrize("key", [None, OLD])
def test_of_many_that_put_at_once_exactly_one_succeeds(open_: Open, key: str | None) -> None:
    store = open_(key)
    for expected in (None, "0"):
        values = [f"{number}" for number in range(0 if expected is None else 1, 9)]
        with ThreadPoolExecutor(8) as threads:
            kept = list(threads.map(lambda new: store.put(KEY, expected, new), values))  # noqa: B023
        assert kept.count(True) == 1
        assert store.credential(KEY) == values[kept.index(True)]
        assert store.put(KEY, store.credential(KEY), "0")


def test_put_finds_the_expected_value_under_another_encryption(open_: Open) -> None:
    assert open_(OLD).put(KEY, None, "one")
    assert open_(f"{NEW},{OLD}").put(KEY, "one", "two")
    assert open_(NEW).credential(KEY) == "two"


@pytest.mark.parametrize("open_", ["sqlite", "redis"], indirect=True)
def test_what_is_kept_is_read_until_a_sweep_encrypts_it_with_the_newest_key(open_: Open) -> None:
    plain = open_(None)
    plain.put(KEY, None, "one")
    assert raw(plain) == open_(OLD).credential(KEY) == "one"
    open_(OLD).reseal()
    assert Seal(Secret(OLD)).is_current(raw(plain))
    assert open_(f"{NEW},{OLD}").credential(KEY) == "one"
    open_(f"{NEW},{OLD}").reseal()
    assert Seal(Secret(NEW)).open(raw(plain)) == "one"
    assert open_(NEW).credential(KEY) == "one"  # the old key can go


@pytest.mark.parametrize("kind", ["sqlite", "redis"])
@pytest.mark.parametrize("wrong", [None, NEW])
def test_a_key_that_does_not_fit_is_refused_at_the_start(
    kind: str, wrong: str | None, tmp_path: Path, server: RedisServer
) -> None:
    server.client().flushall()
    url = server.url if kind == "redis" else f"sqlite:///{tmp_path}/a.db"
    redis = RedisSettings((("127.0.0.1", server.port),)) if kind == "redis" else None

    def opened_with(key: str | None) -> Store:
        return open_store(StorageSettings(url, redis, None if key is None else Secret(key)))

    opened_with(OLD).close()
    opened_with(OLD).close()
    with pytest.raises(StoreError, match="encryption_key_file"):
        opened_with(wrong)
    opened_with(f"{NEW},{OLD}").close()
    opened_with(NEW).close()


@pytest.mark.parametrize("open_", ["sqlite", "redis"], indirect=True)
def test_a_sweep_encrypts_everything_with_the_newest_key_at_once(open_: Open) -> None:
    for number, key in enumerate((None, OLD)):
        assert open_(key).put(f"{KEY}-{number}", None, "one")
    assert open_(f"{NEW},{OLD}").reseal() == ResealResult(changed=2, lost=0, old_keys=1)
    assert open_(f"{NEW},{OLD}").reseal() == ResealResult(changed=0, lost=0, old_keys=1)
    assert [open_(NEW).credential(f"{KEY}-{number}") for number in range(2)] == ["one", "one"]


@pytest.mark.parametrize("open_", ["sqlite", "redis"], indirect=True)
def test_a_sweep_counts_what_no_key_opens_and_then_the_old_key_stays_needed(open_: Open) -> None:
    assert open_(OLD).put(KEY, None, "one")
    assert open_(None).put(f"{KEY}-plain", None, "two")
    done = open_(NEW).reseal()
    assert done == ResealResult(changed=1, lost=1, old_keys=0)
    assert not done.old_keys_can_go
    assert open_(OLD).credential(KEY) == "one"


def test_a_sweep_asks_redis_for_nothing_until_the_key_is_another_one(
    opened: Any, server: RedisServer, tmp_path: Path
) -> None:
    file = tmp_path / "key"
    file.write_text(OLD)
    store = opened(key=Secret(path=file))
    assert store.put(KEY, None, "one")
    scans = []
    for text in (OLD, OLD, f"{NEW},{OLD}", f"{NEW},{OLD}"):
        file.write_text(text)
        store.reseal()
        scans.append(server.client().info("commandstats")["cmdstat_scan"]["calls"])
    assert scans == [scans[0], scans[0], scans[0] + 1, scans[0] + 1]


def test_a_rotation_says_when_the_old_key_can_go(tmp_path: Path) -> None:
    def swept(key: str) -> list[str]:
        settings = StorageSettings(f"sqlite:///{tmp_path}/a.db", None, Secret(key))
        store = claim_store(settings, lambda _: None, lambda *_: None)
        with capture_logs() as report:
            sweep(store, structlog.get_logger())
        store.close()
        return [entry["event"] for entry in report]

    assert swept(OLD) == []
    store = SqliteStore(tmp_path / "a.db", seal=Seal(Secret(OLD)))
    assert store.put(KEY, None, "one")
    store.close()
    assert swept(f"{NEW},{OLD}") == [
        "stored texts encrypted with the newest key",
        "the old encryption key is no longer needed",
    ]
    assert swept(NEW) == []
