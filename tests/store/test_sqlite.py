import os
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from exporter.config.secret import Secret
from exporter.datasets.dataset import Point, Row
from exporter.datasets.visit_pages import VISIT_PAGES
from exporter.store.encryption import Seal
from exporter.store.entry import HeldRow
from exporter.store.interface import StoreError
from exporter.store.sqlite import MIGRATIONS, SqliteStore
from exporter.store.stored_refusals import Refusal
from exporter.wechat.failures.errcodes import errcode_failure
from tests.building import NOON, YESTERDAY, bare_row, make_row

APPID = "wx0000000000000001"
OTHER = "wx0000000000000002"
APPS = (APPID, OTHER)
MANY = tuple(f"wx{number:016x}" for number in range(2000))
SERVER = "api.weixin.qq.com"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "exporter.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(path)
    yield store
    store.close()


def held(back: int = 0, scale: int = 1, at: float = NOON) -> HeldRow:
    return HeldRow(make_row(YESTERDAY - timedelta(days=back), scale), at)


def test_rows_come_back_as_they_were_newest_first(store: SqliteStore) -> None:
    partial = HeldRow(bare_row(YESTERDAY - timedelta(days=2), visit_pv=0, visit_depth=1.25), NOON + 0.5)
    store.save(
        SERVER, [(APPID, held(1)), (APPID, held(0)), (APPID, partial), ("wx0000000000000002", held())], 9
    )
    assert list(store.load(SERVER, APPS)) == [
        (APPID, (held(0), held(1), partial)),
        ("wx0000000000000002", (held(),)),
    ]


def test_whole_numbers_stay_whole(store: SqliteStore) -> None:
    store.save(SERVER, [(APPID, held())], 9)
    ((_, (back,)),) = store.load(SERVER, APPS)
    assert [type(value) for value in back.row.values] == [int, int, int, int, float, int, float]


def test_rows_outlive_the_process(path: Path) -> None:
    first = SqliteStore(path)
    first.save(SERVER, [(APPID, held())], 9)
    second = SqliteStore(path)  # the first was never closed, as after kill -9
    assert list(second.load(SERVER, APPS)) == [(APPID, (held(),))]


def test_a_corrected_row_replaces_its_date(store: SqliteStore) -> None:
    store.save(SERVER, [(APPID, held())], 9)
    store.save(SERVER, [(APPID, held(scale=2))], 9)
    assert list(store.load(SERVER, APPS)) == [(APPID, (held(scale=2),))]


def test_whichever_row_of_a_date_was_asked_for_later_stays(store: SqliteStore) -> None:
    store.save(SERVER, [(APPID, held(scale=2, at=NOON + 1))], 9)
    store.save(SERVER, [(APPID, held(scale=1, at=NOON))], 9)
    assert list(store.load(SERVER, APPS)) == [(APPID, (held(scale=2, at=NOON + 1),))]


def test_a_row_of_the_future_stands_in_nobodys_way(store: SqliteStore) -> None:
    store.save(SERVER, [(APPID, held(scale=1, at=time.time() + 86_400))], 9)
    store.save(SERVER, [(APPID, held(scale=2, at=NOON))], 9)
    assert list(store.load(SERVER, APPS)) == [(APPID, (held(scale=2),))]


def test_rows_of_one_server_are_none_of_another(store: SqliteStore) -> None:
    store.save(SERVER, [(APPID, held())], 9)
    store.save("test", [(APPID, held(scale=2))], 9)
    assert list(store.load(SERVER, APPS)) == [(APPID, (held(),))]
    assert list(store.load("test", APPS)) == [(APPID, (held(scale=2),))]


def test_rows_of_an_app_that_was_long_not_asked_for_are_dropped_whatever_the_clock_says(path: Path) -> None:
    store = SqliteStore(path, clock=lambda: NOON + 900 * 86_400)  # a clock set wrong
    store.save(SERVER, [(APPID, held(at=NOON - 91 * 86_400)), (OTHER, held())], 9)
    assert list(store.load(SERVER, APPS)) == [(OTHER, (held(),))]
    store.close()


BAD = ["'text'", "-5", "9e999", "x'00ff'", "9007199254740993"]


