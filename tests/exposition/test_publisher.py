import threading
import time
from collections.abc import Collection
from dataclasses import replace
from typing import Any

import pytest
from structlog.typing import FilteringBoundLogger

from exporter.beijing import DAY_SECONDS
from exporter.datasets.daily_trend import DAILY_TREND
from exporter.datasets.dataset import Dataset
from exporter.exposition.publisher import Publisher
from exporter.refresh.retries import after_failure
from exporter.store.entry import Health, HeldRow
from exporter.store.interface import StoreError
from exporter.store.ledger import Ledger
from exporter.store.memory import MemoryStore
from exporter.store.stored_refusals import Refusal, refusal_of
from exporter.wechat.failures.errcodes import errcode_failure
from tests.building import NOON, make_app, make_row, text_of

APP = make_app(1, "tea")
FINE = Health(last_refresh=NOON, last_success=NOON)


class Shelf(MemoryStore):
    """A store that remembers its batches, and can be broken."""

    def __init__(self) -> None:
        self.batches: list[list[tuple[str, HeldRow]]] = []
        self.broken = False
        self.empty = False

    def emptied(self) -> bool:
        empty, self.empty = self.empty, False
        return empty

    def save(
        self,
        server: str,
        rows: Collection[tuple[str, HeldRow]],
        keep_days: int,
        dataset: Dataset = DAILY_TREND,
    ) -> None:
        if self.broken:
            raise StoreError("cannot write: disk full")
        self.batches.append(list(rows))


class Stage:
    def __init__(self, log: FilteringBoundLogger, history_days: int = 2) -> None:
        self.now = NOON
        self.shelf = Shelf()
        self.ledger = Ledger(9)
        self.ledger.configure([(APP, "stable_token")], 9, NOON)
        self.publisher = Publisher(self.ledger, self.shelf, history_days, log, lambda: self.now)

    def row_comes(self, scale: int = 1) -> None:
        held = HeldRow(make_row(scale=scale), NOON)
        self.ledger.update(APP.appid, lambda entry: replace(entry, health=FINE), held)

    def shown(self) -> bytes:
        return text_of(self.publisher.page.text)


@pytest.fixture
def stage(log: FilteringBoundLogger) -> Stage:
    return Stage(log)


