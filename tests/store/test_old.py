"""Storages of earlier versions open with all rows and credentials, for one server.

The files under `old` were written by the code of b07a908 (SQLite, schema 1) and 778b07f (all others).
"""

import json
import shutil
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from exporter.config.secret import Secret
from exporter.store.encryption import Seal
from exporter.store.entry import HeldRow
from exporter.store.interface import Store
from exporter.store.sqlite import SqliteStore
from tests.building import NOON, YESTERDAY, bare_row, make_row
from tests.redis_server import RedisServer
from tests.store.conftest import Opened
from tests.store.test_encryption import OLD

FILES = Path(__file__).parent / "old"
FIRST, SECOND = "wx0000000000000001", "wx0000000000000002"
PLATFORM = "wxc000000000000001"
ROWS = {
    FIRST: (
        HeldRow(make_row(), NOON),
        HeldRow(make_row(YESTERDAY - timedelta(days=1), 2), NOON + 0.5),
        HeldRow(bare_row(YESTERDAY - timedelta(days=2), visit_pv=0, visit_depth=1.25), NOON - 86_400),
    ),
    SECOND: (HeldRow(make_row(scale=3), NOON + 1),),
}
CREDENTIALS = {
    f"refresh_token/{PLATFORM}/{FIRST}": ["not-a-real-refresh-token-1", NOON, ""],
    f"refresh_token/{PLATFORM}/{SECOND}": ["not-a-real-refresh-token-2", 0.0, "0" * 64],
    f"ticket/{PLATFORM}": ["ticket@@@not-a-real-ticket", NOON],
    f"listing/{PLATFORM}": [NOON, {FIRST: "not-a-real-refresh-token-1", SECOND: ""}],
}

Open = Callable[[], Store]


@pytest.fixture(params=["schema-2-plain", "schema-2-sealed", "redis-plain", "redis-sealed"])
def open_(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    """Return a function that opens a storage of 778b07f repeatedly."""
    name: str = request.param
    key = OLD if name.endswith("sealed") else None
    if name.startswith("schema"):
        path = tmp_path / "exporter.db"
        shutil.copy(FILES / f"{name}.db", path)
        return lambda: SqliteStore(path, seal=Seal(None if key is None else Secret(key)))
    server: RedisServer = request.getfixturevalue("server")
    opened: Opened = request.getfixturevalue("opened")
    client = server.client()
    for kept, value in json.loads((FILES / f"{name}.json").read_text()).items():
        if isinstance(value, dict):
            client.hset(kept, mapping=value)
        elif isinstance(value, list):
            client.zadd(kept, dict(value))
        else:
            client.set(kept, value)
    return lambda: opened("old", key)


def test_all_rows_are_there_and_belong_to_the_server_that_opens_them_first(open_: Open) -> None:
    assert dict(open_().load("wechat", [FIRST, SECOND])) == ROWS
    assert dict(open_().load("another", [FIRST, SECOND])) == {}
    assert dict(open_().load("wechat", [FIRST, SECOND])) == ROWS


def test_an_old_file_opens_with_all_credentials(open_: Open) -> None:
    store = open_()
    assert {key: json.loads(store.credential(key) or "") for key in CREDENTIALS} == CREDENTIALS
    accounts = json.loads(store.credential(f"accounts/{PLATFORM}") or "")
    assert accounts["accounts"] == {FIRST: ["First Shop", NOON]}


def test_a_file_of_the_first_schema_opens_with_all_rows_and_a_place_for_credentials(tmp_path: Path) -> None:
    path = tmp_path / "exporter.db"
    shutil.copy(FILES / "schema-1.db", path)
    store = SqliteStore(path)
    assert dict(store.load("wechat", [FIRST, SECOND])) == ROWS
    assert store.put("key", None, "value")
    assert store.credential("key") == "value"
    store.close()


def test_a_figure_added_to_the_list_changes_no_table(tmp_path: Path) -> None:
    path = tmp_path / "exporter.db"
    SqliteStore(path).close()
    with sqlite3.connect(path) as db:
        db.execute(
            "INSERT INTO rows VALUES ('wechat', ?, 'daily_trend', ?, ?, ?)",
            (FIRST, f"{YESTERDAY}", NOON, '[{"a_figure_of_tomorrow":7,"visit_pv":4}]'),
        )
    db.close()
    store = SqliteStore(path)
    ((_, (held,)),) = store.load("wechat", [FIRST])
    assert held.row == bare_row(YESTERDAY, visit_pv=4)
    store.close()


@pytest.mark.parametrize("value", ["-5", "'text'", "9e999", "x'00ff'"])
def test_a_damaged_figure_of_an_old_file_is_skipped_counted_and_no_other_row_suffers(
    tmp_path: Path, value: str
) -> None:
    path = tmp_path / "exporter.db"
    shutil.copy(FILES / "schema-2-plain.db", path)
    with sqlite3.connect(path) as db:
        db.execute(f"UPDATE rows SET visit_pv = {value} WHERE appid = '{SECOND}'")
    db.close()
    reports: list[tuple[int, str]] = []
    store = SqliteStore(path, unusable=lambda *report: reports.append(report))
    assert dict(store.load("wechat", [FIRST, SECOND])) == {FIRST: ROWS[FIRST]}
    assert [count for count, _ in reports] == [1]
    assert SECOND in reports[0][1]
    store.close()
