"""The exchange, step by step, with a storage in memory that can be away or lose what it had."""

import threading
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, cast

import pytest
from structlog.typing import FilteringBoundLogger

from exporter.refresh.duty import LEASE_SECONDS, SharedDuty
from exporter.refresh.exchange import Exchange
from exporter.store.entry import Entry, Health, HeldRow
from exporter.store.interface import StoreError
from exporter.store.ledger import Ledger
from exporter.store.shared import Shared, SharedStore
from tests.building import NOON, make_app, make_row
from tests.refresh.leases import Leases
from tests.wechat.lines import Clock

ONE, TWO = make_app(1).appid, make_app(2).appid
ASKED = Health(last_refresh=NOON, last_success=NOON)
KEPT = Shared((HeldRow(make_row(), NOON),), ASKED, (), None)


@dataclass
class Store(Leases):
    """What a `SharedStore` offers to an exchange."""

    kept: dict[str, Shared] = field(default_factory=dict)
    writes: list[str] = field(default_factory=list)
    probes: int = 0
    read: list[list[str]] = field(default_factory=list)
    slow: float = 0.0
    phases: list[float] = field(default_factory=list)
    replaced: bool = False
    failure: str = ""

    def lost(self) -> bool:
        self._reached()
        replaced, self.replaced = self.replaced, False
        return replaced

    def phase(self, proposed: float) -> float:
        self.phases.append(proposed)
        return self.phases[0]

    def probe(self) -> None:
        self.probes += 1

    def put(self, appid: str, shared: Shared) -> None:
        self.kept[appid] = shared
        self.writes.append(appid)

    def news(self, since: int) -> tuple[int, list[str]]:
        self._reached()
        return len(self.writes), self.writes[since:]

    def states(self, appids: Collection[str]) -> Iterator[tuple[str, Shared]]:
        self._reached()
        self.read.append(list(appids))
        for appid in appids:
            self.clock.now += self.slow
            if appid in self.kept:
                yield appid, self.kept[appid]

    def _reached(self) -> None:
        if self.failure:
            raise StoreError(self.failure)
        if self.away:
            raise StoreError("cannot read storage redis://cache/0: Connection refused")


class Rig:
    def __init__(self, store: Store, log: FilteringBoundLogger) -> None:
        self.store = store
        self.ledger = Ledger(9)
        self.ledger.configure([(make_app(1), "stable_token"), (make_app(2), "stable_token")], 9, NOON)
        self.ledger.take_changes()
        self.told: list[bool] = []
        self.duty = SharedDuty(store, "shard-0-of-1", 3600.0, store.clock)
        self.exchange = Exchange(
            cast(SharedStore, store),
            self.ledger,
            self.duty,
            self.told.append,
            log,
            phase=0.25,
            since=0,
            stopwatch=store.clock,
        )

    def steps(self, seconds: float) -> None:
        for _ in range(int(seconds)):
            self.store.clock.now += 1
            self.exchange.step()

    def entry(self, appid: str = ONE) -> Entry:
        entry = self.ledger.get(appid)
        assert entry is not None
        return entry


@pytest.fixture
def store() -> Store:
    return Store(Clock())


@pytest.fixture
def rig(store: Store, log: FilteringBoundLogger) -> Rig:
    return Rig(store, log)


def words(events: list[Any]) -> list[str]:
    return [event["event"] for event in events]


def test_what_others_found_out_is_taken_over(rig: Rig, store: Store) -> None:
    rig.exchange.step()
    store.put(ONE, KEPT)
    store.put("wxffffffffffffffff", KEPT)  # of another shard
    rig.exchange.step()
    assert (rig.entry().rows, rig.entry().health) == (KEPT.rows, ASKED)
    changes = rig.ledger.take_changes()
    assert list(changes.entries) == [ONE]
    assert (changes.rows, changes.states) == ((), {})  # it is stored already


def test_only_what_is_new_is_read(rig: Rig, store: Store) -> None:
    store.put(ONE, KEPT)
    for _ in range(3):
        rig.exchange.step()
    store.put(TWO, KEPT)
    rig.exchange.step()
    assert [read for read in store.read if read] == [[ONE], [TWO]]


def test_a_storage_that_forgot_the_rhythm_of_the_rounds_is_told_it_again(rig: Rig, store: Store) -> None:
    rig.exchange.step()
    assert store.phases == []
    store.away = True
    rig.exchange.step()
    store.away = False
    rig.exchange.step()
    assert store.phases == [0.25]


def test_the_duty_is_told_once_per_change(rig: Rig, store: Store, events: list[Any]) -> None:
    rig.steps(3)
    assert rig.told == [True]
    store.held["shard-0-of-1"] = "another", store.clock.now + 60
    rig.steps(3)
    assert rig.told == [True, False]
    rig.steps(60)
    assert rig.told == [True, False, True]
    assert words(events) == ["asking WeChat", "another exporter asks WeChat", "asking WeChat"]


def test_what_was_found_out_is_known_before_the_duty_is_told(store: Store, log: FilteringBoundLogger) -> None:
    rig = Rig(store, log)
    seen: list[Health] = []
    rig.exchange._duty_changed = lambda _: seen.append(rig.entry().health)
    store.put(ONE, KEPT)
    rig.exchange.step()
    assert seen == [ASKED]


