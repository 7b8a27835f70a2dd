import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from structlog.typing import FilteringBoundLogger

from exporter.config import load
from exporter.service import Exporter
from exporter.shards import THE_WHOLE, Shard
from exporter.simulator.faults import Fault
from exporter.simulator.fleet import config_yaml, fake_appid, fleet
from exporter.simulator.server import Conditions, Simulator
from exporter.store.entry import Health
from exporter.store.interface import StoreError
from exporter.wechat.failures.failure import Reason
from tests.building import make_failure, text_of
from tests.redis_server import RedisServer, redis_server

FIRST, SECOND = fake_appid(1), fake_appid(2)
Serving = Callable[..., AbstractContextManager[Exporter]]


@pytest.fixture
def wechat() -> Iterator[Simulator]:
    with Simulator(fleet(2, seed=1), Conditions(always_published=True)) as simulator:
        yield simulator


@pytest.fixture
def settings(wechat: Simulator) -> Any:
    """Return the configuration as data, for tests to change and write."""
    return yaml.safe_load(config_yaml(wechat.apps, wechat.base_url))


@pytest.fixture
def write(tmp_path: Path, settings: Any) -> Callable[[], Path]:
    def run() -> Path:
        path = tmp_path / "config.yaml"
        path.write_text(yaml.safe_dump(settings), "utf-8")
        return path

    return run


@pytest.fixture
def serving(write: Callable[[], Path], log: FilteringBoundLogger) -> Serving:
    """Return a function that runs an exporter with the present configuration."""

    @contextmanager
    def run(shard: Shard = THE_WHOLE) -> Iterator[Exporter]:
        exporter = Exporter(load(write(), {}), log, shard=shard)
        exporter.start()
        try:
            yield exporter
        finally:
            exporter.stop(5)

    return run


@pytest.fixture
def exporter(serving: Serving) -> Iterator[Exporter]:
    with serving() as exporter:
        yield exporter


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.01)


def names(exporter: Exporter) -> list[str]:
    return [entry.app.name for entry in exporter.publisher.page.entries.values()]


def test_the_first_round_begins_at_the_start(exporter: Exporter) -> None:
    until(lambda: exporter.publisher.page.ready)
    assert b"wechat_miniprogram_daily_visit_pv{" in text_of(exporter.publisher.page.text)


def test_another_rhythm_takes_no_new_tokens(
    exporter: Exporter, wechat: Simulator, settings: Any, write: Callable[[], Path]
) -> None:
    until(lambda: exporter.publisher.page.ready)
    settings["refresh"] |= {"interval": "1s", "history_days": 2}
    write()
    assert exporter.reconfiguration.reload() is None
    asked = wechat.calls(endpoint="daily_visit_trend")
    until(lambda: wechat.calls(endpoint="daily_visit_trend") >= asked + 4)
    assert wechat.calls(endpoint="stable_token") == 2


def test_a_reload_while_all_apps_are_being_refreshed_stays_in_force(
    exporter: Exporter, settings: Any, write: Callable[[], Path]
) -> None:
    until(lambda: exporter.publisher.page.ready)
    settings["refresh"]["interval"] = "7s"
    write()
    changing, clock = exporter.reconfiguration, exporter.reconfiguration.clock

    def clock_of_a_refresh_during_a_reload() -> float:
        changing.clock = clock
        assert changing.reload() is None
        return clock()

    changing.clock = clock_of_a_refresh_during_a_reload
    changing.refresh_all()
    assert exporter.rounds.settings.interval == 7


def test_another_address_is_asked_from_then_on(
    exporter: Exporter, wechat: Simulator, settings: Any, write: Callable[[], Path]
) -> None:
    until(lambda: exporter.publisher.page.ready)
    with Simulator(fleet(2, seed=1), Conditions(always_published=True)) as other:
        settings["wechat"]["base_url"] = other.base_url
        settings["refresh"]["interval"] = "1s"
        write()
        assert exporter.reconfiguration.reload() is None
        until(lambda: other.calls(endpoint="daily_visit_trend") >= 2)


