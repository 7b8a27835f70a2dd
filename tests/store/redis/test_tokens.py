"""Tokens that a fleet shares, in a real Redis."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from exporter.store.interface import StoreError
from exporter.store.redis.store import RedisStore
from exporter.wechat.tokens.cache import Token, TokenSource, expiring_token
from exporter.wechat.tokens.shared import SharedSource
from tests.redis_server import RedisServer
from tests.store.conftest import KEY, Opened

APP = "stable_token:wx0000000000000001@https://api.weixin.qq.com"


def token(value: str = "not-a-real-token", lifetime: float = 7200) -> Token:
    return expiring_token(value, lifetime, time.time())


def kept(store: RedisStore, some: Token, app: str = APP) -> Token:
    fence = store.tokens.lock(app, 30)
    assert fence is not None
    assert store.tokens.keep(app, some, fence)
    return some


def test_a_token_comes_back_exactly_at_every_exporter(opened: Opened) -> None:
    first, second = opened(), opened()
    assert second.tokens.token(APP) is None
    some = kept(first, token())
    assert second.tokens.token(APP) == some
    assert second.tokens.token("access_token:wx0000000000000001@https://api.weixin.qq.com") is None


def test_one_has_the_right_at_a_time_and_no_two_rights_are_alike(opened: Opened) -> None:
    first, second = opened(), opened()
    fences = [first.tokens.lock(APP, 30)]
    assert second.tokens.lock(APP, 30) is None
    assert second.tokens.lock("another", 30) is not None
    first.tokens.unlock(APP, fences[0] or "")
    fences.append(second.tokens.lock(APP, 30))
    assert fences[0] is not None
    assert fences[1] is not None
    assert fences[1] != fences[0]


def test_of_many_that_want_the_right_at_once_one_gets_it(opened: Opened) -> None:
    stores = [opened() for _ in range(4)]
    with ThreadPoolExecutor(16) as threads:
        got = list(threads.map(lambda number: stores[number % 4].tokens.lock(APP, 30), range(64)))
    assert sum(fence is not None for fence in got) == 1


def test_the_right_ends_by_itself_and_what_comes_too_late_is_not_kept(store: RedisStore) -> None:
    old = store.tokens.lock(APP, 0.05)
    assert old is not None
    time.sleep(0.06)  # Redis' own clock
    assert not store.tokens.keep(APP, token("too-late"), old)
    new = store.tokens.lock(APP, 30)
    assert new is not None
    assert not store.tokens.keep(APP, token("too-late"), old)
    store.tokens.unlock(APP, old)  # is not its right any more
    assert store.tokens.lock(APP, 30) is None
    assert store.tokens.keep(APP, token("right"), new)
    assert not store.tokens.keep(APP, token("again"), new)
    held = store.tokens.token(APP)
    assert held is not None
    assert held.value == "right"


def test_keeping_gives_the_right_back(store: RedisStore) -> None:
    kept(store, token())
    assert store.tokens.lock(APP, 30) is not None


@pytest.mark.parametrize("key", [None, KEY])
def test_a_refused_token_is_dropped_and_another_one_stays(opened: Opened, key: str | None) -> None:
    store = opened(key=key)
    some = kept(store, token())
    store.tokens.drop(APP, "not-a-real-token-either")
    assert store.tokens.token(APP) == some
    store.tokens.drop(APP, some.value)
    assert store.tokens.token(APP) is None
    store.tokens.drop(APP, some.value)


def test_with_a_key_no_token_can_be_read_without_it(opened: Opened, server: RedisServer) -> None:
    sealed = opened(key=KEY)
    some = kept(sealed, token())
    assert sealed.tokens.token(APP) == some
    assert "not-a-real-token" not in str(server.client().get(f"test:token:{APP}"))
    with pytest.raises(StoreError, match="encryption_key_file"):
        opened().tokens.token(APP)


def test_a_token_ends_in_redis_when_it_ends_at_wechat(store: RedisStore, server: RedisServer) -> None:
    kept(store, token(lifetime=7200))
    assert 7190 < int(server.client().ttl(f"test:token:{APP}")) <= 7200
    kept(store, Token("unknown-end", None, time.time() + 30), "other")
    assert 0 < int(server.client().ttl("test:token:other")) <= 60
    kept(store, token("ended", lifetime=-5), "ended")
    time.sleep(0.005)
    assert store.tokens.token("ended") is None


@pytest.mark.parametrize("text", ["5", "{", "[]", '["value", 1]', '["value", 1, "soon"]', '["a", 1, 2, 3]'])
def test_what_another_version_wrote_in_another_way_is_no_token(
    store: RedisStore, server: RedisServer, text: str
) -> None:
    server.client().set(f"test:token:{APP}", f"mark {text}")
    assert store.tokens.token(APP) is None


class Counted(TokenSource):
    """A source that counts how often it is asked, and takes its time."""

    kind = "stable_token"

    def __init__(self) -> None:
        self.fetches: list[float] = []

    def fetch(self) -> Token:
        self.fetches.append(time.monotonic())
        time.sleep(0.05)
        return token(f"not-a-real-token-{len(self.fetches)}")

    def fingerprint(self) -> bytes:
        return b""


def test_many_exporters_that_need_a_token_at_once_fetch_it_once(opened: Opened) -> None:
    source = Counted()
    stopping = threading.Event()
    exporters = [SharedSource(source, opened().tokens, APP, 30, time.time, stopping.wait) for _ in range(4)]
    with ThreadPoolExecutor(8) as threads:
        got = list(threads.map(lambda number: exporters[number % 4].fetch().value, range(8)))
    assert set(got) == {"not-a-real-token-1"}
    assert len(source.fetches) == 1


def test_a_fetch_that_came_late_after_a_wipe_takes_nobodys_place(opened: Opened, server: RedisServer) -> None:
    paused, other = opened(), opened()
    old = paused.tokens.lock(APP, 30)
    assert old is not None
    server.client().flushall()
    right = other.tokens.lock(APP, 30)
    assert right is not None
    assert not paused.tokens.keep(APP, token("late"), old)
    assert other.tokens.keep(APP, token("newer"), right)
    assert not paused.tokens.keep(APP, token("late"), old)
    found = other.tokens.token(APP)
    assert found is not None
    assert found.value == "newer"
