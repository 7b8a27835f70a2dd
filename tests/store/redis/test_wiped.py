"""A Redis that has lost its data gets it back, and older data never replace newer ones."""

from datetime import date

from exporter.store.entry import HeldRow
from exporter.store.redis.store import RedisStore
from tests.building import NOON, make_app, make_row
from tests.redis_server import RedisServer
from tests.store.conftest import KEY, Opened

KEY_OF_TOKEN = "refresh_token/wx1"
ONE = make_app(1).appid
ROW = HeldRow(make_row(date(2026, 11, 23)), NOON)


def settled(opened: Opened, key: str | None = None) -> RedisStore:
    """Return an exporter's store that knows the present state of Redis."""
    store = opened(key=key)
    list(store.load("wechat", [ONE]))
    return store


def test_a_loss_is_noticed_once_by_every_exporter(opened: Opened, server: RedisServer) -> None:
    first, second = settled(opened), settled(opened)
    assert not first.emptied()
    server.client().flushall()
    assert first.emptied()
    assert second.emptied()
    assert not first.emptied()
    assert not settled(opened).emptied()


def test_a_loss_is_noticed_also_where_new_apps_are_restored_first(
    opened: Opened, server: RedisServer
) -> None:
    store = settled(opened)
    server.client().flushall()
    assert list(store.load("wechat", [make_app(2).appid])) == []
    assert store.emptied()


def test_credentials_are_put_back_encrypted(opened: Opened, server: RedisServer) -> None:
    store = settled(opened, KEY)
    assert store.put(KEY_OF_TOKEN, None, "one")
    server.client().flushall()
    assert store.emptied()
    assert store.credential(KEY_OF_TOKEN) == "one"
    assert "one" not in str(server.client().get(f"test:credential:{KEY_OF_TOKEN}"))


def test_whoever_saw_its_credential_last_has_the_newest(opened: Opened, server: RedisServer) -> None:
    for newest_first in (True, False):
        server.client().flushall()
        paused, other = settled(opened), settled(opened)
        assert paused.put(KEY_OF_TOKEN, None, "one")
        assert other.credential(KEY_OF_TOKEN) == "one"
        assert other.put(KEY_OF_TOKEN, "one", "two")
        server.client().flushall()
        for store in (other, paused) if newest_first else (paused, other):
            assert store.emptied()
        assert other.credential(KEY_OF_TOKEN) == "two"


def test_what_came_after_the_loss_stays(opened: Opened, server: RedisServer) -> None:
    paused, other = settled(opened), settled(opened)
    assert paused.put(KEY_OF_TOKEN, None, "one")
    server.client().flushall()
    assert other.credential(KEY_OF_TOKEN) is None
    assert other.put(KEY_OF_TOKEN, None, "three")
    assert paused.emptied()
    assert other.credential(KEY_OF_TOKEN) == "three"


def test_a_first_credential_that_comes_late_gives_way_to_a_newer_one(
    opened: Opened, server: RedisServer
) -> None:
    paused, other = settled(opened), settled(opened)
    assert paused.credential(KEY_OF_TOKEN) is None  # and is paused while WeChat answers
    assert other.put(KEY_OF_TOKEN, None, "newer")
    server.client().flushall()
    assert paused.put(KEY_OF_TOKEN, None, "late")
    assert other.emptied()
    assert other.credential(KEY_OF_TOKEN) == "newer"


def test_put_says_no_where_the_expected_one_was_lost(opened: Opened, server: RedisServer) -> None:
    store = settled(opened)
    assert store.put(KEY_OF_TOKEN, None, "one")
    server.client().flushall()
    assert not store.put(KEY_OF_TOKEN, "one", "two")
    assert store.credential(KEY_OF_TOKEN) is None
    assert store.put(KEY_OF_TOKEN, None, "two")
    assert store.emptied()
    assert store.credential(KEY_OF_TOKEN) == "two"


def test_rows_are_saved_again_by_whoever_holds_them(opened: Opened, server: RedisServer) -> None:
    store = settled(opened)
    store.save("wechat", [(ONE, ROW)], 9)
    server.client().flushall()
    assert store.emptied()
    store.save("wechat", [(ONE, ROW)], 9)
    assert dict(settled(opened).load("wechat", [ONE])) == {ONE: (ROW,)}
