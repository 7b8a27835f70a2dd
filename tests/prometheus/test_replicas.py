"""Real exporters with one Redis and real Prometheus: the alerts after a death."""

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from exporter.simulator.fleet import fleet
from exporter.simulator.server import Conditions, Simulator
from prometheus.__main__ import HOME
from tests.e2e.test_fleet import APPS, Fleet
from tests.prometheus.servers import Database, prometheus, wait_until
from tests.redis_server import redis_server
from tests.running import Running

ABOUT_FLEETS = {"ExporterDown", "ReplicaDown", "ShardMissing", "ShardsDisagree"}


@pytest.fixture
def some(tmp_path: Path, program: Callable[[str], str], free_port: Callable[[], int]) -> Iterator[Fleet]:
    with (
        redis_server(program, tmp_path / "redis", free_port()) as redis,
        Simulator(fleet(APPS, seed=1), Conditions(always_published=True)) as wechat,
    ):
        yield Fleet(wechat, redis, tmp_path, free_port)


def config(folder: Path, exporters: list[Running]) -> Path:
    """Return Prometheus' configuration with the shipped rules, without their waiting times."""
    for name in ("recording.yaml", "alerts.yaml"):
        rules = HOME.joinpath(name).read_text("utf-8")
        folder.joinpath(name).write_text(re.sub(r"(for|interval): \w+", r"\1: 1s", rules), "utf-8")
    targets = [exporter.base_url.removeprefix("http://") for exporter in exporters]
    path = folder / "prometheus.yaml"
    report = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": ["recording.yaml", "alerts.yaml"],
        "scrape_configs": [{"job_name": "wechat-miniprogram", "static_configs": [{"targets": targets}]}],
    }
    path.write_text(json.dumps(report), "utf-8")
    return path


def firing(database: Database) -> set[str]:
    alerts = database.get("/api/v1/alerts")["data"]["alerts"]
    return {
        alert["labels"]["alertname"]
        for alert in alerts
        if alert["state"] == "firing" and alert["labels"]["alertname"] in ABOUT_FLEETS
    }


def test_a_dead_replica_is_one_alert_and_its_mini_programs_count_once(
    some: Fleet, program: Callable[[str], str], free_port: Callable[[], int], tmp_path: Path
) -> None:
    with ExitStack() as stack:
        exporters = [stack.enter_context(some.exporter(number, 2)) for number in (0, 0, 1)]
        for exporter in exporters:
            exporter.wait_until(lambda exporter=exporter: exporter.get("/-/ready").ok)  # type: ignore[misc]
        path = config(tmp_path, exporters)
        database = stack.enter_context(prometheus(program("prometheus"), free_port(), path, tmp_path / "db"))
        apps = "count(app:wechat_miniprogram_visit_pv:newest)"
        wait_until(lambda: database.value(apps) == APPS, 20, "every mini program once")
        time.sleep(3)  # some evaluations
        assert firing(database) == set()
        exporters[0].process.kill()
        wait_until(lambda: database.value("sum(up)") == 2, 20, "one that is dead")
        wait_until(lambda: firing(database) == {"ReplicaDown"}, 20, "a dead replica and nothing else")
        assert database.value(apps) == APPS
        exporters[2].process.kill()
        wait_until(
            lambda: firing(database) == {"ReplicaDown", "ExporterDown"}, 20, "a shard without an exporter"
        )
