import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from structlog.typing import FilteringBoundLogger

from exporter.datasets.dataset import Row
from exporter.refresh import rounds as module
from exporter.refresh import workers
from exporter.refresh.fetching import Fetcher
from exporter.refresh.plan import round_asks
from exporter.refresh.round_settings import RoundSettings
from exporter.refresh.rounds import Rounds
from exporter.store.ledger import Ledger
from exporter.store.pause_ends import FRESH_REFUSAL_SECONDS
from exporter.wechat.failures.errcodes import errcode_failure, failure
from exporter.wechat.failures.failure import CallError, Failure, Reason
from tests.building import NOON, YESTERDAY, TrendAccess, make_app, make_row

REFUSED = errcode_failure(40125, "invalid appsecret")


class Access(TrendAccess):
    """An access that answers with a row, fails, hangs or breaks."""

    kind = "stable_token"
    token_expires_at = None

    def __init__(self) -> None:
        self.calls = 0
        self.credential = b"first"
        self.refused = False
        self.problem: Failure | None = None
        self.asked: list[date] = []
        self.gate: threading.Event | None = None

    def daily_trend(self, day: date) -> Row:
        self.calls += 1
        self.asked.append(day)
        if self.gate is not None:
            self.gate.wait(5)
        if self.refused:
            raise CallError(REFUSED)
        if self.problem is not None:
            raise CallError(self.problem)
        return make_row(day)

    def fingerprint(self) -> bytes:
        return self.credential


class Rig:
    """Rounds over fake accesses, with a clock that stands still."""

    def __init__(self, log: FilteringBoundLogger, apps: int, interval: float) -> None:
        self.now = NOON
        self.stopping = threading.Event()
        self.ledger = Ledger(9)
        self.accesses = {make_app(number).appid: Access() for number in range(1, apps + 1)}
        self.lengths: list[float] = []
        self.hanging = 0
        self.interval = interval
        self.days = 1
        self.configure(apps)
        self.rounds = Rounds(
            Fetcher(self.settings(), self.ledger, self, log, lambda: self.now, lambda: 0.0, self.stopping)
        )

    def round_finished(self, seconds: float) -> None:
        self.lengths.append(seconds)
        self.now += 1

    def calls_hang(self, count: int) -> None:
        self.hanging = count

    def row_revised(self) -> None:
        raise NotImplementedError

    def points_dropped(self, count: int) -> None:
        raise NotImplementedError

    def configure(self, apps: int) -> None:
        numbers = range(1, apps + 1)
        self.accesses |= {
            make_app(each).appid: Access() for each in numbers if make_app(each).appid not in self.accesses
        }
        self.ledger.configure(((make_app(each), "stable_token") for each in numbers), 9, self.now)

    def settings(self) -> RoundSettings:
        return RoundSettings(
            self.days, 0, self.accesses, interval=self.interval, concurrency=1 if self.days > 1 else 4
        )

    def round(self) -> None:
        self.rounds.round()

    def access(self, number: int = 1) -> Access:
        return self.accesses[make_app(number).appid]

    def calls(self) -> int:
        return sum(access.calls for access in self.accesses.values())


@pytest.fixture
def rig(log: FilteringBoundLogger) -> Callable[..., Rig]:
    return lambda apps=3, interval=60.0: Rig(log, apps, interval)


@contextmanager
def running(rig: Rig) -> Iterator[None]:
    """Run the rounds in a thread, which has ended afterwards."""
    thread = threading.Thread(target=rig.rounds.run)
    thread.start()
    try:
        yield
    finally:
        rig.stopping.set()
        rig.rounds.stop()
        thread.join(5)
    assert not thread.is_alive()


def until(condition: Callable[[], bool], seconds: float = 5) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.01)


def test_a_round_asks_for_every_app_and_logs_one_line(rig: Callable[..., Rig], events: list[Any]) -> None:
    many = rig(apps=20)
    many.round()
    assert [access.calls for access in many.accesses.values()] == [1] * 20
    rounds = [event for event in events if event["event"] == "round finished"]
    assert len(rounds) == 1
    assert {key: rounds[0][key] for key in ("apps", "paused", "rows", "newest_date")} == {
        "apps": 20,
        "paused": 0,
        "rows": 20,
        "newest_date": "2026-11-23",
    }


