import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from structlog.typing import FilteringBoundLogger

from exporter.apps import Apps
from exporter.backfill.fetching import BackfillScope, fetch, take_over
from exporter.backfill.journal import DateCounts, Journal, JournalError
from exporter.backfill.periods import Span
from exporter.beijing import yesterday
from exporter.commands.session import open_wechat
from exporter.config import load
from exporter.config.settings import Config
from exporter.simulator.fleet import config_yaml, fleet
from exporter.simulator.server import Conditions, Simulator
from exporter.store.entry import HeldRow
from exporter.store.memory import MemoryStore
from exporter.store.sqlite import SqliteStore
from tests.building import NOON, YESTERDAY, make_app, make_row

BEFORE = YESTERDAY - timedelta(days=1)


@pytest.fixture
def wechat() -> Iterator[Simulator]:
    with Simulator(fleet(3, seed=1), Conditions(always_published=True)) as simulator:
        yield simulator


@pytest.fixture
def config(wechat: Simulator, tmp_path: Path) -> Config:
    path = tmp_path / "config.yaml"
    path.write_text(config_yaml(wechat.apps, wechat.base_url, concurrency=4), "utf-8")
    return load(path, {})


@pytest.fixture
def apps(config: Config, log: FilteringBoundLogger) -> Iterator[Apps]:
    with open_wechat(config, MemoryStore(), log) as apps:
        yield apps


def scope_of(config: Config, wechat: Simulator, days: int) -> BackfillScope:
    now = wechat.clock.now()
    return BackfillScope(config.apps, Span(yesterday(now) - timedelta(days=days - 1), yesterday(now)), now)


def test_everything_wanted_is_fetched_by_several_threads(
    config: Config, apps: Apps, wechat: Simulator, log: FilteringBoundLogger
) -> None:
    scope = scope_of(config, wechat, 20)
    threads: set[str] = set()
    with Journal("") as journal:
        fetcher = fetch(apps, scope, journal, lambda: threads.add(threading.current_thread().name), log)
        assert scope.calls(journal) == 0
        for app in config.apps:
            assert journal.count(app.appid, scope.span, scope.now) == DateCounts(20, 0)
    assert 1 < len(threads) <= 4
    assert wechat.calls(endpoint="daily_visit_trend") == 60
    assert not fetcher.out_of_reach
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("backfill")]


def test_the_pace_is_the_configuration_s(
    config: Config, apps: Apps, wechat: Simulator, log: FilteringBoundLogger
) -> None:
    scope = scope_of(config, wechat, 5)
    with Journal("") as journal:
        fetch(apps, scope, journal, lambda: None, log)
    first, last = (wechat.log.recent()[at].at for at in (0, -1))
    assert last - first >= 0.7 * (15 + 3 - 1) / config.refresh.requests_per_second  # tokens too


def test_nothing_wanted_asks_nothing(
    config: Config, apps: Apps, wechat: Simulator, log: FilteringBoundLogger
) -> None:
    scope = scope_of(config, wechat, 3)
    with Journal("") as journal:
        journal.keep(
            [(app.appid, day, None, scope.now) for app in config.apps for day in scope.span.newest_first()]
        )
        fetch(apps, scope, journal, lambda: None, log)
    assert wechat.calls() == 0


def test_a_journal_that_fails_ends_the_run(
    config: Config,
    apps: Apps,
    wechat: Simulator,
    log: FilteringBoundLogger,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_: object) -> None:
        raise JournalError("cannot write journal: disk full")

    with Journal("") as journal:
        monkeypatch.setattr(journal, "keep", full)
        with pytest.raises(JournalError, match="disk full"):
            fetch(apps, scope_of(config, wechat, 30), journal, lambda: None, log)
    assert wechat.calls(endpoint="daily_visit_trend") <= 8


def test_rows_of_the_storage_are_taken_over_where_the_journal_lacks_them(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "exporter.db")
    first, second, foreign = make_app(1), make_app(2), make_app(3)
    stored = [
        (first.appid, HeldRow(make_row(YESTERDAY), NOON)),
        (first.appid, HeldRow(make_row(BEFORE), NOON)),
        (first.appid, HeldRow(make_row(BEFORE - timedelta(days=5)), NOON)),
        (foreign.appid, HeldRow(make_row(BEFORE), NOON)),
    ]
    store.save("", stored, keep_days=30)
    scope = BackfillScope((first, second), Span(BEFORE, YESTERDAY), NOON)
    with Journal("") as journal:
        journal.keep([(first.appid, YESTERDAY, make_row(YESTERDAY, 9), NOON)])
        assert scope.calls(journal) == 3
        take_over(store, journal, scope)
        assert scope.calls(journal) == 2
        assert list(journal.rows(first.appid, scope.span)) == [make_row(BEFORE), make_row(YESTERDAY, 9)]
        assert not journal.knows(foreign.appid, BEFORE, NOON)
    store.close()