def test_a_new_app_is_asked_at_once_and_the_others_keep_their_tokens(
    wechat: Simulator, settings: Any, write: Callable[[], Path], serving: Serving
) -> None:
    second = settings["apps"].pop()
    with serving() as exporter:
        until(lambda: exporter.publisher.page.ready)
        settings["apps"].append(second)
        write()
        assert exporter.reconfiguration.reload() is None
        until(lambda: exporter.publisher.page.ready and len(names(exporter)) == 2)
    assert wechat.calls(endpoint="stable_token", appid=FIRST) == 1
    assert wechat.calls(endpoint="stable_token", appid=SECOND) == 1


def test_a_changed_secret_ends_the_pause_of_its_app(
    exporter: Exporter, wechat: Simulator, settings: Any, write: Callable[[], Path]
) -> None:
    until(lambda: exporter.publisher.page.ready)
    right = settings["apps"][0]["secret"]
    settings["apps"][0]["secret"] = "not-the-right-fake-secret"
    write()
    exporter.reconfiguration.reload()
    until(lambda: not exporter.publisher.page.entries[FIRST].health.up)
    settings["apps"][0]["secret"] = right
    write()
    exporter.reconfiguration.reload()
    until(lambda: exporter.publisher.page.entries[FIRST].health.up)
    assert wechat.calls(endpoint="stable_token", appid=FIRST, outcome="40125") == 1


def test_a_reload_says_what_follows_from_it(
    exporter: Exporter, settings: Any, write: Callable[[], Path]
) -> None:
    until(lambda: exporter.publisher.page.ready)
    assert exporter.reconfiguration.reload() is None
    assert exporter.reconfiguration.outlook == ""
    right = settings["apps"][0]["secret"]
    settings["apps"][0]["secret"] = "not-the-right-fake-secret"
    write()
    exporter.reconfiguration.reload()
    assert exporter.reconfiguration.outlook == "1 app is asked now"
    until(lambda: not exporter.publisher.page.entries[FIRST].health.up)
    exporter.reconfiguration.reload()
    assert re.fullmatch(r"1 app waits until .* \(Beijing\)", exporter.reconfiguration.outlook)
    settings["apps"][0]["secret"] = right
    write()
    exporter.reconfiguration.reload()
    until(lambda: exporter.publisher.page.entries[FIRST].health.up)


def test_a_reload_says_which_datasets_it_switches_on_and_off(
    exporter: Exporter, settings: Any, write: Callable[[], Path]
) -> None:
    until(lambda: exporter.publisher.page.ready)
    settings["datasets"] = {"daily_summary": None, "quota": None}
    settings["apps"][1]["datasets"] = ["daily_summary"]
    write()
    assert exporter.reconfiguration.reload() is None
    assert exporter.reconfiguration.outlook == (
        "daily_summary is on for 2 apps, quota is on for 1 app; 3 datasets are asked now"
    )
    settings["datasets"] = {"quota": None}
    settings["apps"][1]["datasets"] = []
    write()
    assert exporter.reconfiguration.reload() is None
    assert exporter.reconfiguration.outlook.startswith("daily_summary is off for 2 apps")