def test_a_refused_app_is_left_alone_for_an_hour_while_the_others_go_on(rig: Callable[..., Rig]) -> None:
    some = rig()
    some.access(1).refused = True
    for _ in range(60):
        some.round()
        some.now += 59
    assert some.access(1).calls == 1
    assert some.access(2).calls == some.access(3).calls == 60


def test_a_corrected_credential_is_tried_in_the_next_round(rig: Callable[..., Rig]) -> None:
    some = rig()
    some.access(1).refused = True
    some.round()
    some.access(1).refused, some.access(1).credential = False, b"second"
    some.round()
    entry = some.ledger.get(make_app(1).appid)
    assert entry is not None
    assert entry.health.up


def test_a_credential_that_could_not_be_read_is_tried_once_it_can(rig: Callable[..., Rig]) -> None:
    some = rig()
    some.access(1).refused, some.access(1).credential = True, b""
    some.round()
    some.access(1).refused, some.access(1).credential = False, b"corrected"
    some.round()
    assert some.ledger.entries()[0].health.up


def test_a_reload_lifts_the_pause_of_a_refused_app_at_once_and_it_grows_all_the_same(
    rig: Callable[..., Rig],
) -> None:
    some = rig()
    some.access(1).refused = True
    with running(some):
        until(lambda: len(some.lengths) == 1)
        some.configure(3)
        assert some.ledger.entries()[0].health.resume_at == NOON + FRESH_REFUSAL_SECONDS  # refused just now
        some.now += FRESH_REFUSAL_SECONDS
        some.configure(3)
        some.rounds.reconfigure(some.settings())
        until(lambda: some.access(1).calls == 2)
        until(lambda: some.ledger.entries()[0].health.resume_at == some.now + 7200)
    assert [some.access(number).calls for number in (2, 3)] == [1, 1]


@pytest.mark.parametrize("unreadable", [b"", b"first"])
def test_an_unreadable_or_unchanged_credential_stays_paused(
    rig: Callable[..., Rig], unreadable: bytes
) -> None:
    some = rig()
    some.access(1).refused = True
    some.round()
    some.access(1).credential = unreadable
    some.round()
    assert some.access(1).calls == 1


def test_one_app_that_hangs_does_not_keep_the_others_waiting(rig: Callable[..., Rig]) -> None:
    many = rig(apps=20)
    gate = many.access(1).gate = threading.Event()
    thread = threading.Thread(target=many.round)
    thread.start()
    until(lambda: all(entry.tried for entry in many.ledger.entries()[1:]))
    assert not many.ledger.entries()[0].tried
    gate.set()
    thread.join(5)
    assert many.ledger.entries()[0].tried


def test_rounds_never_overlap_and_ask_for_every_app_once(rig: Callable[..., Rig]) -> None:
    some = rig(interval=0.1)
    with running(some):
        until(lambda: len(some.lengths) >= 4)
    assert some.calls() == 3 * len(some.lengths)


def test_an_app_that_a_reload_brings_is_asked_at_once_and_the_others_are_not(
    rig: Callable[..., Rig],
) -> None:
    some = rig()
    with running(some):
        until(lambda: some.rounds.next_round_at is not None)
        some.configure(4)
        some.rounds.reconfigure(some.settings())
        until(lambda: some.access(4).calls == 1)
    assert [some.access(number).calls for number in range(1, 5)] == [1, 1, 1, 1]
    assert len(some.lengths) == 1  # the small round for the new app is not a round over all


def test_an_app_that_comes_in_the_middle_of_a_round_joins_it(rig: Callable[..., Rig]) -> None:
    some = rig()
    gate = some.access(1).gate = threading.Event()
    thread = threading.Thread(target=some.round)
    thread.start()
    until(lambda: some.access(3).calls == 1)
    some.configure(4)
    some.rounds.reconfigure(some.settings())
    until(lambda: some.access(4).calls == 1)
    gate.set()
    thread.join(5)


