"""Rows, leases and credentials in a real Redis."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta

import pytest

from exporter.datasets.daily_trend import FIELDS, figure_of
from exporter.datasets.dataset import Point, Row
from exporter.datasets.period import WEEK
from exporter.datasets.weekly_trend import WEEKLY_TREND
from exporter.store.entry import HeldRow
from exporter.store.interface import StoreError
from exporter.store.redis.store import RedisStore
from tests.building import NOON, make_app, make_row, trend_row
from tests.redis_server import RedisServer
from tests.store.conftest import KEY, Opened

DAY = date(2026, 11, 23)
ONE = make_app(1).appid
SERVER = "api.weixin.qq.com"
ROWS = f"test:figures:{SERVER}:daily_trend:{ONE}"


def row(day: date, asked_at: float = NOON, **figures: float | None) -> HeldRow:
    whole = make_row(day)
    names = (field.name for field in FIELDS)
    values = (figures.get(name, value) for name, value in zip(names, whole.values, strict=True))
    return HeldRow(trend_row(day, tuple(values)), asked_at)


def kept(store: RedisStore) -> list[HeldRow]:
    return [held for appid, rows in store.load(SERVER, [ONE]) if appid == ONE for held in rows]


def test_rows_come_back_exactly_newest_first(store: RedisStore) -> None:
    rows = [row(DAY - timedelta(days=back), NOON + 0.1 * back) for back in range(9)]
    rows.append(row(DAY - timedelta(days=9), visit_uv=None, stay_time_uv=12.34567890123))
    store.save(SERVER, [(ONE, held) for held in reversed(rows)], keep_days=20)
    assert kept(store) == rows
    assert list(store.load(SERVER, [ONE])) == [(ONE, tuple(rows))]


def test_of_two_rows_of_a_date_the_later_one_stays_whoever_writes_last(opened: Opened) -> None:
    first, second = opened(), opened()
    second.save(SERVER, [(ONE, row(DAY, NOON + 1, visit_pv=2))], 9)
    first.save(SERVER, [(ONE, row(DAY, NOON, visit_pv=1))], 9)
    assert [figure_of(held.row, "visit_pv") for held in kept(first)] == [2]


def test_rows_too_old_beside_the_newest_are_dropped(store: RedisStore) -> None:
    store.save(SERVER, [(ONE, row(DAY - timedelta(days=back))) for back in range(12)], keep_days=9)
    assert len(kept(store)) == 9
    store.save(SERVER, [(ONE, row(DAY + timedelta(days=1)))], keep_days=9)
    assert [held.row.ref_date for held in kept(store)] == [DAY - timedelta(days=n) for n in range(-1, 8)]


def test_many_apps_go_through_in_batches(store: RedisStore) -> None:
    apps = [make_app(number) for number in range(1, 1001)]
    store.save(SERVER, [(app.appid, row(DAY)) for app in apps], 9)
    assert len(dict(store.load(SERVER, [app.appid for app in apps]))) == 1000


def test_a_lease_has_one_holder_until_its_time_is_over_or_it_is_given_back(opened: Opened) -> None:
    one, two = opened(), opened()
    assert one.take("list", 0.2)
    assert one.take("list", 0.2)
    assert not two.take("list", 0.2)
    assert two.take("other", 0.2)
    time.sleep(0.25)  # Redis' own clock
    assert two.take("list", 60)
    one.give_back("list")  # is not its lease any more
    assert not one.take("list", 60)
    two.give_back("list")
    assert one.take("list", 60)


def test_of_many_that_want_a_lease_at_once_one_gets_it(opened: Opened) -> None:
    stores = [opened() for _ in range(8)]
    with ThreadPoolExecutor(8) as threads:
        assert sum(threads.map(lambda store: store.take("list", 30), stores)) == 1


def test_fleets_with_other_prefixes_see_nothing_of_each_other(opened: Opened) -> None:
    store, other = opened(), opened(prefix="other")
    store.save(SERVER, [(ONE, row(DAY))], 9)
    store.put("key", None, "value")
    assert list(other.load(SERVER, [ONE])) == []
    assert other.credential("key") is None


def test_credentials_are_kept_and_encrypted_where_there_is_a_key(opened: Opened, server: RedisServer) -> None:
    plain, sealed = opened(), opened(key=KEY)
    plain.put("old", None, "not-a-real-refresh-token")
    sealed.put("new", None, "not-a-real-refresh-token")
    assert server.client().get("test:credential:old") == "not-a-real-refresh-token"
    assert sealed.credential("old") == sealed.credential("new") == "not-a-real-refresh-token"
    assert "not-a-real" not in str(server.client().get("test:credential:new"))
    with pytest.raises(StoreError, match="encryption_key_file"):
        plain.credential("new")


def test_keys_of_apps_that_are_gone_end_by_themselves(store: RedisStore, server: RedisServer) -> None:
    store.save(SERVER, [(ONE, row(DAY))], 9)
    client = server.client()
    for key in client.scan_iter("test:[rsf]*"):
        assert 80 * 86_400 < int(client.ttl(key)) <= 90 * 86_400


def test_the_observer_learns_of_every_write(opened: Opened) -> None:
    store = opened()
    opened.writes.clear()
    store.save(SERVER, [(ONE, row(DAY))], 9)
    store.take("list", 1)
    assert opened.writes == [True, True]


def test_a_row_of_the_future_stands_in_nobodys_way(store: RedisStore, server: RedisServer) -> None:
    ahead = time.time() + 86_400
    store.save(SERVER, [(ONE, row(DAY, ahead, visit_pv=1))], 9)  # an exporter whose clock is a day ahead
    assert kept(store)[0].asked_at <= time.time()
    store.save(SERVER, [(ONE, row(DAY, time.time(), visit_pv=2))], 9)
    assert [figure_of(held.row, "visit_pv") for held in kept(store)] == [2]
    server.client().hset(ROWS, f"{DAY}", f'{ahead} [{{"visit_pv":1}}]')
    store.save(SERVER, [(ONE, row(DAY, visit_pv=3))], 9)
    assert [figure_of(held.row, "visit_pv") for held in kept(store)] == [3]


@pytest.mark.parametrize("text", ["nonsense", "", "nan [1]", "inf [1]", "-5 {}", f"{NOON} [1,2]"])
def test_what_is_no_row_is_skipped_reported_once_and_replaced(
    opened: Opened, server: RedisServer, text: str
) -> None:
    reports: list[tuple[int, str]] = []
    store = opened(unusable=lambda *report: reports.append(report))
    server.client().hset(ROWS, f"{DAY}", text)
    assert kept(store) == []
    assert [count for count, _ in reports] == [1]
    assert ONE in reports[0][1]
    store.save(SERVER, [(ONE, row(DAY))], 9)
    if text.startswith(f"{NOON}"):
        store.save(SERVER, [(ONE, row(DAY, NOON + 1))], 9)
    assert [held.row for held in kept(store)] == [row(DAY).row]


def test_rows_of_a_dataset_are_kept_beside_those_of_others(opened: Opened) -> None:
    week = HeldRow(Row(WEEK.newest(DAY), (Point((), (1, 2, 3, 4, 5.5, 6, 7)),)), NOON)
    store = opened()
    store.save(SERVER, [(ONE, row(DAY))], 9)
    store.save(SERVER, [(ONE, week)], 9, WEEKLY_TREND)
    assert list(opened().load(SERVER, [ONE], WEEKLY_TREND)) == [(ONE, (week,))]
    assert list(opened().load(SERVER, [ONE])) == [(ONE, (row(DAY),))]
