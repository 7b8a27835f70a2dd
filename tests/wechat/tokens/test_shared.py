"""The shared token of several exporters, with a pool in memory and a clock that waiting moves."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pytest

from exporter.config.settings import Config, RefreshSettings, WechatSettings
from exporter.config.storage import StorageSettings
from exporter.store.memory import MemoryStore
from exporter.wechat.credential_vault import VaultError
from exporter.wechat.failures.errcodes import errcode_failure
from exporter.wechat.failures.failure import CallError, Reason
from exporter.wechat.tokens.cache import Token, TokenCache, expiring_token
from exporter.wechat.tokens.shared import SharedSource, Sharing, longest_patience
from tests.wechat.lines import Clock, failure_of, outcome
from tests.wechat.tokens.conftest import Source

CONFIG = Config(
    Path("config.yaml"),
    WechatSettings("http://127.0.0.1:1", 10.0),
    RefreshSettings(3600.0, 9, 3, 16, 50.0),
    StorageSettings("memory://"),
    (),
)
START = Clock().now
REFUSED = errcode_failure(40125, "invalid appsecret")
PATIENCE = 35.0
KEY = "stable_token:wx0000000000000001@https://api.weixin.qq.com"


@dataclass
class Pool:
    """A `TokenPool`; `once_locked` something else happens."""

    clock: Clock
    tokens: dict[str, Token] = field(default_factory=dict)
    locks: dict[str, tuple[str, float]] = field(default_factory=dict)
    fences: int = 0
    away: bool = False
    once_locked: Callable[[], object] = lambda: None

    def token(self, key: str) -> Token | None:
        self._reach()
        held = self.tokens.get(key)
        return held if held is not None and self.clock() < (held.expires_at or 0) else None

    def lock(self, key: str, seconds: float) -> str | None:
        self._reach()
        if self._holder(key):
            return None
        self.fences += 1
        fence = f"{self.fences}"
        self.locks[key] = fence, self.clock() + seconds
        self.once_locked()
        return fence

    def keep(self, key: str, token: Token, fence: str) -> bool:
        self._reach()
        if self._holder(key) != fence:
            return False
        self.tokens[key] = token
        del self.locks[key]
        return True

    def unlock(self, key: str, fence: str) -> None:
        self._reach()
        if self._holder(key) == fence:
            del self.locks[key]

    def drop(self, key: str, value: str) -> None:
        self._reach()
        if key in self.tokens and self.tokens[key].value == value:
            del self.tokens[key]

    def _holder(self, key: str) -> str | None:
        fence, until = self.locks.get(key, ("", 0.0))
        return fence if fence and self.clock() < until else None

    def _reach(self) -> None:
        if self.away:
            raise VaultError("cannot read storage redis://cache/0: Connection refused.")


class Rig:
    def __init__(self) -> None:
        self.clock = Clock()
        self.pool = Pool(self.clock)
        self.source = self.new_source("fake")
        self.waits = 0
        self.while_waiting: Callable[[], object] = lambda: None
        self.stopping = False

    def new_source(self, name: str, kind: str = "stable_token") -> Source:
        """Gives a new token each time, good for two hours."""
        return Source(lambda fetch: expiring_token(f"{name}-{fetch}", 7200, self.clock()), kind)

    def wait(self, seconds: float) -> bool:
        self.waits += 1
        self.clock.now += seconds
        self.while_waiting()
        return self.stopping

    def shared(self, source: Source) -> SharedSource:
        return SharedSource(source, self.pool, KEY, PATIENCE, self.clock, self.wait)

    def fetch(self) -> Token:
        return self.shared(self.source).fetch()

    def put(self, value: str, lifetime: float = 7200) -> Token:
        token = self.pool.tokens[KEY] = expiring_token(value, lifetime, self.clock())
        return token


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_the_first_one_fetches_and_the_others_use_what_it_got(rig: Rig) -> None:
    token = rig.fetch()
    other = rig.new_source("other")
    assert rig.shared(other).fetch() == token
    assert (rig.source.fetches, other.fetches) == (1, 0)
    assert rig.pool.locks == {}


def test_a_token_near_its_end_is_renewed_by_one(rig: Rig) -> None:
    rig.clock.now = rig.fetch().renew_at
    assert [rig.fetch().value for _ in range(2)] == ["fake-2", "fake-2"]


def test_a_token_that_comes_between_looking_and_locking_is_used(rig: Rig) -> None:
    rig.pool.once_locked = lambda: rig.put("fake-of-another")
    assert rig.fetch().value == "fake-of-another"
    assert rig.source.fetches == 0
    assert rig.pool.locks == {}  # the right is given back


def test_while_another_fetches_its_token_is_waited_for(rig: Rig) -> None:
    fence = rig.pool.lock(KEY, PATIENCE)
    assert fence is not None
    token = expiring_token("fake-of-another", 7200, START)

    def done() -> None:
        if rig.waits == 5:
            rig.pool.keep(KEY, token, fence)

    rig.while_waiting = done
    assert rig.fetch() == token
    assert (rig.waits, rig.source.fetches) == (5, 0)


@pytest.mark.parametrize(("left", "used"), [(300, True), (59, False)])
def test_while_another_renews_a_token_it_is_used_except_in_its_last_minute(
    rig: Rig, left: float, *, used: bool
) -> None:
    old = rig.put("fake-old")
    rig.clock.now = START + 7200 - left
    rig.pool.lock(KEY, PATIENCE)
    held = rig.fetch()
    assert (held.value == old.value, rig.waits == 0) == (used, used)
    if used:  # it is looked at again soon
        assert (held.expires_at, rig.clock() < held.renew_at < rig.clock() + 60) == (old.expires_at, True)


def test_one_that_dies_with_the_right_stops_the_others_for_its_time_alone(rig: Rig) -> None:
    rig.pool.lock(KEY, PATIENCE)
    rig.fetch()
    assert rig.source.fetches == 1
    assert rig.clock() == pytest.approx(START + PATIENCE, abs=0.5)


def test_others_that_hold_the_right_again_and_again_are_not_waited_for_without_end(rig: Rig) -> None:
    def taken_again() -> None:
        rig.pool.locks[KEY] = "99", rig.clock() + PATIENCE

    taken_again()
    rig.while_waiting = taken_again
    assert failure_of(rig.fetch).reason is Reason.TIMEOUT
    assert rig.clock() == pytest.approx(START + 2 * PATIENCE, abs=0.5)


def test_an_exporter_that_stops_does_not_wait(rig: Rig) -> None:
    rig.pool.lock(KEY, PATIENCE)
    rig.stopping = True
    with pytest.raises(CallError, match="the exporter stops"):
        rig.fetch()
    assert (rig.waits, rig.source.fetches) == (1, 0)


@pytest.mark.parametrize("overtaken", [True, False])
def test_what_one_brings_that_was_too_slow_is_put_before_nobody(rig: Rig, *, overtaken: bool) -> None:
    def late() -> None:
        rig.clock.now += PATIENCE + 1
        if overtaken:
            rig.put("fake-of-another")

    rig.source.meanwhile = late
    used = rig.fetch().value
    assert [token.value for token in rig.pool.tokens.values()] == [used] * overtaken
    assert (used == "fake-of-another") is overtaken


@pytest.mark.parametrize("away", [False, True])
@pytest.mark.parametrize("refused", [False, True])
def test_a_fetch_has_its_outcome_and_gives_the_right_back_also_where_the_pool_goes_away(
    rig: Rig, *, refused: bool, away: bool
) -> None:
    if refused:
        rig.source.outcome = lambda _: REFUSED
    rig.source.meanwhile = lambda: setattr(rig.pool, "away", away)
    assert outcome(lambda: rig.fetch().value) == (REFUSED if refused else "fake-1")
    assert away or rig.pool.locks == {}


@pytest.mark.parametrize("kind", ["stable_token", "component_token", "third_party"])
def test_without_the_pool_a_token_that_harms_nobody_is_fetched(rig: Rig, kind: str) -> None:
    rig.pool.away = True
    rig.source.kind = kind
    assert rig.fetch().value == "fake-1"
    rig.shared(rig.source).refuse("fake-1")


def test_without_the_pool_a_classic_token_is_not_fetched_and_the_failure_says_why(rig: Rig) -> None:
    rig.pool.away = True
    rig.source.kind = "access_token"
    problem = failure_of(rig.fetch)
    assert (problem.reason, rig.source.fetches) == (Reason.INTERNAL, 0)
    assert "Connection refused. A classic token is not fetched without it" in problem.detail


def test_a_refused_token_is_forgotten_for_all_unless_another_one_is_there(rig: Rig) -> None:
    old = rig.fetch()
    rig.shared(rig.source).refuse(old.value)
    assert rig.pool.tokens == {}
    new = rig.fetch()
    rig.shared(rig.source).refuse(old.value)
    assert rig.pool.tokens[KEY] == new


def test_a_token_refused_at_two_exporters_is_fetched_once(rig: Rig) -> None:
    caches = [TokenCache(rig.shared(rig.source), rig.clock) for _ in range(2)]
    for cache, token in [(cache, cache.get()) for cache in caches]:
        cache.drop(token)
    assert [cache.get().value for cache in caches] == ["fake-2", "fake-2"]


def test_each_kind_app_and_address_has_a_token_of_its_own(rig: Rig) -> None:
    for url in ("http://127.0.0.1:1", "http://127.0.0.1:2"):
        config = partial(replace, CONFIG, wechat=WechatSettings(url, 10.0))
        sharing = Sharing(MemoryStore(), rig.pool, config, rig.clock, rig.wait)
        for kind in ("stable_token", "access_token"):
            for appid in ("wx0000000000000001", "wx0000000000000002"):
                sharing.share(rig.new_source(f"{kind} {appid} {url}", kind), appid).fetch()
    assert len({token.value for token in rig.pool.tokens.values()}) == 8
    assert "stable_token:wx0000000000000001@http://127.0.0.1:1" in rig.pool.tokens


def test_the_right_to_fetch_lasts_as_long_as_the_calls_and_their_turns_may_take() -> None:
    assert longest_patience(CONFIG) == pytest.approx(5 * (10 + 16 / 50) + 15)
    slow = replace(CONFIG, refresh=RefreshSettings(3600.0, 9, 3, 64, 1.0))
    assert longest_patience(slow) == pytest.approx(5 * (10 + 64) + 15)
