"""The token of several exporters, with a vault in memory and a clock that waiting moves."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from exporter.config.settings import Config, RefreshSettings, WechatSettings
from exporter.config.storage import StorageSettings
from exporter.store.memory import MemoryStore
from exporter.wechat.credential_vault import VaultError
from exporter.wechat.failures.errcodes import errcode_failure
from exporter.wechat.failures.failure import CallError, Reason
from exporter.wechat.tokens.cache import Token, TokenCache, expiring_token
from exporter.wechat.tokens.shared import KeptToken, KeptTokenSource, kept_in, lease_seconds
from tests.wechat.lines import Clock, FakeLeases, failure_of, outcome
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
LEASE = 35.0
KEY = "stable_token/wx0000000000000001@https://api.weixin.qq.com"


class Vault(MemoryStore):
    away = False

    def credential(self, key: str) -> str | None:
        if self.away:
            raise VaultError("cannot read storage redis://cache/0: Connection refused.")
        return super().credential(key)


class Rig:
    def __init__(self) -> None:
        self.clock = Clock()
        self.vault = Vault()
        self.record = kept_in(self.vault, KEY)
        self.leases = FakeLeases(self.clock)
        self.others = replace(self.leases, holder="another")
        self.source = self.new_source("fake")
        self.waits = 0
        self.while_waiting: Callable[[], object] = lambda: None
        self.stopping = False

    def new_source(self, name: str) -> Source:
        """Yield a new token each time, good for two hours."""
        return Source(lambda fetch: expiring_token(f"{name}-{fetch}", 7200, self.clock()))

    def wait(self, seconds: float) -> bool:
        self.waits += 1
        self.clock.now += seconds
        self.while_waiting()
        return self.stopping

    def kept(self, source: Source) -> KeptTokenSource:
        return KeptTokenSource(source, self.record, self.leases, LEASE, self.clock, self.wait)

    def fetch(self) -> Token:
        return self.kept(self.source).fetch()

    @property
    def held(self) -> str | None:
        """Return what is in the vault."""
        kept = self.record.load()
        return kept.token.value if kept and kept.token else None

    def put(self, value: str) -> Token:
        """Keep a token, as another exporter does."""
        token = expiring_token(value, 7200, self.clock())
        self.record.save(lambda _: KeptToken(token, self.clock()))
        return token


@pytest.fixture
def rig() -> Rig:
    return Rig()


def test_the_first_one_fetches_and_the_others_use_what_it_got(rig: Rig) -> None:
    token = rig.fetch()
    other = rig.new_source("other")
    assert rig.kept(other).fetch() == token
    assert (rig.source.fetches, other.fetches) == (1, 0)
    assert rig.leases.held == {}


def test_a_token_near_its_end_is_renewed_by_one(rig: Rig) -> None:
    rig.clock.now = rig.fetch().renew_at
    assert [rig.fetch().value for _ in range(2)] == ["fake-2", "fake-2"]


def test_a_token_that_comes_between_looking_and_taking_the_lease_is_used(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rig.leases, "take", lambda *_: rig.put("fake-of-another"))
    assert rig.fetch().value == "fake-of-another"
    assert rig.source.fetches == 0


def test_while_another_fetches_its_token_is_waited_for(rig: Rig) -> None:
    rig.others.take(KEY, LEASE)
    rig.while_waiting = lambda: rig.waits == 5 and rig.put("fake-of-another")
    assert rig.fetch().value == "fake-of-another"
    assert (rig.waits, rig.source.fetches) == (5, 0)


@pytest.mark.parametrize(("left", "used"), [(300, True), (59, False)])
def test_while_another_renews_a_token_it_is_used_except_in_its_last_minute(
    rig: Rig, left: float, *, used: bool
) -> None:
    old = rig.put("fake-old")
    rig.clock.now = START + 7200 - left
    rig.others.take(KEY, LEASE)
    held = rig.fetch()
    assert (held.value == old.value, rig.waits == 0) == (used, used)
    if used:  # it is looked at again soon
        assert (held.expires_at, rig.clock() < held.renew_at < rig.clock() + 60) == (old.expires_at, True)


def test_one_that_dies_with_the_lease_stops_the_others_for_its_time_alone(rig: Rig) -> None:
    rig.others.take(KEY, LEASE)
    rig.fetch()
    assert rig.source.fetches == 1
    assert rig.clock() == pytest.approx(START + LEASE, abs=0.5)


def test_others_that_take_the_lease_again_and_again_are_not_waited_for_without_end(rig: Rig) -> None:
    rig.others.take(KEY, LEASE)
    rig.while_waiting = lambda: rig.others.take(KEY, LEASE)
    assert failure_of(rig.fetch).reason is Reason.TIMEOUT
    assert rig.clock() == pytest.approx(START + 2 * LEASE, abs=0.5)


def test_an_exporter_that_stops_does_not_wait(rig: Rig) -> None:
    rig.others.take(KEY, LEASE)
    rig.stopping = True
    with pytest.raises(CallError, match="the exporter stops"):
        rig.fetch()
    assert (rig.waits, rig.source.fetches) == (1, 0)


def test_what_one_brings_too_late_replaces_nothing_that_was_asked_for_later(
    rig: Rig,
) -> None:
    def late() -> None:
        rig.clock.now += LEASE + 1
        rig.others.take(KEY, LEASE)
        rig.put("fake-of-another")

    rig.source.meanwhile = late
    assert rig.fetch().value == rig.held == "fake-of-another"
    assert rig.leases.held[KEY][0] == "another"  # is not this one's to give back


@pytest.mark.parametrize("away", [False, True])
@pytest.mark.parametrize("refused", [False, True])
def test_a_fetch_has_its_outcome_and_gives_the_lease_back_also_where_the_vault_goes_away(
    rig: Rig, *, refused: bool, away: bool
) -> None:
    if refused:
        rig.source.outcome = lambda _: REFUSED
    rig.source.meanwhile = lambda: setattr(rig.vault, "away", away)
    assert outcome(lambda: rig.fetch().value) == (REFUSED if refused else "fake-1")
    assert rig.leases.held == {}


@pytest.mark.parametrize("leases", [False, True])
def test_without_the_vault_a_token_that_harms_nobody_is_fetched(rig: Rig, *, leases: bool) -> None:
    if leases:
        rig.leases.away = True
    else:
        rig.vault.away = True
    assert rig.fetch().value == "fake-1"
    rig.kept(rig.source).refuse("fake-1")


def test_a_refused_token_is_forgotten_for_all_unless_another_one_is_there(rig: Rig) -> None:
    old = rig.fetch()
    rig.kept(rig.source).refuse(old.value)
    assert rig.held is None
    new = rig.fetch()
    rig.kept(rig.source).refuse(old.value)
    assert rig.held == new.value


@pytest.mark.parametrize("text", ["5", "{", "[]", '["value", 1]', '[["value"], 1]', '[["a", 1, 2, 3, 4], 5]'])
def test_what_another_version_wrote_in_another_way_is_no_token(rig: Rig, text: str) -> None:
    rig.vault.put(KEY, None, text)
    assert rig.fetch().value == rig.held == "fake-1"


def test_a_token_refused_at_two_exporters_is_fetched_once(rig: Rig) -> None:
    caches = [TokenCache(rig.kept(rig.source), rig.clock) for _ in range(2)]
    for cache, token in [(cache, cache.get()) for cache in caches]:
        cache.drop(token)
    assert [cache.get().value for cache in caches] == ["fake-2", "fake-2"]


def test_a_lease_lasts_as_long_as_the_calls_and_their_turns_may_take() -> None:
    assert lease_seconds(CONFIG) == pytest.approx(5 * (10 + 16 / 50) + 15)
    slow = replace(CONFIG, refresh=RefreshSettings(3600.0, 9, 3, 64, 1.0))
    assert lease_seconds(slow) == pytest.approx(5 * (10 + 64) + 15)
