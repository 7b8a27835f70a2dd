"""The shared token of several exporters, with a pool in memory and a clock that waiting moves."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from exporter.config.settings import Config, RefreshSettings, StorageSettings, WechatSettings
from exporter.store.memory import MemoryStore
from exporter.wechat.failures.errcodes import errcode_failure
from exporter.wechat.failures.failure import CallError, Reason
from exporter.wechat.tokens.cache import Token, TokenCache, TokenSource, expiring_token
from exporter.wechat.tokens.shared import SharedSource, Sharing, longest_patience
from exporter.wechat.vault import VaultError
from tests.wechat.lines import Clock

CONFIG = Config(
    Path("config.yaml"),
    WechatSettings("http://127.0.0.1:1", 10.0),
    RefreshSettings(3600.0, 9, 3, 16, 50.0),
    StorageSettings("memory://"),
    (),
)
START = Clock().now
PATIENCE = 35.0
KEY = "stable_token:wx0000000000000001@https://api.weixin.qq.com"


@dataclass
class Pool:
    """A `TokenPool`; `after` a call of that name something else happens."""

    clock: Clock
    tokens: dict[str, Token] = field(default_factory=dict)
    locks: dict[str, tuple[str, float]] = field(default_factory=dict)
    fences: int = 0
    away: bool = False
    calls: list[str] = field(default_factory=list)
    after: dict[str, Callable[[], object]] = field(default_factory=dict)

    def token(self, key: str) -> Token | None:
        self._called("token")
        held = self.tokens.get(key)
        return held if held is not None and self.clock() < (held.expires_at or 0) else None

    def lock(self, key: str, seconds: float) -> str | None:
        self._called("lock")
        if self._holder(key):
            return None
        self.fences += 1
        fence = f"{self.fences}"
        self.locks[key] = fence, self.clock() + seconds
        self.after.pop("lock", lambda: None)()
        return fence

    def keep(self, key: str, token: Token, fence: str) -> bool:
        self._called("keep")
        if self._holder(key) != fence:
            return False
        self.tokens[key] = token
        del self.locks[key]
        return True

    def unlock(self, key: str, fence: str) -> None:
        self._called("unlock")
        if self._holder(key) == fence:
            del self.locks[key]

    def drop(self, key: str, value: str) -> None:
        self._called("drop")
        if key in self.tokens and self.tokens[key].value == value:
            del self.tokens[key]

    def _holder(self, key: str) -> str | None:
        fence, until = self.locks.get(key, ("", 0.0))
        return fence if fence and self.clock() < until else None

    def _called(self, name: str) -> None:
        self.calls.append(name)
        if self.away:
            raise VaultError("cannot read storage redis://cache/0: Connection refused.")


@dataclass
class Source(TokenSource):
    """Gives a new token each time, good for two hours; `meanwhile` something else happens."""

    clock: Clock
    kind: str = "stable_token"
    fetches: int = 0
    refused: bool = False
    meanwhile: Callable[[], object] = lambda: None

    def fetch(self) -> Token:
        self.fetches += 1
        self.meanwhile()
        if self.refused:
            raise CallError(errcode_failure(40125, "invalid appsecret"))
        return expiring_token(f"fake-{id(self)}-{self.fetches}", 7200, self.clock())

    def fingerprint(self) -> bytes:
        return b""


class Rig:
    def __init__(self) -> None:
        self.clock = Clock()
        self.pool = Pool(self.clock)
        self.source = Source(self.clock)
        self.waits = 0
        self.while_waiting: Callable[[], object] = lambda: None
        self.stopping = False

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
    other = Source(rig.clock)
    assert rig.shared(other).fetch() == token
    assert (rig.source.fetches, other.fetches) == (1, 0)
    assert rig.pool.locks == {}


def test_a_token_near_its_end_is_renewed_by_one(rig: Rig) -> None:
    old = rig.fetch()
    rig.clock.now = old.renew_at
    new = rig.fetch()
    assert new.value != old.value
    assert rig.fetch() == new
    assert rig.source.fetches == 2


def test_a_token_that_comes_between_looking_and_locking_is_used(rig: Rig) -> None:
    came: list[Token] = []
    rig.pool.after["lock"] = lambda: came.append(rig.put("fake-of-another"))
    assert rig.fetch() == came[0]
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


def test_while_another_renews_the_token_is_used_that_is_good_for_some_minutes(rig: Rig) -> None:
    old = rig.put("fake-old")
    rig.clock.now = old.renew_at
    rig.pool.lock(KEY, PATIENCE)
    held = rig.fetch()
    assert (held.value, held.expires_at, rig.waits) == ("fake-old", old.expires_at, 0)
    assert rig.clock() < held.renew_at < rig.clock() + 60  # looked at again soon


def test_a_token_in_its_last_minute_is_not_used_while_another_renews_it(rig: Rig) -> None:
    old = rig.put("fake-old")
    rig.clock.now = START + 7200 - 59
    rig.pool.lock(KEY, PATIENCE)
    assert rig.fetch().value != old.value
    assert rig.waits > 0


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
    with pytest.raises(CallError) as failed:
        rig.fetch()
    assert failed.value.failure.reason is Reason.TIMEOUT
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


def test_a_refusal_gives_the_right_back(rig: Rig) -> None:
    rig.source.refused = True
    with pytest.raises(CallError, match="40125"):
        rig.fetch()
    assert rig.pool.locks == {}


@pytest.mark.parametrize("refused", [True, False])
def test_a_pool_that_goes_away_during_a_fetch_changes_nothing_of_its_outcome(
    rig: Rig, *, refused: bool
) -> None:
    rig.source.refused = refused
    rig.source.meanwhile = lambda: setattr(rig.pool, "away", True)
    if refused:
        with pytest.raises(CallError, match="40125"):
            rig.fetch()
    else:
        assert rig.fetch().value.startswith("fake-")


@pytest.mark.parametrize("kind", ["stable_token", "component_token", "third_party"])
def test_without_the_pool_a_token_that_harms_nobody_is_fetched(rig: Rig, kind: str) -> None:
    rig.pool.away = True
    rig.source.kind = kind
    assert rig.fetch().value.startswith("fake-")


def test_without_the_pool_a_classic_token_is_not_fetched_and_the_failure_says_why(rig: Rig) -> None:
    rig.pool.away = True
    rig.source.kind = "access_token"
    with pytest.raises(CallError) as failed:
        rig.fetch()
    assert rig.source.fetches == 0
    assert failed.value.failure.reason is Reason.INTERNAL
    assert "Connection refused. A classic token is not fetched without it" in str(failed.value)


def test_a_refused_token_is_forgotten_for_all_unless_another_one_is_there(rig: Rig) -> None:
    old = rig.fetch()
    rig.shared(rig.source).refuse(old.value)
    assert rig.pool.tokens == {}
    new = rig.fetch()
    rig.shared(rig.source).refuse(old.value)
    assert rig.pool.tokens[KEY] == new


def test_a_token_refused_at_two_exporters_is_fetched_once(rig: Rig) -> None:
    sources = [Source(rig.clock), Source(rig.clock)]
    caches = [TokenCache(rig.shared(source), rig.clock) for source in sources]
    tokens = [cache.get() for cache in caches]
    for cache, token in zip(caches, tokens, strict=True):
        cache.drop(token)
    assert caches[0].get() == caches[1].get()
    assert sum(source.fetches for source in sources) == 2


def test_a_pool_that_is_away_when_a_token_is_refused_is_no_failure(rig: Rig) -> None:
    rig.pool.away = True
    rig.shared(rig.source).refuse("fake-old")
    assert rig.pool.calls == ["drop"]


def test_each_kind_app_and_address_has_a_token_of_its_own(rig: Rig) -> None:
    sources = []
    for url in ("http://127.0.0.1:1", "http://127.0.0.1:2"):
        config = replace(CONFIG, wechat=WechatSettings(url, 10.0))
        sharing = Sharing(MemoryStore(), rig.pool, config, lambda: 3600.0, rig.clock, rig.wait)
        for kind in ("stable_token", "access_token"):
            for appid in ("wx0000000000000001", "wx0000000000000002"):
                sources.append(Source(rig.clock, kind))
                sharing.share(sources[-1], appid).fetch()
    assert len({token.value for token in rig.pool.tokens.values()}) == 8
    assert "stable_token:wx0000000000000001@http://127.0.0.1:1" in rig.pool.tokens


def test_the_right_to_fetch_lasts_as_long_as_the_calls_and_their_turns_may_take() -> None:
    assert longest_patience(CONFIG) == pytest.approx(5 * (10 + 16 / 50) + 15)
    slow = replace(CONFIG, refresh=RefreshSettings(3600.0, 9, 3, 64, 1.0))
    assert longest_patience(slow) == pytest.approx(5 * (10 + 64) + 15)