@pytest.mark.parametrize("value", BAD)
def test_a_damaged_row_is_skipped_counted_and_replaced(path: Path, value: str) -> None:
    result: list[tuple[int, str]] = []
    store = SqliteStore(path, unusable=lambda *report: result.append(report))
    store.save(SERVER, [(APPID, held(0)), (APPID, held(1))], 9)
    broken = f"points_text('visit_pv', {value})"
    store._db.execute(f"UPDATE rows SET points = {broken} WHERE first = '{YESTERDAY}'")
    assert list(store.load(SERVER, APPS)) == [(APPID, (held(1),))]
    assert [count for count, _ in result] == [1]
    assert APPID in result[0][1]
    store.save(SERVER, [(APPID, held(0))], 9)
    assert list(store.load(SERVER, APPS)) == [(APPID, (held(0), held(1)))]
    store.close()


@pytest.mark.parametrize(
    ("column", "value"), [("first", "2099-01-01"), ("points", b"\xff"), ("asked_at", "x")]
)
def test_a_row_of_no_date_no_time_or_no_text_is_skipped(path: Path, column: str, value: object) -> None:
    result: list[tuple[int, str]] = []
    store = SqliteStore(path, unusable=lambda *report: result.append(report))
    store.save(SERVER, [(APPID, held(0)), (APPID, held(1))], 9)
    store._db.execute(f"UPDATE rows SET {column} = ? WHERE first = '{YESTERDAY}'", (value,))
    assert list(store.load(SERVER, APPS)) == [(APPID, (held(1),))]
    assert len(result) == 1
    store.close()


def test_rows_older_than_the_window_are_pruned_counted_from_the_apps_newest(store: SqliteStore) -> None:
    other = "wx0000000000000002"
    store.save(SERVER, [(APPID, held(3)), (APPID, held(2)), (other, held(3))], 3)
    store.save(SERVER, [(APPID, held(0))], 3)
    assert list(store.load(SERVER, APPS)) == [(APPID, (held(0), held(2))), (other, (held(3),))]


def test_a_batch_is_kept_whole_or_not_at_all(store: SqliteStore) -> None:
    broken = HeldRow(make_row(), object())  # type: ignore[arg-type]
    with pytest.raises(StoreError):
        store.save(SERVER, [(APPID, held()), (APPID, broken)], 9)
    assert list(store.load(SERVER, APPS)) == []
    store.save(SERVER, [(APPID, held())], 9)
    assert list(store.load(SERVER, APPS)) == [(APPID, (held(),))]


def test_only_the_owner_may_read_the_files(store: SqliteStore, path: Path) -> None:
    store.save(SERVER, [(APPID, held())], 9)
    files = sorted(path.parent.iterdir())
    assert [file.name for file in files] == ["exporter.db", "exporter.db-shm", "exporter.db-wal"]
    assert {oct(file.stat().st_mode & 0o777) for file in files} == {"0o600"}


def test_rights_that_are_too_wide_are_narrowed(path: Path) -> None:
    SqliteStore(path).close()
    path.chmod(0o644)
    SqliteStore(path).close()
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_file_of_a_newer_version_is_refused_with_advice(path: Path) -> None:
    SqliteStore(path).close()
    with sqlite3.connect(path) as db:
        db.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    db.close()
    with pytest.raises(StoreError, match=r"newer version.*upgrade the exporter or name another file"):
        SqliteStore(path)


def test_a_corrupt_file_is_a_clear_error(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"this is no database, whatever its name says " * 100)
    with pytest.raises(StoreError, match=r"cannot open storage .*not a database"):
        SqliteStore(path)


def test_a_file_damaged_behind_its_head_is_a_clear_error_at_reading(path: Path) -> None:
    store = SqliteStore(path)
    store.save(SERVER, [(appid, held()) for appid in MANY], 9)
    store.close()
    content = bytearray(path.read_bytes())
    content[4096 * 3 :] = os.urandom(len(content) - 4096 * 3)
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"cannot (open|read) storage"):
        list(SqliteStore(path).load(SERVER, MANY))


def test_a_path_that_cannot_be_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"cannot open storage .*Check the path"):
        SqliteStore(tmp_path / "file" / "exporter.db")


def test_a_locked_database_is_reported_and_nothing_breaks(store: SqliteStore, path: Path) -> None:
    store._db.execute("PRAGMA busy_timeout = 50")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked"):
        store.save(SERVER, [(APPID, held())], 9)
    other.execute("ROLLBACK")
    other.close()
    store.save(SERVER, [(APPID, held())], 9)
    assert list(store.load(SERVER, APPS)) == [(APPID, (held(),))]


