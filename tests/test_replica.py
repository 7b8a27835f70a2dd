"""What an exporter shares, alone and with others."""

import threading
from pathlib import Path
from typing import Any

import pytest
from structlog.typing import FilteringBoundLogger

from exporter.config.settings import Config, RefreshSettings, StorageSettings, WechatSettings
from exporter.refresh.duty import OwnDuty
from exporter.refresh.rhythm import OwnRhythm, SharedRhythm
from exporter.replica import Alone, Together, open_replica
from exporter.shards import Shard
from exporter.store.ledger import Ledger
from exporter.store.memory import MemoryStore
from tests.building import make_app
from tests.refresh.leases import Leases
from tests.wechat.lines import Clock

SECOND = Shard(1, 2)
OF_SECOND = next(make_app(number).appid for number in range(99) if SECOND.owns(make_app(number).appid))
OF_FIRST = next(make_app(number).appid for number in range(99) if not SECOND.owns(make_app(number).appid))
CONFIG = Config(
    Path("config.yaml"),
    WechatSettings("http://127.0.0.1:1", 2.0),
    RefreshSettings(60.0, 9, 3, 16, 50.0),
    StorageSettings("memory://"),
    (make_app(),),
)


class Store(Leases):
    """A storage that several use, as far as it is asked for here."""

    tokens = None

    def phase(self, proposed: float) -> float:
        return proposed

    def mark(self) -> int:
        return 0


def opened_with(store: Any) -> Alone | Together:
    return open_replica(store, SECOND, 60.0, Clock(), threading.Event())


def test_with_a_storage_of_its_own_an_exporter_is_alone(log: FilteringBoundLogger) -> None:
    alone = opened_with(MemoryStore())
    assert isinstance(alone, Alone)
    assert isinstance(alone.duty, OwnDuty)
    assert isinstance(alone.rhythm, OwnRhythm)
    assert (alone.takes_turn, alone.ailment, alone.waits_at_most) == (None, None, 0)
    alone.configure(CONFIG)
    told: list[bool] = []
    assert alone.keep_step(Ledger(9), told.append, lambda: True, log) == []
    assert told == [True]


def test_shards_with_storages_of_their_own_ask_for_the_names_of_their_own_accounts() -> None:
    names = opened_with(MemoryStore()).names_of(SECOND)
    assert (names(OF_SECOND), names(OF_FIRST)) == (True, False)


def test_exporters_with_one_storage_share_names_duties_and_rhythm() -> None:
    store = Store(Clock())
    together = opened_with(store)
    assert isinstance(together, Together)
    names = together.names_of(SECOND)
    assert names(OF_SECOND)
    assert names(OF_FIRST)
    assert isinstance(together.rhythm, SharedRhythm)
    together.configure(CONFIG)
    assert together.duty.interval == 60
    assert together.waits_at_most >= 2 * 3 * 2.0  # seconds: two holders, three calls each
    together.duty.renew()
    assert list(store.held) == ["shard-1-of-2"]
    assert together.ailment is None


def test_a_turn_is_of_one_exporter_and_of_none_while_the_storage_is_away() -> None:
    store = Store(Clock())
    first, second = opened_with(store), opened_with(store)
    assert isinstance(first, Together)
    assert isinstance(second, Together)
    assert first.takes_turn("accounts/wx")
    assert not second.takes_turn("accounts/wx")
    assert first.takes_turn("accounts/wx")
    store.clock.now += 61
    assert second.takes_turn("accounts/wx")
    store.away = True
    assert not second.takes_turn("accounts/wx")


def test_one_that_leaves_lets_another_take_over_at_once() -> None:
    store = Store(Clock())
    first, second = opened_with(store), opened_with(store)
    assert isinstance(first, Together)
    assert isinstance(second, Together)
    first.duty.renew()
    first.leave()
    second.duty.renew()
    assert second.duty.mine
    store.away = True
    second.leave()  # then its lease ends by itself
    opened_with(MemoryStore()).leave()


def test_the_first_of_a_fleet_has_its_beat_when_it_starts() -> None:
    store = Store(Clock())
    first = opened_with(store)
    assert first.rhythm.begin(60.0) == store.clock.now
    first.rhythm.rest(60.0)
    assert first.rhythm.left(60.0) == pytest.approx(60.0)
