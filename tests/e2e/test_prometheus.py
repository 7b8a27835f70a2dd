"""Debian's Prometheus scrapes the running exporter."""

import json
import os
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import pytest
import requests

from tests.prometheus.servers import wait_until
from tests.running import Running, Sample, running

SCRAPE = """
global: {{scrape_interval: 1s}}
scrape_configs:
  - job_name: wechat
    static_configs: [{{targets: ["{target}"]}}]
  - job_name: by-shard
    http_sd_configs: [{{url: "http://{target}/sd"}}]
  - job_name: by-app
    http_sd_configs: [{{url: "http://{target}/sd?per=app"}}]
"""
OF_ALL = 'job="wechat"'


class Prometheus:
    def __init__(self, base_url: str) -> None:
        self.base_url = base_url

    def query(self, expression: str) -> list[dict[str, object]]:
        answer = requests.get(f"{self.base_url}/api/v1/query", params={"query": expression}, timeout=10)
        result: list[dict[str, object]] = json.loads(answer.text)["data"]["result"]
        return result

    def value(self, expression: str) -> float | None:
        result = self.query(expression)
        return float(result[0]["value"][1]) if result else None  # type: ignore[index]


@pytest.fixture(scope="module")
def demo(free_port: Callable[[], int]) -> Iterator[Running]:
    port = free_port()
    with running(port, "demo", f"--web.listen-address=127.0.0.1:{port}") as demo:
        demo.wait_until(lambda: demo.get("/-/ready").ok)
        yield demo


@pytest.fixture(scope="module")
def prometheus(
    demo: Running,
    program: Callable[[str], str],
    free_port: Callable[[], int],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Prometheus]:
    folder = tmp_path_factory.mktemp("prometheus")
    config = folder / "prometheus.yml"
    config.write_text(SCRAPE.format(target=demo.base_url.removeprefix("http://")))
    port = free_port()
    process = subprocess.Popen(
        [
            program("prometheus"),
            f"--config.file={config}",
            f"--storage.tsdb.path={folder / 'tsdb'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=error",
        ],
        env={**os.environ, "GOMAXPROCS": "1"},
    )
    server = Prometheus(f"http://127.0.0.1:{port}")
    end = time.monotonic() + 30
    try:
        while True:
            try:
                if (server.value(f"count_over_time(up{{{OF_ALL}}}[1m])") or 0) >= 2:
                    break
            except (requests.ConnectionError, json.JSONDecodeError):
                pass  # it does not listen yet, or answers that it is not ready
            assert time.monotonic() < end, "Prometheus did not scrape in time"
            time.sleep(0.1)
        yield server
    finally:
        process.terminate()
        process.wait(20)


def of_apps(samples: dict[Sample, float]) -> dict[Sample, float]:
    """Return those that stand still once all is fetched; to Prometheus an empty label is no label."""
    return {
        (name, tuple(pair for pair in pairs if pair[1])): value
        for (name, pairs), value in samples.items()
        if name.startswith("wechat_miniprogram_") and not re.search("_exporter_|_last_", name)
    }


def taken(prometheus: Prometheus) -> dict[Sample, float]:
    """Return all samples of the last scrape."""
    found = {}
    for series in prometheus.query(f'{{__name__=~"wechat_miniprogram_.*",{OF_ALL}}}'):
        labels = dict(series["metric"])  # type: ignore[call-overload]
        name = labels.pop("__name__")
        labels.pop("job"), labels.pop("instance")
        found[name, tuple(sorted(labels.items()))] = float(series["value"][1])  # type: ignore[index]
    return found


def test_prometheus_takes_every_sample_with_its_value(prometheus: Prometheus, demo: Running) -> None:
    assert prometheus.value(f"up{{{OF_ALL}}}") == 1
    with suppress(AssertionError):  # the demo goes on fetching after it is ready
        demo.wait_until(lambda: of_apps(taken(prometheus)) == of_apps(demo.samples()), 20)
    page = demo.samples()
    assert of_apps(taken(prometheus)) == of_apps(page)
    assert len(of_apps(page)) > 500
    assert prometheus.value(f"scrape_samples_scraped{{{OF_ALL}}}") == len(page)
    assert prometheus.value(f"scrape_samples_post_metric_relabeling{{{OF_ALL}}}") == len(page)


def health(prometheus: Prometheus) -> set[tuple[str, str]]:
    """Return how the targets are, and the errors of their last scrapes."""
    targets = requests.get(f"{prometheus.base_url}/api/v1/targets", timeout=5).json()["data"]["activeTargets"]
    return {(target["health"], target["lastError"]) for target in targets}


def test_the_scrape_has_no_error(prometheus: Prometheus) -> None:
    wait_until(lambda: health(prometheus) == {("up", "")}, 20, "scrapes without an error")
    metadata = requests.get(f"{prometheus.base_url}/api/v1/metadata", timeout=5).json()["data"]
    assert metadata["wechat_miniprogram_daily_visit_pv"][0]["type"] == "gauge"
    assert metadata["wechat_miniprogram_daily_stay_time_uv_seconds"][0]["unit"] == "seconds"


def test_service_discovery_gives_a_target_per_shard_and_per_app_with_the_same_samples(
    prometheus: Prometheus, demo: Running
) -> None:
    pages = {key: value for key, value in demo.samples().items() if key[0] == "wechat_miniprogram_up"}
    for job, targets in (("by-shard", 1), ("by-app", len(pages))):
        up = f'count(up{{job="{job}"}} == 1)'
        wait_until(lambda up=up, targets=targets: prometheus.value(up) == targets, 20, job)  # type: ignore[misc]
    for series in prometheus.query('wechat_miniprogram_up{job="by-app"}'):
        labels = dict(series["metric"])  # type: ignore[call-overload]
        assert labels["instance"].endswith(f"/{labels['appid']}")
        assert "exported_appid" not in labels
    same = "wechat_miniprogram_daily_visit_pv"
    whole, single = f"{same}{{{OF_ALL}}}", f'{same}{{job="by-app"}}'
    differing = prometheus.query(
        f"{whole} != on (appid, name) {single} or {whole} unless on (appid, name) {single}"
    )
    assert differing == []


def test_promtool_has_nothing_to_say(demo: Running, program: Callable[[str], str]) -> None:
    page = demo.get("/metrics").content
    output = subprocess.run(
        [program("promtool"), "check", "metrics"], input=page, capture_output=True, check=False
    )
    assert (output.returncode, output.stdout, output.stderr) == (0, b"", b"")


def test_curl_reads_every_form(demo: Running, program: Callable[[str], str]) -> None:
    curl = [program("curl"), "--silent", "--fail", f"{demo.base_url}/metrics"]
    plain = subprocess.run(curl, capture_output=True, check=True).stdout
    packed = subprocess.run([*curl, "--compressed"], capture_output=True, check=True).stdout
    assert plain.count(b"\n") == packed.count(b"\n") > 500
