"""A fleet of exporters in processes of their own, with a real Redis and a stand-in WeChat that counts."""

import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from exporter.beijing import yesterday
from exporter.simulator.daily_figures import row
from exporter.simulator.fleet import config_yaml, fleet

REPLICAS: Final = 2
_PV: Final = "wechat_miniprogram_daily_visit_pv{"
_START_SECONDS: Final = 240
_REFRESH: Final = """refresh:
  requests_per_second: 0
  history_days: 1
  revisit_days: 0"""


@dataclass(slots=True)
class Exporter:
    """An exporter's process and address."""

    shard: int
    port: int
    process: subprocess.Popen[bytes]

    def page(self) -> str:
        """Return the exporter's page; empty while it does not answer."""
        try:
            answer = urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics", timeout=30)
        except OSError:
            return ""
        text: str = answer.read().decode()
        return text


class Trial:
    """The exporters of one configuration."""

    def __init__(self, folder: Path, base_url: str, redis: "Redis", apps: int, interval: int) -> None:
        self.apps = {app.appid: app for app in fleet(apps, 1)}
        self.interval = interval
        self.redis = redis
        self._base_url = base_url
        self._folder = folder
        self.exporters: list[Exporter] = []
        settings = config_yaml(self.apps.values(), base_url, interval=f"{interval}s", concurrency=16)
        settings = settings.replace("memory://", redis.url).replace("refresh:", _REFRESH)
        (folder / "config.yaml").write_text(settings, "utf-8")
        day = yesterday(time.time())
        self.expected = {
            appid: float(row(appid, day, app.size)["visit_pv"]) for appid, app in self.apps.items()
        }

    def start(self, shard: int, total: int) -> Exporter:
        """Start another exporter."""
        port = _free_port()
        command = [
            *(sys.executable, "-m", "exporter", f"--config.file={self._folder}/config.yaml"),
            *(f"--shard={shard}", f"--total-shards={total}", f"--web.listen-address=127.0.0.1:{port}"),
        ]
        with (self._folder / f"log-{port}").open("w") as log:
            process = subprocess.Popen(command, stderr=log)
        self.exporters.append(Exporter(shard, port, process))
        return self.exporters[-1]

    def end(self, exporter: Exporter) -> None:
        """Kill an exporter."""
        exporter.process.kill()
        exporter.process.wait()
        self.exporters.remove(exporter)

    def shown(self) -> tuple[int, int, int]:
        """Count the apps that are shown, have a wrong figure, and are missing on a replica."""
        found: dict[str, set[float]] = {}
        times: Counter[str] = Counter()
        for exporter in list(self.exporters):
            for line in exporter.page().splitlines():
                if line.startswith(_PV):
                    labels, _, value = line.rpartition(" ")
                    appid = labels.split('"')[1]
                    found.setdefault(appid, set()).add(float(value))
                    times[appid] += 1
        wrong = sum(values != {self.expected[appid]} for appid, values in found.items())
        return len(found), wrong, sum(count != REPLICAS for count in times.values())

    def complete(self) -> float:
        """Wait until every replica shows every app of its shard; return the seconds."""
        start = time.monotonic()
        while (seen := self.shown())[::2] != (len(self.apps), 0):
            if time.monotonic() - start > _START_SECONDS:
                raise SystemExit(
                    f"after {_START_SECONDS} s only {seen[0]} apps are on show, {seen[2]} not by all"
                )
            time.sleep(1)
        return time.monotonic() - start

    def calls(self, endpoint: str) -> Counter[str]:
        """Return the calls per app so far."""
        answer = urllib.request.urlopen(f"{self._base_url}/_sim/calls", timeout=60)
        return Counter(json.load(answer)["calls"].get(endpoint, {}))

    def token_calls(self) -> int:
        """Return the number of calls for access tokens so far."""
        return self.calls("stable_token").total()

    def asked_in(self, intervals: float) -> Counter[str]:
        """Return the data calls per app in a number of intervals from now."""
        before = self.calls("daily_visit_trend")
        time.sleep(intervals * self.interval)
        return self.calls("daily_visit_trend") - before


class Redis:
    """A real Redis whose data survive a restart."""

    def __init__(self, folder: Path) -> None:
        self.port = _free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        flags = ["--appendonly", "yes", "--appendfsync", "always", "--save", "", "--dir", str(folder)]
        self._command = [
            str(shutil.which("redis-server")),
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            *flags,
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the server with its data."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise SystemExit("redis does not answer")

    def kill(self) -> None:
        """Kill the server."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
