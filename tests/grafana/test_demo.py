"""The demo, scraped by a real Prometheus: no panel is empty, every rule works, the troubles fire."""

import json
import math
import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import yaml

from grafana.__main__ import DASHBOARDS
from prometheus.__main__ import HOME
from tests.docs.pages import ROOT, blocks
from tests.grafana.boards import asked
from tests.prometheus.servers import Database, prometheus, wait_until
from tests.running import Running, running, serving

HEALTHY = "wxfa4e000000000001"
DAY = 86_400
DEPEND_ON_THE_DAY = {"DataLate", "WeeklyRowLate", "MonthlyRowLate", "VisitorsDropped", "VisitorsSpiked"}
TRENDS = {f"{what} per date" for what in ("Opens", "Page views", "New visitors", "Mini programs with data")}
SUMS = {"Opens", "Page views", "New visitors"}
WITHOUT_A_PAST = {
    "fleet": {f"{name} D" for name in SUMS} | {f"{name} A" for name in TRENDS},  # a month, dates gone by
    "mini-program": {"Why it fails, and what to do A", "Alerts firing A"},  # a healthy one
    "audience": {"Stickiness A"},  # until every date of the last month was on show
    "retention": {
        f"Retention curve, {kind} visitors {letter}" for kind in ("new", "all") for letter in "BCDEFH"
    },  # days that are not switched on
    "sources": {"Sources of all opens C", "Sources, week on week C"},
    "pages": {"Top risers, week on week A", "Top fallers, week on week A"},
}
"""The panels that are empty in the first minutes, by dashboard."""
SCRAPES = {
    "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
    "rule_files": ["recording.yaml", "alerts.yaml"],
}


@pytest.fixture(scope="module")
def database(program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Yield a Prometheus that has scraped the demo, and its fleet with history_days: 1 as the job `short`."""
    path = program("prometheus")
    folder = tmp_path_factory.mktemp("demo")
    with ExitStack() as stack:
        demo_port, simulator_port = free(), free()
        demo = stack.enter_context(running(demo_port, "demo", f"--web.listen-address=127.0.0.1:{demo_port}"))
        simulator = stack.enter_context(
            running(
                simulator_port,
                "simulate",
                f"--listen-address=127.0.0.1:{simulator_port}",
                "--always-published",
            )
        )
        short = stack.enter_context(serving(config_of(simulator, folder), free()))
        targets = {"wechat-miniprogram": demo, "short": short}
        jobs = [
            {"job_name": job, "static_configs": [{"targets": [exporter.base_url.removeprefix("http://")]}]}
            for job, exporter in targets.items()
        ]
        folder.joinpath("prometheus.yaml").write_text(
            json.dumps({**SCRAPES, "scrape_configs": jobs}), "utf-8"
        )
        for name in ("recording.yaml", "alerts.yaml"):
            rules = HOME.joinpath(name).read_text("utf-8")
            folder.joinpath(name).write_text(re.sub(r"(for|interval): \w+", r"\1: 1s", rules), "utf-8")
        for exporter in targets.values():
            exporter.wait_until(is_ready(exporter), 40)
        found = stack.enter_context(prometheus(path, free(), folder / "prometheus.yaml", folder / "tsdb"))
        wait_until(lambda: (found.value("min(count_over_time(up[5m]))") or 0) >= 5, 30, "five scrapes")
        yield found


def is_ready(exporter: Running) -> Callable[[], bool]:
    return lambda: exporter.get("/-/ready").ok


def free() -> int:
    """Return a free port on loopback."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def config_of(simulator: Running, folder: Path) -> Path:
    """Return the simulator's own configuration with history_days: 1."""
    simulator.wait_until(lambda: simulator.get("/_sim/config").ok)
    document = yaml.safe_load(simulator.get("/_sim/config").text)
    document["refresh"] = {"interval": "1m", "history_days": 1, "concurrency": 32}
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(document), "utf-8")
    return path