def test_a_storage_that_is_away_is_told_once_and_tried_each_second(
    rig: Rig, store: Store, events: list[Any]
) -> None:
    rig.exchange.step()
    store.away = True
    rig.steps(5)
    assert store.probes == 6
    store.away = False
    rig.steps(LEASE_SECONDS + 1)
    assert words(events) == [
        "asking WeChat",
        "shared storage fails, going on from memory",
        "shared storage works again",
    ]
    assert rig.told == [True]


def test_what_came_meanwhile_is_given_to_a_storage_that_is_back(rig: Rig, store: Store) -> None:
    rig.exchange.step()
    store.away = True
    rig.steps(1)
    held = HeldRow(make_row(), NOON)
    rig.ledger.update(ONE, lambda entry: replace(entry, health=ASKED), held)
    rig.ledger.take_changes()  # the publisher could not store it
    store.away = False
    rig.steps(1)
    changes = rig.ledger.take_changes()
    assert changes.rows == ((ONE, held),)
    assert list(changes.states) == [ONE]


def test_a_storage_that_lost_its_data_is_given_all_again(rig: Rig, store: Store) -> None:
    store.put(ONE, KEPT)
    store.put(TWO, KEPT)
    rig.exchange.step()
    rig.ledger.take_changes()
    store.kept.clear()
    store.writes[:] = [ONE]  # another exporter began anew
    rig.steps(1)
    changes = rig.ledger.take_changes()
    assert sorted(changes.states) == [ONE, TWO]
    assert len(changes.rows) == 2
    store.kept |= {ONE: KEPT, TWO: KEPT}
    rig.steps(3)
    assert not rig.ledger.take_changes()


def test_the_duty_is_renewed_while_a_whole_fleet_is_read(
    rig: Rig, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exporter.refresh.exchange._AT_ONCE", 1)
    rig.exchange._since = None
    store.slow = LEASE_SECONDS - 1
    store.kept |= {ONE: KEPT, TWO: KEPT}
    store.put(ONE, KEPT)
    rig.exchange.step()
    assert store.held["shard-0-of-1"][1] >= store.clock.now  # no other could take it
    assert rig.duty.mine


def test_at_the_end_the_duty_is_kept_until_the_last_rows_are_stored(rig: Rig, store: Store) -> None:
    stopping = threading.Event()
    rig.exchange._duty_changed = lambda _: stopping.set()
    rig.exchange.run(stopping)
    assert list(store.held) == ["shard-0-of-1"]


def test_a_fault_of_ours_is_told_and_the_next_step_comes(
    rig: Rig, store: Store, events: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    stopping = threading.Event()
    monkeypatch.setattr("exporter.refresh.exchange._STEP_SECONDS", 0)

    def broken(since: int) -> tuple[int, list[str]]:
        if store.probes == 2:
            stopping.set()
        return cast("tuple[int, list[str]]", 1 / 0)

    monkeypatch.setattr(store, "news", broken)
    rig.exchange.run(stopping)
    assert words(events) == ["asking WeChat", "internal fault", "internal fault"]
    assert not rig.exchange.stuck


def test_one_that_is_not_heard_of_for_minutes_is_stuck(rig: Rig, store: Store) -> None:
    stopping = threading.Event()
    stopping.set()
    rig.exchange.run(stopping)
    assert not rig.exchange.stuck
    stopping.clear()
    rig.exchange._duty_changed = lambda _: stopping.set()
    rig.exchange.run(stopping)
    store.clock.now += 3600
    assert rig.exchange.stuck


def test_a_storage_that_was_started_anew_is_given_what_it_lacks(rig: Rig, store: Store) -> None:
    rig.exchange.step()
    held = HeldRow(make_row(), NOON)
    rig.ledger.update(ONE, lambda entry: replace(entry, health=ASKED), held)
    rig.ledger.take_changes()  # stored, and lost by the storage, whose numbers have gone on
    store.put("wxffffffffffffffff", KEPT)
    rig.exchange.step()
    assert rig.ledger.take_changes().rows == ()
    store.replaced = True
    rig.exchange.step()
    changes = rig.ledger.take_changes()
    assert changes.rows == ((ONE, held),)
    assert list(changes.states) == [ONE]


def test_each_reason_of_an_outage_is_told_once(rig: Rig, store: Store, events: list[Any]) -> None:
    rig.exchange.step()
    for reason in ("refused", "refused", "wrong password", "wrong password"):
        for doing in ("read", "write"):
            store.failure = f"cannot {doing} storage redis://cache/0: {reason}"
            rig.exchange.step()
    store.failure = ""
    rig.steps(10)
    told = [event.get("error", "") for event in events if "shared storage" in event["event"]]
    assert [text.rpartition(": ")[2] for text in told] == ["refused", "wrong password", ""]


def test_reasons_that_alternate_are_told_once_each(rig: Rig, store: Store, events: list[Any]) -> None:
    for number in range(20):
        store.failure = f"cannot read storage redis://cache/0: {('refused', 'timed out')[number % 2]}"
        rig.steps(1)
    assert sum(event["log_level"] == "error" for event in events) == 2


def test_a_storage_that_seems_another_one_each_time_is_compared_once_a_minute(rig: Rig, store: Store) -> None:
    for _ in range(60):
        store.replaced = True
        rig.steps(1)
    assert len(store.read) == 1
    store.replaced = True
    rig.steps(1)
    assert len(store.read) == 2