def test_a_stop_ends_the_round_under_way(rig: Callable[..., Rig]) -> None:
    many = rig(apps=50)
    gate = threading.Event()
    for access in many.accesses.values():
        access.gate = gate
    thread = threading.Thread(target=many.rounds.run)
    thread.start()
    until(lambda: many.calls() == 4)
    many.stopping.set()
    many.rounds.stop()
    gate.set()  # what a transport's stop does to calls under way
    thread.join(5)
    assert not thread.is_alive()
    assert many.calls() == 4


def test_a_shorter_interval_holds_from_the_reload_on(rig: Callable[..., Rig]) -> None:
    some = rig(interval=3600)
    with running(some):
        until(lambda: len(some.lengths) == 1)
        some.interval = 0.05
        some.rounds.reconfigure(some.settings())
        until(lambda: len(some.lengths) >= 3)


def test_a_fault_of_our_own_outside_a_call_does_not_end_the_round(
    rig: Callable[..., Rig], events: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    some = rig()
    monkeypatch.setattr(some.ledger, "update", lambda *_: 1 / 0)
    some.round()
    assert some.calls() == 3
    assert [event["event"] for event in events] == ["internal fault"] * 3 + ["round finished"]


def test_reloads_in_the_middle_of_a_round_add_no_calls(rig: Callable[..., Rig]) -> None:
    many = rig(apps=20)
    gate = threading.Event()
    for access in many.accesses.values():
        access.gate = gate
    thread = threading.Thread(target=many.round)
    thread.start()
    until(lambda: many.calls() == 4)
    for _ in range(5):
        many.rounds.reconfigure(many.settings())
    gate.set()
    thread.join(5)
    assert [access.calls for access in many.accesses.values()] == [1] * 20


def test_a_round_that_breaks_off_is_logged_and_the_next_one_comes(
    rig: Callable[..., Rig], events: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    some = rig(interval=0.05)
    broken = iter([True])
    monkeypatch.setattr(
        "exporter.refresh.rounds.round_asks",
        lambda *given, **named: 1 / 0 if next(broken, False) else round_asks(*given, **named),
    )
    with running(some):
        until(lambda: len(some.lengths) >= 1)
    logged = [event["event"] for event in events if event["log_level"] != "debug"]
    assert logged[:2] == ["round broke off", "round finished"]


def test_with_too_few_threads_the_round_is_slower_and_whole(
    rig: Callable[..., Rig], events: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    many = rig(apps=20)
    start = threading.Thread.start
    started: list[threading.Thread] = []

    def scarce(thread: threading.Thread) -> None:
        if started:
            raise RuntimeError("can't start new thread")
        started.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", scarce)
    many.round()
    assert many.calls() == 20
    assert "fewer threads than refresh.concurrency" in [event["event"] for event in events]


def test_a_call_that_hangs_beyond_every_deadline_stops_neither_its_round_nor_the_next(
    log: FilteringBoundLogger, events: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "_LOOK_SECONDS", 0.02)
    rig = Rig(log, apps=3, interval=3600)
    rig.rounds.reconfigure(replace(rig.settings(), hangs_after=0.1))
    gate = rig.access(1).gate = threading.Event()
    rig.round()
    assert [entry.health.reason for entry in rig.ledger.entries()] == [Reason.TIMEOUT, None, None]
    assert "call hangs" in next(event for event in events if event["log_level"] == "error")["event"]

    rig.round()  # the others are asked, the one that hangs is not
    assert [rig.access(number).calls for number in (1, 2, 3)] == [1, 2, 2]
    assert not rig.rounds.exhausted

    gate.set()
    end = time.monotonic() + 5
    while rig.rounds._workers.hanging() and time.monotonic() < end:
        time.sleep(0.01)
    rig.round()
    assert all(entry.health.up for entry in rig.ledger.entries())


def test_when_all_calls_hang_no_more_threads_are_started_and_it_shows(
    log: FilteringBoundLogger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "_LOOK_SECONDS", 0.02)
    rig = Rig(log, apps=6, interval=3600)
    rig.rounds.reconfigure(replace(rig.settings(), hangs_after=0.1))
    gate = threading.Event()
    for access in rig.accesses.values():
        access.gate = gate
    before = threading.active_count()
    for _ in range(3):
        rig.round()
    assert rig.rounds.exhausted
    assert threading.active_count() == before + 4
    gate.set()
    end = time.monotonic() + 5
    while rig.rounds.exhausted and time.monotonic() < end:
        time.sleep(0.01)
    rig.round()
    assert all(entry.health.up for entry in rig.ledger.entries())


def test_an_exporter_does_not_ask_again_after_its_first_round_for_what_was_refused(
    rig: Callable[..., Rig],
) -> None:
    some = rig()
    for access in some.accesses.values():
        access.refused = True
    with running(some):
        until(lambda: some.rounds.next_round_at is not None)
        some.rounds.reconfigure(some.settings())
        until(lambda: not some.rounds._wake.is_set())
    assert some.calls() == 3
    assert len(some.lengths) == 1


# Between two rounds


@contextmanager
def between_rounds(some: Rig, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Run rounds with the first one over, the next an hour away, and short waits between looks."""
    monkeypatch.setattr(module, "_LEAST_SECONDS", 0.02)
    monkeypatch.setattr(module, "_MOST_SECONDS", 0.02)
    monkeypatch.setattr(module, "_CREDENTIAL_SECONDS", 0.02)
    with running(some):
        until(lambda: len(some.lengths) == 1)
        yield


def test_an_app_that_lacked_its_token_file_is_asked_before_the_next_round(
    rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    some = rig(interval=3600)
    some.access(1).problem = failure(Reason.TOKEN_REJECTED, "no such file")
    with between_rounds(some, monkeypatch):
        some.access(1).problem = None
        some.now += 28  # the round itself took a second
        time.sleep(0.1)  # looks at the clock several times
        assert some.calls() == 3
        some.now += 1
        until(lambda: some.ledger.entries()[0].health.up)
    assert [some.access(number).calls for number in (1, 2, 3)] == [2, 1, 1]
    assert len(some.lengths) == 1


def test_a_changed_secret_file_is_noticed_without_a_reload_and_an_unchanged_one_costs_no_call(
    rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    some = rig(interval=3600)
    some.access(1).problem = some.access(2).problem = REFUSED
    with between_rounds(some, monkeypatch):
        some.access(1).problem, some.access(1).credential = None, b"second"
        until(lambda: some.ledger.entries()[0].health.up)
    assert [some.access(number).calls for number in (1, 2, 3)] == [2, 1, 1]


def test_an_app_that_is_not_ready_is_left_to_the_next_round(
    rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    some = rig(interval=3600)
    some.access(1).problem = errcode_failure(61503, "data not ready")
    with between_rounds(some, monkeypatch):
        calls = some.calls()
        some.now += 3000
        time.sleep(0.1)  # looks at the clock several times
        assert some.calls() == calls


def test_a_pause_ends_when_it_says_and_not_with_the_round_after(
    rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    some = rig(interval=36_000)
    some.access(1).problem = REFUSED
    with between_rounds(some, monkeypatch):
        some.now += 3599 - 1  # the round itself took a second
        some.access(1).problem = None
        some.now += 1
        until(lambda: some.ledger.entries()[0].health.up)


def test_after_a_round_longer_than_its_interval_missing_dates_go_before_what_is_known(
    rig: Callable[..., Rig], events: list[Any]
) -> None:
    some = rig(apps=2, interval=-1.0)  # over before it begins
    some.days = 3
    some.rounds.reconfigure(some.settings())
    some.round()
    assert {access.asked[0] for access in some.accesses.values()} == {YESTERDAY}
    assert some.calls() == 2
    some.round()
    assert some.calls() == 2 + 2 * 3
    assert some.access(1).asked[1:] == [YESTERDAY - timedelta(days=days) for days in (1, 2, 0)]
    some.round()
    warnings = [event for event in events if event["log_level"] == "warning"]
    assert [("rounds take longer" in each["event"], each["calls"]) for each in warnings] == [(True, 2)]
