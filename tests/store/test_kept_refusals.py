"""Refusals in the storages that outlive the process."""

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from exporter.store.interface import Store
from exporter.store.memory import MemoryStore
from exporter.store.sqlite import SqliteStore
from exporter.store.stored_refusals import Refusal
from exporter.wechat.failures.errcodes import errcode_failure

ONE, TWO = "wx0000000000000001", "wx0000000000000002"
APPS = (ONE, TWO)


@pytest.fixture(params=["sqlite", "redis"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "sqlite":
        return SqliteStore(tmp_path / "a.db")
    opened: Any = request.getfixturevalue("opened")
    found: Store = opened()
    return found


@pytest.fixture
def secret() -> Refusal:
    now = time.time()
    return Refusal(errcode_failure(40125, "invalid appsecret"), now, now + 3600, 2, b"\x01", now - 60)


def test_a_refusal_is_there_after_a_restart_until_it_is_lifted(store: Store, secret: Refusal) -> None:
    store.save_refusals("wechat", {ONE: secret})
    assert store.refusals("wechat", APPS) == {ONE: secret}
    later = replace(secret, strikes=3, until=secret.until + 60)
    store.save_refusals("wechat", {ONE: later, TWO: secret})
    assert store.refusals("wechat", APPS) == {ONE: later, TWO: secret}
    store.save_refusals("wechat", {ONE: None})
    assert store.refusals("wechat", APPS) == {TWO: secret}


def test_a_refusal_of_one_server_is_none_of_another(store: Store, secret: Refusal) -> None:
    store.save_refusals("wechat", {ONE: secret})
    assert store.refusals("test", APPS) == {}


def test_a_refusal_of_this_machine_is_not_kept_nor_the_one_before(store: Store, secret: Refusal) -> None:
    store.save_refusals("wechat", {ONE: secret})
    store.save_refusals("wechat", {ONE: replace(secret, failure=errcode_failure(40164, "invalid ip"))})
    assert store.refusals("wechat", APPS) == {}


def test_one_that_is_over_is_none(store: Store, secret: Refusal) -> None:
    store.save_refusals("wechat", {ONE: replace(secret, until=time.time() - 1)})
    assert store.refusals("wechat", APPS) == {}


def test_in_memory_nothing_outlives_the_process(secret: Refusal) -> None:
    store = MemoryStore()
    store.save_refusals("wechat", {ONE: secret})
    assert store.refusals("wechat", APPS) == {}
