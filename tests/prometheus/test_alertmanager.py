"""From a target that does not answer to a receiver's page, through real Prometheus and Alertmanager."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import yaml

from prometheus.alerting import RUNBOOKS
from tests.prometheus.receiver import Receiver, receiving
from tests.prometheus.servers import alertmanager, prometheus, wait_until
from tests.prometheus.shipped import DEPLOY, rules_at_once, with_all_receivers


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def settings(receiver: str, folder: Path, group_wait: str = "0s") -> Path:
    """Return the shipped Alertmanager configuration, sending to the receiver without waiting."""
    output = yaml.safe_load(DEPLOY.joinpath("alertmanager.yaml").read_text("utf-8"))
    output["route"].update(group_wait=group_wait, group_interval="1s")
    output["receivers"][0]["webhook_configs"] = [{"url": receiver}]
    path = folder / "alertmanager.yaml"
    path.write_text(yaml.safe_dump(output), "utf-8")
    return path


def test_a_receiver_gets_the_alert_on_an_exporter_that_is_down(
    program: Callable[[str], str], free_port: Callable[[], int], receiver: Receiver, tmp_path: Path
) -> None:
    paths = program("prometheus-alertmanager"), program("prometheus")
    with alertmanager(paths[0], free_port(), settings(receiver.url, tmp_path), tmp_path / "am") as address:
        rules_at_once(tmp_path)
        dead = f"127.0.0.1:{free_port()}"
        config = tmp_path / "prometheus.yaml"
        config.write_text(
            json.dumps(
                {
                    "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
                    "rule_files": ["recording.yaml", "alerts.yaml"],
                    "alerting": {"alertmanagers": [{"static_configs": [{"targets": [address]}]}]},
                    "scrape_configs": [
                        {"job_name": "wechat-miniprogram", "static_configs": [{"targets": [dead]}]}
                    ],
                }
            ),
            "utf-8",
        )
        with prometheus(paths[1], free_port(), config, tmp_path / "tsdb"):
            wait_until(lambda: bool(receiver.down(dead)), 30, "the alert at the receiver")
    alert = receiver.down(dead)[0]
    assert alert["status"] == "firing"
    assert alert["labels"]["severity"] == "critical"
    assert alert["annotations"]["runbook_url"] == f"{RUNBOOKS}ExporterDown.md"


@pytest.mark.parametrize(
    ("cause", "other", "effect"),
    [
        ({"alertname": "IpNotAllowed"}, {"alertname": "VisitorsDropped"}, "DataLate"),
        (
            {"alertname": "DatasetFailing", "dataset": "weekly_trend"},
            {"alertname": "DatasetFailing", "dataset": "visit_pages"},
            "WeeklyRowLate",
        ),
        ({"alertname": "AppRefreshFailing"}, {"alertname": "VisitorsDropped"}, "DatasetFailing"),
    ],
    ids=["an app", "a week", "a dataset"],
)
def test_an_effect_of_another_alert_makes_no_second_notification(
    cause: dict[str, str],
    other: dict[str, str],
    effect: str,
    program: Callable[[str], str],
    free_port: Callable[[], int],
    receiver: Receiver,
    tmp_path: Path,
) -> None:
    """Expect one page, not two, for a mini program that is late because its IP is refused."""
    path = program("prometheus-alertmanager")
    with alertmanager(path, free_port(), settings(receiver.url, tmp_path), tmp_path / "am") as address:
        coffee, tea = {"appid": "wxa", "name": "coffee"}, {"appid": "wxb", "name": "tea"}
        output = [{"labels": {**cause, **coffee}}, {"labels": {**other, **tea}}]
        late = [{"labels": {"alertname": effect, **labels}} for labels in (coffee, tea)]
        for alerts in (output, late):
            requests.post(f"http://{address}/api/v2/alerts", json=alerts, timeout=5).raise_for_status()
            wait_until(lambda: bool(receiver.pages), 10, "a page")
        wait_until(lambda: effect in receiver.names(), 10, "the other app's page")
    late_apps = {
        alert["labels"]["appid"]
        for page in receiver.pages
        for alert in page["alerts"]
        if alert["labels"]["alertname"] == effect
    }
    assert late_apps == {"wxb"}


Labels = dict[str, str]


@dataclass(frozen=True)
class Cause:
    """What fires first, what follows from it, and the one page that should come: which alert, of how many."""

    first: list[Labels]
    later: list[Labels]
    page: tuple[str, int]


def of_apps(alert: str, apps: int) -> list[Labels]:
    return [{"alertname": alert, "appid": f"wx{number}", "name": "app"} for number in range(apps)]


def causes(apps: int) -> dict[str, Cause]:
    """Return the causes, each in a separate fleet, which is the scrape job of that name."""
    all_failing = {"alertname": "AllAppsFailing", "instance": "a:10950"}
    down = {"alertname": "ExporterDown", "instance": "a:10950"}
    shard = {"alertname": "ShardMissing"}
    storage = [{"alertname": "StorageFailing", "instance": f"{each}:10950"} for each in "abcd"]
    ticket, accounts = (
        {"alertname": alert, "platform": "main"} for alert in ("VerifyTicketOld", "DiscoveryFailing")
    )
    one, some = (
        [
            each
            for alert in ("DataLate", "TokenNotRenewed", "DatasetFailing")
            for each in of_apps(alert, count)
        ]
        for count in (1, 30)
    )
    refused, secrets = of_apps("IpNotAllowed", apps), of_apps("CredentialRefused", apps)
    failing = [*of_apps("AppRefreshFailing", apps), *some, accounts]
    return {
        "ip-of-all": Cause([all_failing], [*refused, *some], ("AllAppsFailing", 1)),
        "ip-of-some": Cause(refused, some, ("IpNotAllowed", apps)),
        "network": Cause([all_failing], failing, ("AllAppsFailing", 1)),
        "exporter": Cause([down], [shard], ("ExporterDown", 1)),
        "shard": Cause([shard], [], ("ShardMissing", 1)),
        "redis": Cause(storage, [], ("StorageFailing", 4)),
        "accounts": Cause([accounts], [], ("DiscoveryFailing", 1)),
        "ticket-late": Cause([ticket], [accounts], ("VerifyTicketOld", 1)),
        "ticket-over": Cause([all_failing], [*secrets, *some, ticket, accounts], ("AllAppsFailing", 1)),
        "one-secret": Cause(of_apps("CredentialRefused", 1), one, ("CredentialRefused", 1)),
        "secrets": Cause(secrets, some, ("CredentialRefused", apps)),
    }


@pytest.mark.parametrize("apps", [30, 10_000])
def test_one_cause_makes_one_notification(
    apps: int,
    program: Callable[[str], str],
    free_port: Callable[[], int],
    receiver: Receiver,
    tmp_path: Path,
) -> None:
    """Expect AllAppsFailing alone, or one page that lists the mini programs."""
    fleets = causes(apps)
    config = settings(receiver.url, tmp_path, group_wait="4s")
    with alertmanager(program("prometheus-alertmanager"), free_port(), config, tmp_path / "am") as address:
        for fires in ("first", "later"):
            alerts = [
                {"labels": {**labels, "job": job, "namespace": "prod"}}
                for job, cause in fleets.items()
                for labels in getattr(cause, fires)
            ]
            url = f"http://{address}/api/v2/alerts"
            requests.post(url, json=alerts, timeout=30).raise_for_status()
        wait_until(lambda: len(receiver.pages) >= len(fleets), 30, "a page for each cause")
        time.sleep(2)  # for pages that should not come
    output = [
        (page["groupLabels"]["job"], page["groupLabels"]["alertname"], len(page["alerts"]))
        for page in receiver.pages
    ]
    assert sorted(output) == sorted((job, *cause.page) for job, cause in fleets.items())


def routed_to(name: str, folder: Path) -> tuple[Path, dict[str, Any]]:
    """Return the path for the configuration that sends to a receiver, and the configuration."""
    output: dict[str, Any] = yaml.safe_load(with_all_receivers())
    output["route"].update(receiver=name, group_wait="2s", group_interval="1s")
    output["receivers"] = [each for each in output["receivers"] if each["name"] == name]
    return folder / "alertmanager.yaml", output


def late_apps(count: int) -> list[dict[str, Any]]:
    notes = {
        "summary_zh": "奶茶小铺：北京时间 12:00 仍无昨日数据",
        "description_zh": "已有的最新日期为 2026-11-26。",
    }
    return [
        {"labels": {"alertname": "DataLate", "appid": f"wx{number}", "job": "j"}, "annotations": notes}
        for number in range(count)
    ]


@pytest.mark.parametrize("name", ["wecom-robot", "dingtalk", "feishu"])
def test_a_bridge_gets_one_request_with_the_alerts_that_fit_and_the_count_of_the_others(
    name: str, program: Callable[[str], str], free_port: Callable[[], int], receiver: Receiver, tmp_path: Path
) -> None:
    path, output = routed_to(name, tmp_path)
    (webhook,) = output["receivers"][0]["webhook_configs"]
    address = urlsplit(webhook["url"])
    where = address._replace(scheme="", netloc="").geturl()
    webhook["url"] = receiver.url.rstrip("/") + where
    path.write_text(yaml.safe_dump(output, allow_unicode=True), "utf-8")
    with alertmanager(program("prometheus-alertmanager"), free_port(), path, tmp_path / "am") as server:
        requests.post(f"http://{server}/api/v2/alerts", json=late_apps(25), timeout=5).raise_for_status()
        wait_until(lambda: bool(receiver.pages), 20, "the bridge's request")
    (page, *_) = receiver.pages
    assert receiver.paths[0] == where
    assert (len(page["alerts"]), page["truncatedAlerts"]) == (20, 5)
    assert page["alerts"][0]["annotations"]["summary_zh"].startswith("奶茶小铺")


def test_the_wecom_application_sends_the_chinese_texts(
    program: Callable[[str], str], free_port: Callable[[], int], receiver: Receiver, tmp_path: Path
) -> None:
    path, output = routed_to("wecom-application", tmp_path)
    (wechat,) = output["receivers"][0]["wechat_configs"]
    wechat["api_url"] = receiver.url
    path.write_text(yaml.safe_dump(output, allow_unicode=True), "utf-8")
    with alertmanager(program("prometheus-alertmanager"), free_port(), path, tmp_path / "am") as server:
        requests.post(f"http://{server}/api/v2/alerts", json=late_apps(1), timeout=5).raise_for_status()
        wait_until(lambda: bool(receiver.pages), 20, "the message")
    assert [urlsplit(each).path for each in receiver.paths[:2]] == ["/gettoken", "/message/send"]
    assert "奶茶小铺：北京时间 12:00 仍无昨日数据" in receiver.pages[0]["text"]["content"]


def test_every_receiver_s_template_is_good(program: Callable[[str], str], tmp_path: Path) -> None:
    path = tmp_path / "alertmanager.yaml"
    path.write_text(with_all_receivers(), "utf-8")
    names = {each["name"] for each in yaml.safe_load(path.read_text("utf-8"))["receivers"]}
    assert names == {"console", "email", "wecom-application", "wecom-robot", "dingtalk", "feishu"}
    output = subprocess.run(
        [program("amtool"), "check-config", str(path)], capture_output=True, text=True, check=False
    )
    assert output.returncode == 0, output.stdout + output.stderr
