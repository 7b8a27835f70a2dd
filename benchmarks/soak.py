"""Runs the exporter for a long time while faults switch at random, scraped every second by real Prometheus.

Half of the apps stay healthy: their series may have no gap and no other value than WeChat gave. Memory,
descriptors and threads must stay flat.

Run: python -m benchmarks.soak 3600
"""

import dataclasses
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any, Final

from exporter.beijing import yesterday
from exporter.simulator.daily_figures import row
from exporter.simulator.faults import Fault
from exporter.simulator.fleet import config_yaml, fleet
from exporter.simulator.server import Conditions, Simulator

_FAULTS: Final = tuple(Fault)
_PV: Final = "wechat_miniprogram_daily_visit_pv"
_SCRAPE: Final = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
  - job_name: wechat-miniprogram
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Usage:
    """The resources of a process: resident bytes, file descriptors, threads."""

    memory: int
    descriptors: int
    threads: int

    @classmethod
    def of(cls, process: int) -> "Usage":
        """Read the usage of a running process."""
        proc = Path(f"/proc/{process}")
        pages = int((proc / "statm").read_text().split()[1])
        return cls(
            pages * os.sysconf("SC_PAGE_SIZE"),
            len(list((proc / "fd").iterdir())),
            len(list((proc / "task").iterdir())),
        )


@dataclasses.dataclass(slots=True)
class Report:
    """The result. `missing` and `wrong` count samples of healthy apps; `gaps` those that Prometheus lacks."""

    scrapes: int = 0
    slowest: float = 0.0
    missing: int = 0
    wrong: int = 0
    switches: int = 0
    gaps: int | None = None
    usage: list[Usage] = dataclasses.field(default_factory=list)
    faults_of_ours: int = 0


def soak(seconds: float, apps: int, seed: int) -> Report:
    """Run for `seconds`; the first scrape waits until every app was asked."""
    chance = random.Random(seed)
    report = Report()
    with (
        tempfile.TemporaryDirectory() as folder,
        Simulator(fleet(apps, seed), Conditions(always_published=True, latency_seconds=0.01)) as wechat,
    ):
        healthy = {app.appid: app.size for app in wechat.apps[::2]}
        troubled = [app.appid for app in wechat.apps if app.appid not in healthy]
        with (
            _exporter(Path(folder), wechat) as (process, port),
            _prometheus(Path(folder), port) as prometheus,
        ):
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                beat = time.monotonic() + 1
                for appid in chance.sample(troubled, k=max(1, len(troubled) // 20)):
                    wechat.faults.switch(appid, chance.choice(_FAULTS))
                    report.switches += 1
                _scrape(port, healthy, report)
                report.usage.append(Usage.of(process))
                time.sleep(max(0.0, beat - time.monotonic()))
            if prometheus is not None:
                report.gaps = _gaps(prometheus, healthy, seconds)
        log = Path(folder, "log").read_text("utf-8")
        report.faults_of_ours = log.count("Traceback") + log.count("internal fault")
    return report


@contextmanager
def _exporter(folder: Path, wechat: Simulator) -> Iterator[tuple[int, int]]:
    port = _free_port()
    settings = config_yaml(wechat.apps, wechat.base_url, timeout="1s", interval="2s", concurrency=32)
    settings = settings.replace("memory://", "sqlite:///exporter.db")
    Path(folder, "config.yaml").write_text(
        settings.replace("refresh:", "refresh:\n  requests_per_second: 0"), "utf-8"
    )
    command = [sys.executable, "-m", "exporter", f"--config.file={folder}/config.yaml", "--log.level=debug"]
    with Path(folder, "log").open("w") as log:
        process = subprocess.Popen([*command, f"--web.listen-address=127.0.0.1:{port}"], stderr=log)
        try:
            _wait(f"http://127.0.0.1:{port}/-/ready")
            yield process.pid, port
        finally:
            process.terminate()
            process.wait(15)


@contextmanager
def _prometheus(folder: Path, target: int) -> Iterator[str | None]:
    """Run Prometheus; yield its address, or None if it is not installed."""
    path = shutil.which("prometheus")
    if path is None:
        yield None
        return
    port = _free_port()
    Path(folder, "prometheus.yaml").write_text(_SCRAPE.format(port=target))
    flags = [
        f"--config.file={folder}/prometheus.yaml",
        f"--storage.tsdb.path={folder}/tsdb",
        "--log.level=error",
    ]
    process = subprocess.Popen([path, *flags, f"--web.listen-address=127.0.0.1:{port}"])
    try:
        _wait(f"http://127.0.0.1:{port}/-/ready")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def _scrape(port: int, healthy: Mapping[str, int], report: Report) -> None:
    start = time.monotonic()
    page = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5).read().decode()
    report.slowest = max(report.slowest, time.monotonic() - start)
    report.scrapes += 1
    found = {}
    for line in page.splitlines():
        if line.startswith(f"{_PV}{{"):
            labels, _, value = line.rpartition(" ")
            found[labels.split('"')[1]] = float(value)
    day = yesterday(time.time())
    report.missing += len(healthy.keys() - found.keys())
    report.wrong += sum(
        found[appid] != _expected(appid, day, healthy) for appid in healthy.keys() & found.keys()
    )


def _gaps(prometheus: str, healthy: Mapping[str, int], seconds: float) -> int:
    """Return the largest number of samples that a healthy app lacks among Prometheus' scrapes."""
    window = f"{int(seconds)}s"
    # one expression, as a scrape may come between two
    found = _query(prometheus, f"scalar(count_over_time(up[{window}])) - count_over_time({_PV}[{window}])")
    lacking = {each["metric"]["appid"]: int(each["value"][1]) for each in found}
    return max(lacking.get(appid, int(seconds)) for appid in healthy)


def _expected(appid: str, day: date, sizes: Mapping[str, int]) -> float:
    return float(row(appid, day, sizes[appid])["visit_pv"])


def _query(prometheus: str, expression: str) -> list[Any]:
    address = f"{prometheus}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
    result: list[Any] = json.load(urllib.request.urlopen(address, timeout=30))["data"]["result"]
    return result


def _wait(address: str) -> None:
    end = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(address, timeout=5)
        except OSError:
            assert time.monotonic() < end, f"{address} does not answer"
            time.sleep(0.2)
        else:
            return


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def main(words: Sequence[str]) -> None:
    """Print the report."""
    report = soak(float(words[0]) if words else 3600, 500, seed=int(time.time()))
    third = max(1, len(report.usage) // 3)
    print(f"{report.scrapes} scrapes, slowest {report.slowest:.3f} s, {report.switches} faults switched")
    print(f"healthy apps: {report.missing} missing, {report.wrong} wrong, gaps in Prometheus: {report.gaps}")
    for name, part in (("first", report.usage[:third]), ("last", report.usage[-third:])):
        memory = max(each.memory for each in part) / 2**20
        threads, files = max(each.threads for each in part), max(each.descriptors for each in part)
        print(f"{name} third, at most: {memory:.0f} MiB, {files} descriptors, {threads} threads")
    print(f"faults of ours in the log: {report.faults_of_ours}")


if __name__ == "__main__":
    main(sys.argv[1:])