def test_a_row_is_stored_before_it_is_shown(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    shown_while_saving: list[bytes] = []
    monkeypatch.setattr(stage.shelf, "save", lambda *_: shown_while_saving.append(stage.shown()))
    stage.row_comes()
    stage.publisher.publish()
    assert b"visit_pv" not in shown_while_saving[0]
    assert b"visit_pv" in stage.shown()


def test_rows_that_come_together_are_stored_together(stage: Stage) -> None:
    stage.row_comes(1)
    stage.row_comes(2)
    stage.publisher.publish()
    assert [[held.row for _, held in batch] for batch in stage.shelf.batches] == [[make_row(scale=2)]]


def test_nothing_new_costs_nothing(stage: Stage) -> None:
    stage.publisher.publish()
    page = stage.publisher.page
    stage.publisher.publish()
    assert stage.publisher.page is page
    assert stage.shelf.batches == []


def test_a_broken_storage_is_logged_once_and_the_row_shown_from_memory(
    stage: Stage, events: list[Any]
) -> None:
    stage.shelf.broken = True
    for scale in (1, 2):
        stage.row_comes(scale)
        stage.publisher.publish()
    assert b" 80\n" in stage.shown()
    assert [event["event"] for event in events] == ["storage fails, going on from memory"]


def test_once_the_storage_works_again_it_gets_what_it_missed(stage: Stage, events: list[Any]) -> None:
    stage.shelf.broken = True
    stage.row_comes()
    stage.publisher.publish()
    stage.shelf.broken = False
    stage.publisher.publish()
    assert [held.row for _, held in stage.shelf.batches[0]] == [make_row()]
    assert events[-1]["event"] == "storage works again"


def test_one_date_alone_switches_the_by_date_family_off(log: FilteringBoundLogger) -> None:
    stage = Stage(log, history_days=1)
    stage.row_comes()
    stage.publisher.publish()
    assert b"daily_visit_pv" in stage.shown()
    assert b"by_date" not in stage.shown()


def test_the_window_moves_on_at_midnight_without_any_news(stage: Stage) -> None:
    stage.row_comes()
    stage.publisher.publish()
    stage.now += DAY_SECONDS
    stage.publisher.publish()
    assert b'ref_date="2026-11-23"' in stage.shown()
    stage.now += DAY_SECONDS
    stage.publisher.publish()
    assert b"by_date" not in stage.shown()
    assert b"daily_visit_pv" in stage.shown()  # the newest row held stays


def test_a_reload_that_widens_the_window_shows_more_dates(stage: Stage) -> None:
    stage.row_comes()
    stage.now += 2 * DAY_SECONDS
    stage.publisher.publish()
    stage.publisher.history_days = 3
    stage.publisher.publish()
    assert b'ref_date="2026-11-23"' in stage.shown()


def test_the_thread_publishes_news_soon_and_survives_a_fault(
    stage: Stage, events: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    stopping = threading.Event()
    monkeypatch.setattr(stage.shelf, "save", lambda *_: 1 / 0)
    thread = threading.Thread(target=stage.publisher.run, args=(stopping,))
    thread.start()
    stage.row_comes()
    end = time.monotonic() + 5
    while not events and time.monotonic() < end:
        time.sleep(0.01)
    monkeypatch.undo()
    stage.row_comes(3)
    while b" 120\n" not in stage.shown() and time.monotonic() < end:
        time.sleep(0.01)
    stopping.set()
    stage.ledger.close()
    thread.join(5)
    assert not thread.is_alive()
    assert events[0]["event"] == "internal fault"
    assert b" 120\n" in stage.shown()


def test_a_clock_set_back_and_forth_over_midnight_changes_no_row(stage: Stage) -> None:
    stage.row_comes()
    stage.publisher.publish()
    before = stage.shown()
    for jump in (DAY_SECONDS, -3 * DAY_SECONDS, 2 * DAY_SECONDS):
        stage.now += jump
        stage.publisher.publish()
        assert b'daily_visit_pv{appid="wx0000000000000001",name="tea"} 40\n' in stage.shown()
        assert stage.shown().count(b'ref_date="') == stage.shown().count(b'ref_date="2026-11-23"')
    assert stage.shown() == before


def test_the_thread_is_heard_of_at_least_once_a_minute(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stopping = threading.Event()
    hangs = threading.Event()
    monkeypatch.setattr(stage.shelf, "save", lambda *_: hangs.wait(5))
    thread = threading.Thread(target=stage.publisher.run, args=(stopping,))
    thread.start()
    stage.row_comes()
    assert not stage.publisher.heartbeat.late(time.monotonic() + 100)
    assert stage.publisher.heartbeat.late(time.monotonic() + 130)
    hangs.set()
    stopping.set()
    stage.ledger.close()
    thread.join(5)


def test_rows_are_stored_again_where_the_storage_has_lost_its_data(stage: Stage) -> None:
    stage.row_comes()
    stage.publisher.publish()
    stage.shelf.batches.clear()
    stage.shelf.empty = True
    stage.publisher.publish()
    assert stage.shelf.batches == [[(APP.appid, HeldRow(make_row(), NOON))]]
    stage.publisher.publish()
    assert len(stage.shelf.batches) == 1


def test_refusals_are_stored_again_where_the_storage_has_lost_its_data(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored: list[dict[str, Refusal | None]] = []
    monkeypatch.setattr(stage.shelf, "save_refusals", lambda _, refusals: stored.append(dict(refusals)))
    refused = after_failure(Health(), errcode_failure(40125, "invalid appsecret"), NOON, NOON, lambda: 0.0)
    stage.ledger.update(APP.appid, lambda entry: replace(entry, health=refused))
    stage.publisher.publish()
    stage.publisher.publish()
    stage.shelf.empty = True
    stage.publisher.publish()
    assert stored == [{APP.appid: refusal_of(refused)}] * 2


def test_rows_of_the_old_server_are_not_stored_as_the_new_ones(stage: Stage) -> None:
    stage.shelf.broken = True
    stage.row_comes()
    stage.publisher.publish()
    stage.ledger.configure([(APP, "stable_token")], 9, NOON, "another")
    stage.shelf.broken = False
    stage.publisher.publish()
    assert stage.shelf.batches == []
    assert b"daily_visit_pv{" not in stage.shown()


def test_the_next_row_does_not_wait_for_as_long_as_the_storage_hung(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    class Stopping(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.append(timeout or 0.0)
            self.set()
            return True

    stopping = Stopping()
    monkeypatch.setattr(stage.shelf, "save", lambda *_: time.sleep(1.5))
    stage.row_comes()
    stage.publisher.run(stopping)
    assert waits[0] < 1.0
