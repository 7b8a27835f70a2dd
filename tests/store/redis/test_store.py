"""Rows, states, news, duties and credentials in a real Redis."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from exporter.config.settings import RedisServer as Address
from exporter.config.settings import StorageSettings
from exporter.store.entry import Entry, Health, HeldRow, Vacant
from exporter.store.interface import StoreError
from exporter.store.redis.store import RedisStore, open_redis
from exporter.trend import FIELDS
from exporter.wechat.errors import Reason
from tests.building import NOON, make_app, make_row
from tests.redis_server import RedisServer, redis_server
from tests.store.conftest import KEY, Opened

DAY = date(2026, 11, 23)
ONE = make_app(1).appid
HEALTHY = Entry(make_app(1), "stable_token", health=Health(last_refresh=NOON, last_success=NOON))
TROUBLED = Entry(
    make_app(1),
    "stable_token",
    health=Health(
        last_refresh=NOON + 60,
        last_success=NOON,
        reason=Reason.INVALID_SECRET,
        errcode=40125,
        detail="invalid appsecret 密钥",
        resume_at=NOON + 3600,
        strikes=2,
        fingerprint=b"\x00\xff",
    ),
    token_expires_at=NOON + 7200,
    vacant=(Vacant(DAY, 3, NOON + 5.25),),
)


def row(day: date, fetched_at: float = NOON, **figures: float | None) -> HeldRow:
    whole = make_row(day)
    names = (field.name for field in FIELDS)
    values = (figures.get(name, value) for name, value in zip(names, whole.values, strict=True))
    return HeldRow(replace(whole, values=tuple(values)), fetched_at)


def kept(store: RedisStore) -> list[HeldRow]:
    return [held for _, shared in store.states([ONE]) for held in shared.rows]


def test_rows_come_back_exactly_newest_first(store: RedisStore) -> None:
    rows = [row(DAY - timedelta(days=back), NOON + 0.1 * back) for back in range(9)]
    rows.append(row(DAY - timedelta(days=9), visit_uv=None, stay_time_uv=12.34567890123))
    store.save([(ONE, held) for held in reversed(rows)], keep_days=20)
    assert kept(store) == rows
    assert list(store.load()) == [(ONE, tuple(rows))]


def test_of_two_rows_of_a_date_the_later_one_stays_whoever_writes_last(opened: Opened) -> None:
    first, second = opened(), opened()
    second.save([(ONE, row(DAY, NOON + 1, visit_pv=2))], 9)
    first.save([(ONE, row(DAY, NOON, visit_pv=1))], 9)
    assert [held.row["visit_pv"] for held in kept(first)] == [2]


def test_rows_too_old_beside_the_newest_are_dropped(store: RedisStore) -> None:
    store.save([(ONE, row(DAY - timedelta(days=back))) for back in range(12)], keep_days=9)
    assert len(kept(store)) == 9
    store.save([(ONE, row(DAY + timedelta(days=1)))], keep_days=9)
    assert [held.row.ref_date for held in kept(store)] == [DAY - timedelta(days=n) for n in range(-1, 8)]


def test_a_state_comes_back_exactly(store: RedisStore) -> None:
    store.save_states({ONE: TROUBLED})
    ((appid, shared),) = store.states([ONE, "wx0000000000000000"])
    assert appid == ONE
    assert (shared.health, shared.vacant) == (TROUBLED.health, TROUBLED.vacant)
    assert shared.token_expires_at == TROUBLED.token_expires_at
    assert shared.changed_at == TROUBLED.changed_at


def test_of_two_states_the_later_one_stays(store: RedisStore) -> None:
    store.save_states({ONE: TROUBLED})
    store.save_states({ONE: HEALTHY})
    ((_, shared),) = store.states([ONE])
    assert shared.health == TROUBLED.health


def test_an_app_that_was_never_asked_has_no_state(store: RedisStore) -> None:
    store.save_states({ONE: Entry(make_app(1), "stable_token")})
    assert list(store.states([ONE])) == []


def test_news_are_what_others_saved_since(opened: Opened) -> None:
    first, second = opened(), opened()
    since, found = first.news(0)
    second.save([(ONE, row(DAY))], 9)
    second.save_states({ONE: HEALTHY})
    since, found = first.news(since)
    assert found == [ONE]
    assert first.news(since) == (since, [])
    first.save([(ONE, row(DAY, NOON + 9))], 9)
    since, found = first.news(since)
    assert found == []  # its own
    assert second.news(0)[1] == [ONE]


def test_what_changes_nothing_is_no_news(opened: Opened) -> None:
    first, second = opened(), opened()
    second.save([(ONE, row(DAY))], 9)
    since, _ = first.news(0)
    second.save([(ONE, row(DAY))], 9)
    assert first.news(since)[1] == []


def test_many_apps_go_through_in_batches(store: RedisStore) -> None:
    apps = [make_app(number) for number in range(1, 1001)]
    store.save([(app.appid, row(DAY)) for app in apps], 9)
    store.save_states({app.appid: replace(HEALTHY, app=app) for app in apps})
    assert len(dict(store.states([app.appid for app in apps]))) == 1000


def test_a_duty_has_one_holder_until_its_time_is_over_or_it_is_given_back(store: RedisStore) -> None:
    assert store.take("rounds", "one", 0.2)
    assert store.take("rounds", "one", 0.2)
    assert not store.take("rounds", "two", 0.2)
    assert store.take("other", "two", 0.2)
    time.sleep(0.25)  # Redis' own clock
    assert store.take("rounds", "two", 60)
    store.leave("rounds", "one")
    assert not store.take("rounds", "one", 60)
    store.leave("rounds", "two")
    assert store.take("rounds", "one", 60)


def test_all_exporters_of_a_fleet_have_one_phase_and_another_fleet_its_own(opened: Opened) -> None:
    assert opened().phase(0.25) == 0.25
    assert opened().phase(0.75) == 0.25
    assert opened(prefix="other").phase(0.75) == 0.75


def test_fleets_with_other_prefixes_see_nothing_of_each_other(opened: Opened) -> None:
    store, other = opened(), opened(prefix="other")
    store.save([(ONE, row(DAY))], 9)
    store.save_credential("key", "value")
    assert list(other.states([ONE])) == []
    assert list(other.load()) == []
    assert other.credential("key") is None


def test_credentials_are_kept_and_encrypted_where_there_is_a_key(opened: Opened, server: RedisServer) -> None:
    plain, sealed = opened(), opened(key=KEY)
    plain.save_credential("old", "not-a-real-refresh-token")
    sealed.save_credential("new", "not-a-real-refresh-token")
    assert server.client().get("test:credential:old") == "not-a-real-refresh-token"
    assert sealed.credential("old") == sealed.credential("new") == "not-a-real-refresh-token"
    assert "not-a-real" not in str(server.client().get("test:credential:new"))
    with pytest.raises(StoreError, match="encryption_key_file"):
        plain.credential("new")


def test_keys_of_apps_that_are_gone_end_by_themselves(store: RedisStore, server: RedisServer) -> None:
    store.save([(ONE, row(DAY))], 9)
    store.save_states({ONE: HEALTHY})
    client = server.client()
    for key in client.scan_iter("test:[rs]*"):
        assert 80 * 86_400 < int(client.ttl(key)) <= 90 * 86_400


def test_what_another_version_wrote_is_left_out(store: RedisStore, server: RedisServer) -> None:
    server.client().hset(f"test:rows:{ONE}", f"{DAY}", f"{NOON} [1,2]")
    assert kept(store) == []
    assert list(store.load()) == []


def test_every_write_is_told(opened: Opened) -> None:
    store = opened()
    opened.writes.clear()
    store.save([(ONE, row(DAY))], 9)
    store.take("rounds", "one", 1)
    assert opened.writes == [True, True]


def test_after_redis_lost_its_data_no_write_of_another_is_taken_for_an_own_one(
    opened: Opened, server: RedisServer
) -> None:
    first, second = opened(), opened()
    for at in range(3):
        first.save([(ONE, row(DAY, NOON + at))], 9)
    server.client().flushall()
    since, _ = first.news(3)  # its own three were never asked for
    assert since == 0
    for at in range(3):
        second.save([(ONE, row(DAY, NOON + 10 + at))], 9)
    assert first.news(since) == (3, [ONE])


def test_writing_and_looking_for_news_at_once_disturb_each_other_in_nothing(opened: Opened) -> None:
    store = opened()

    def save(number: int) -> None:
        store.save([(make_app(number).appid, row(DAY))], 9)

    with ThreadPoolExecutor(8) as threads:
        saving = [threads.submit(save, number) for number in range(300)]
        since = 0
        while not all(each.done() for each in saving):
            since, found = store.news(since)
            assert len(found) <= 8  # a write whose number is not known yet
        assert [each.exception() for each in saving] == [None] * 300
    assert store.news(since)[1] == []


def test_what_a_wrong_clock_wrote_is_not_kept_and_what_is_there_of_one_is_replaced(
    store: RedisStore, server: RedisServer
) -> None:
    ahead = time.time() + 3600
    with pytest.raises(StoreError, match="1 rows or states are over five minutes ahead of Redis' clock"):
        store.save([(ONE, row(DAY, ahead))], 9)
    with pytest.raises(StoreError, match=r"Set this machine's clock and Redis' right"):
        store.save_states({ONE: replace(HEALTHY, health=Health(last_refresh=ahead))})
    assert list(store.states([ONE])) == []
    server.client().hset(f"test:rows:{ONE}", f"{DAY}", f"{ahead} [1,2,3,4,5,6,7]")
    server.client().set(f"test:state:{ONE}", f"{ahead} {{}}")
    store.save([(ONE, row(DAY))], 9)
    store.save_states({ONE: HEALTHY})
    ((_, shared),) = store.states([ONE])
    assert shared.rows == (row(DAY),)
    assert shared.health == HEALTHY.health


def test_what_is_no_row_is_replaced(store: RedisStore, server: RedisServer) -> None:
    server.client().hset(f"test:rows:{ONE}", f"{DAY}", "nonsense")
    store.save([(ONE, row(DAY))], 9)
    assert kept(store) == [row(DAY)]


def test_a_redis_that_was_started_anew_is_noticed(
    program: Callable[[str], str], tmp_path: Path, free_port: Callable[[], int]
) -> None:
    with redis_server(program, tmp_path, free_port()) as own:
        address = Address((("127.0.0.1", own.port),), prefix="test")
        store = open_redis(StorageSettings(own.url, address), lambda _: None)
        assert not store.lost()
        assert not store.lost()
        own.kill()
        own.start()
        assert store.lost()
        assert not store.lost()
        store.close()