def test_a_rotated_secret_file_and_a_reload_bring_the_row_within_seconds(
    wechat: Simulator, settings: Any, serving: Serving, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    right = settings["apps"][0].pop("secret")
    settings["apps"][0]["secret_file"] = str(secret)
    secret.write_text("not-the-right-fake-secret")
    with serving() as exporter:
        until(lambda: exporter.publisher.page.ready)
        assert not exporter.publisher.page.entries[FIRST].health.up
        secret.write_text(right)
        assert exporter.reconfiguration.reload() is None
        assert exporter.reconfiguration.outlook == "1 app is asked now"
        until(lambda: exporter.publisher.page.entries[FIRST].health.up)
    assert wechat.calls(endpoint="stable_token", appid=FIRST, outcome="40125") == 1


def test_whatever_goes_wrong_with_a_reload_is_its_reason_and_the_old_configuration_stays(
    exporter: Exporter, events: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = exporter.reconfiguration.config

    def gone(*_: object) -> None:
        raise FileNotFoundError(2, "No such file or directory")

    for broken, text in ((gone, "is the working directory there"), (lambda *_: 1 / 0, "ZeroDivisionError")):
        monkeypatch.setattr("exporter.reconfiguration.load", broken)
        assert text in (exporter.reconfiguration.reload() or "")
    metrics = exporter.telemetry.render(openmetrics=False)
    assert b"config_last_reload_successful 0.0" in metrics
    assert exporter.reconfiguration.config is before
    assert [event["event"] for event in events if event["log_level"] == "error"] == [
        "configuration refused, the old one stays"
    ] * 2


def test_a_line_that_cannot_be_opened_leaves_the_old_one_in_use(
    exporter: Exporter,
    settings: Any,
    write: Callable[[], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    until(lambda: exporter.publisher.page.ready)
    transport = exporter.apps.client.transport
    settings["wechat"]["timeout"] = "3s"
    write()
    monkeypatch.setattr("exporter.apps.open_client", lambda *_: 1 / 0)
    assert "ZeroDivisionError" in (exporter.reconfiguration.reload() or "")
    assert exporter.apps.client.transport is transport
    assert exporter.reconfiguration.config.wechat.timeout != 3.0


def test_a_refused_secret_is_not_asked_with_again_after_a_restart_and_a_right_one_is(
    wechat: Simulator, settings: Any, serving: Serving, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    right = settings["apps"][0].pop("secret")
    settings["apps"][0]["secret_file"] = str(secret)
    settings["storage"] = {"url": "sqlite:///rows.db"}
    secret.write_text("not-the-right-fake-secret")
    for _ in range(3):
        with serving() as exporter:
            until(lambda exporter=exporter: exporter.publisher.page.ready)  # type: ignore[misc]
        assert exporter.publisher.page.entries[FIRST].health.reason is Reason.INVALID_SECRET
    assert wechat.calls(endpoint="stable_token", appid=FIRST) == 1
    secret.write_text(right)
    with serving() as exporter:
        until(lambda: exporter.publisher.page.ready and exporter.publisher.page.entries[FIRST].health.up)


def test_a_refused_dataset_stays_paused_over_a_restart_and_the_others_do_not(
    wechat: Simulator, settings: Any, serving: Serving, events: list[Any]
) -> None:
    settings["storage"] = {"url": "sqlite:///rows.db"}
    settings["datasets"] = {"weekly_trend": None, "monthly_trend": None}
    wechat.faults.switch(FIRST, Fault.PERMISSION, dataset="weekly_trend")
    for _ in range(2):
        with serving() as exporter:
            until(
                lambda exporter=exporter: all(  # type: ignore[misc]
                    entry.table("weekly_trend").tried and entry.table("monthly_trend").rows
                    for entry in exporter.ledger.entries()
                )
            )
        entry = exporter.ledger.get(FIRST)
        assert entry is not None
        assert entry.table("weekly_trend").health.reason is Reason.PERMISSION
        assert entry.health.up
    assert wechat.calls(endpoint="weekly_trend", appid=FIRST) == 1
    paused = [event for event in events if "stay paused" in event["event"]]
    assert [(event["datasets"], event["first"]) for event in paused] == [(1, f"{FIRST} weekly_trend")]


def test_the_storage_cannot_move_while_running(
    exporter: Exporter, settings: Any, write: Callable[[], Path], events: list[Any]
) -> None:
    settings["storage"]["url"] = "sqlite:///elsewhere.db"
    write()
    problem = exporter.reconfiguration.reload()
    assert problem is not None
    assert "storage cannot change while the exporter runs" in problem
    assert [event["event"] for event in events if event["log_level"] == "error"] == [
        "configuration refused, the old one stays"
    ]


def test_the_classic_token_warns_once(settings: Any, serving: Serving, events: list[Any]) -> None:
    for app in settings["apps"]:
        app["token"] = {"type": "access_token", "secret": app.pop("secret")}
    with serving() as exporter:
        assert exporter.reconfiguration.reload() is None
    warnings = [event for event in events if event["log_level"] == "warning"]
    assert [(event["apps"], event["first"]) for event in warnings] == [(2, "app-00001")]
    assert "stable_token harms nobody" in warnings[0]["event"]


def test_a_stop_abandons_calls_that_hang(
    wechat: Simulator, write: Callable[[], Path], log: FilteringBoundLogger
) -> None:
    wechat.faults.switch(FIRST, Fault.HANG)
    exporter = Exporter(load(write(), {}), log)
    exporter.start()
    until(lambda: wechat.log.in_flight > 0)
    start = time.monotonic()
    exporter.stop(5)
    assert time.monotonic() - start < 3
    assert not exporter.publisher.page.entries[FIRST].tried


# One of several


def test_shards_ask_for_their_own_apps_and_together_for_all(wechat: Simulator, serving: Serving) -> None:
    with serving(Shard(0, 2)) as first, serving(Shard(1, 2)) as second:
        shards = (first, second)
        until(lambda: all(shard.publisher.page.ready for shard in shards))
    assert sorted(name for shard in shards for name in names(shard)) == ["app-00001", "app-00002"]
    assert [wechat.calls(endpoint="stable_token", appid=appid) for appid in (FIRST, SECOND)] == [1, 1]


@pytest.fixture
def redis(
    settings: Any, program: Callable[[str], str], free_port: Callable[[], int], tmp_path: Path
) -> Iterator[RedisServer]:
    with redis_server(program, tmp_path / "redis", free_port()) as server:
        settings["storage"] = {"url": server.url}
        yield server


def test_a_storage_that_hangs_at_the_stop_is_left_alone(
    redis: RedisServer, write: Callable[[], Path], log: FilteringBoundLogger
) -> None:
    exporter = Exporter(load(write(), {}), log)
    exporter.start()
    until(lambda: exporter.publisher.page.ready)
    assert redis._process is not None
    os.kill(redis._process.pid, signal.SIGSTOP)
    try:
        start = time.monotonic()
        exporter.stop(1)
        assert time.monotonic() - start < 3
    finally:
        os.kill(redis._process.pid, signal.SIGCONT)


def test_replicas_each_ask_and_fetch_one_token_together(
    redis: RedisServer, wechat: Simulator, serving: Serving
) -> None:
    with serving() as first, serving() as second:
        until(lambda: first.ready and second.ready)
    assert first.ailment() is second.ailment() is None
    assert wechat.calls(endpoint="daily_visit_trend", appid=FIRST) >= 2
    assert wechat.calls(endpoint="stable_token") == 2


def test_a_replica_begins_with_the_rows_that_another_has_stored(
    redis: RedisServer, write: Callable[[], Path], log: FilteringBoundLogger, serving: Serving
) -> None:
    with serving() as first:
        until(lambda: first.ready)
    second = Exporter(load(write(), {}), log)
    assert second.ready
    assert [bool(entry.rows) for entry in second.ledger.entries()] == [True, True]
    second.stop(1)


def test_a_storage_that_is_not_there_at_the_start_is_an_error(
    redis: RedisServer, write: Callable[[], Path], log: FilteringBoundLogger
) -> None:
    redis.kill()
    with pytest.raises(StoreError, match="Is Redis there"):
        Exporter(load(write(), {}), log)


# A verify ticket comes


@pytest.fixture
def lacking(
    settings: Any, wechat: Simulator, write: Callable[[], Path], log: FilteringBoundLogger
) -> Iterator[Exporter]:
    """Yield an exporter, not started, that shows an app which lacked the platform's ticket."""
    settings["platforms"] = [
        {
            "name": "main",
            "component_appid": "wxfa4ec00000000001",
            "component_appsecret": "not-a-real-component-secret",
            "verify_ticket": {"file": "ticket"},
        }
    ]
    settings["apps"] = [{"appid": FIRST, "token": {"type": "third_party", "platform": "main"}}]
    exporter = Exporter(load(write(), {}), log)
    failed = Health(last_refresh=time.time(), failure=make_failure(Reason.THIRD_PARTY_TICKET))
    exporter.ledger.update(FIRST, lambda entry: replace(entry, health=failed))
    exporter.publisher.publish()
    yield exporter
    exporter.stop(1)


def test_an_app_that_lacked_the_ticket_is_shown_until_it_was_asked_again(lacking: Exporter) -> None:
    lacking.reconfiguration.config.path.with_name("ticket").write_text("ticket@@@1")
    lacking.watch.ticket_came("main")
    lacking.reconfiguration.follow(lacking.watch.look())
    assert [entry.health.is_awaited(time.time()) for entry in lacking.ledger.entries()] == [True]
    assert lacking.reconfiguration.reload() is None  # all is shown again
    lacking.publisher.publish()
    assert lacking.publisher.page.ready
    assert b"wechat_miniprogram_up{" in text_of(lacking.publisher.page.text)