def test_the_directory_is_made_for_the_owner_alone(path: Path) -> None:
    SqliteStore(path).close()
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_the_observer_learns_the_result_of_every_write(path: Path) -> None:
    result: list[bool] = []
    store = SqliteStore(path, result.append)
    store.save(SERVER, [(APPID, held())], 9)
    with pytest.raises(StoreError):
        store.save(SERVER, [(APPID, HeldRow(make_row(), object()))], 9)  # type: ignore[arg-type]
    list(store.load(SERVER, APPS))
    store.close()
    assert result == [True, False]


def test_a_full_disk_is_reported_and_once_there_is_room_everything_is_stored(store: SqliteStore) -> None:
    many = [(appid, held()) for appid in MANY]
    pages = store._db.execute("PRAGMA page_count").fetchone()[0]
    store._db.execute(f"PRAGMA max_page_count = {pages}")  # as SQLite sees a disk without room
    with pytest.raises(
        StoreError, match=r"cannot write storage .*full.*Check the path, its rights and the disk"
    ):
        store.save(SERVER, many, 9)
    assert list(store.load(SERVER, APPS)) == []
    store._db.execute("PRAGMA max_page_count = 100000")
    store.save(SERVER, many, 9)
    assert len(list(store.load(SERVER, MANY))) == 2000


def test_credentials_outlive_the_process_and_the_last_one_counts(path: Path) -> None:
    first = SqliteStore(path)
    assert first.credential("refresh_token/wx1") is None
    first.put("refresh_token/wx1", None, "one")
    first.put("refresh_token/wx1", "one", "two")
    first.put("refresh_token/wx2", None, "三")
    second = SqliteStore(path)  # the first was never closed, as after kill -9
    assert second.credential("refresh_token/wx1") == "two"
    assert second.credential("refresh_token/wx2") == "三"


def test_a_credential_that_cannot_be_kept_says_so(store: SqliteStore, path: Path) -> None:
    store._db.execute("PRAGMA busy_timeout = 50")
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked"):
        store.put("key", None, "value")
    other.execute("ROLLBACK")
    other.close()
    assert store.credential("key") is None


# With an encryption key

KEY = Secret("bm90LWEtcmVhbC1rZXktbm90LWEtcmVhbC1rZXktISE=")


def test_with_a_key_no_credential_is_readable_in_the_file(path: Path) -> None:
    store = SqliteStore(path, seal=Seal(KEY))
    store.put("refresh_token/one", None, "not-a-real-refresh-token")
    assert store.credential("refresh_token/one") == "not-a-real-refresh-token"
    content = b"".join(file.read_bytes() for file in path.parent.iterdir())
    store.close()
    content += path.read_bytes()
    assert b"refresh_token/one" in content
    assert b"not-a-real-refresh-token" not in content


def test_a_key_that_comes_later_encrypts_what_was_there_and_what_comes(path: Path) -> None:
    plain = SqliteStore(path)
    plain.put("old", None, "not-a-real-token")
    plain.close()
    sealed = SqliteStore(path, seal=Seal(KEY))
    sealed.put("new", None, "not-a-real-token")
    assert sealed.credential("old") == sealed.credential("new") == "not-a-real-token"
    sealed.reseal()
    sealed.close()
    plain = SqliteStore(path)
    for key in ("old", "new"):
        with pytest.raises(StoreError, match="encryption_key_file"):
            plain.credential(key)
    plain.close()


def test_rows_of_a_dataset_are_kept_beside_those_of_others(store: SqliteStore) -> None:
    points = (Point(("pages/index",), (7, 6, 5.5, 4, 3, 2, 1)), Point(("",), (1, *[None] * 6)))
    pages = HeldRow(Row(held().row.period, points), NOON)
    store.save(SERVER, [(APPID, held())], 9)
    store.save(SERVER, [(APPID, pages)], 9, VISIT_PAGES)
    assert list(store.load(SERVER, APPS, VISIT_PAGES)) == [(APPID, (pages,))]
    assert list(store.load(SERVER, APPS)) == [(APPID, (held(),))]


def test_refusals_that_are_over_leave_the_file_even_of_removed_apps(path: Path) -> None:
    short = Refusal(errcode_failure(40125, "invalid appsecret"), NOON, NOON + 3600)
    store = SqliteStore(path, clock=lambda: NOON + 3600)
    store.save_refusals(SERVER, {APPID: short, OTHER: replace(short, until=NOON + 7200)})
    assert set(store.refusals(SERVER, [OTHER])) == {OTHER}
    with sqlite3.connect(path) as db:
        assert db.execute("SELECT appid FROM refusals").fetchall() == [(OTHER,)]
    store.close()