def answers(database: Database, expression: str, span: float, step: float, *, instant: bool) -> bool:
    """Return whether there is any number in the answer."""
    if instant:
        values = [series["value"] for series in database.instant(expression)]
    else:
        now = time.time()
        found = database.ranged(expression, now - span, now, step)
        values = [value for series in found for value in series["values"]]
    return any(not math.isnan(float(value)) for _, value in values)


def empty_panels(database: Database, board: str, job: str) -> set[str]:
    empty = set()
    for target in asked():
        if target.board != f"en/{board}":
            continue
        expression = target.expression(HEALTHY, job=job)
        span, step = (target.days * DAY, DAY) if target.day_grid else (1800, 2)
        if not answers(database, expression, span, step, instant=target.target["instant"]):
            empty.add(target.panel["title"] + " " + target.target["refId"])
    return empty


@pytest.mark.parametrize("board", DASHBOARDS)
def test_no_panel_is_empty_on_the_demo(database: Database, board: str) -> None:
    assert empty_panels(database, board, ".*") == WITHOUT_A_PAST.get(board, set())


def test_the_fleet_needs_no_history(database: Database) -> None:
    """Allow only comparisons with a day or week before to be empty."""
    assert empty_panels(database, "fleet", "short") == {
        *(f"{name} {ref}" for name in SUMS for ref in "BCD"),
        *(f"{name} {ref}" for name in TRENDS for ref in "AB"),
        "All mini programs by visitors C",
        "All mini programs by visitors D",
        "All mini programs by visitors T",
        "Top risers, week on week A",
        "Top fallers, week on week A",
        "Mini programs by change, week on week A",
    }


def test_every_rule_works_and_the_demo_s_troubles_fire(database: Database) -> None:
    groups = database.get("/api/v1/rules")["data"]["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert {rule["name"]: rule.get("lastError") for rule in rules if rule["health"] != "ok"} == {}
    alerts = database.get("/api/v1/alerts")["data"]["alerts"]
    firing = {(alert["labels"]["alertname"], alert["labels"].get("name", "")) for alert in alerts}
    document = {name for name in firing if name[0] not in DEPEND_ON_THE_DAY}
    assert document == {
        ("CredentialRefused", "flower-market"),
        ("IpNotAllowed", "家政到家"),
        ("PermissionMissing", "museum-guide"),
        ("QuotaSpent", "daily-quiz"),
        ("QuotaNearlySpent", "daily-quiz"),  # which Alertmanager holds back for the one above
        ("DatasetFailing", "weekend-hikes"),
        *(("AppRefreshFailing", name) for name in ("photo-prints", "天气小报", "消消乐园", "old-campaign")),
        *(
            ("NeverAnyData", name)
            for name in (
                *("flower-market", "家政到家", "museum-guide", "photo-prints", "天气小报"),
                *("daily-quiz", "消消乐园", "old-campaign", "空房子"),
            )
        ),
    }
    for alert in alerts:
        notes = " ".join(alert["annotations"].values())
        assert "<error" not in notes
        assert "<no value>" not in notes
        assert "{{" not in notes


@pytest.mark.parametrize("page", ["docs/datasets.md", "docs/datasets.zh-CN.md"])
def test_the_queries_of_the_page_about_datasets_answer(database: Database, page: str) -> None:
    """Check that all of them are shares."""
    queries = [block.text for block in blocks(ROOT / page) if block.language == "promql"]
    assert len(queries) == 8
    for query in queries:
        shares = [float(series["value"][1]) for series in database.instant(query)]
        assert shares, query
        assert all(0 <= share <= 1 for share in shares), query


def test_recorded_series_are_those_of_the_rules(database: Database) -> None:
    newest = "app:wechat_miniprogram_visit_uv:newest"
    assert len(database.instant(newest)) == 7
    assert len(database.instant(newest.replace("newest", "week_before"))) == 7
    assert len(database.instant(newest.replace("newest", "usual"))) == 7
