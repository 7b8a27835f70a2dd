"""A fleet under trial: 4 shards × 2 replicas with one Redis, killed, cut off and divided anew.

Counts WeChat's calls per app, and looks whether every app's figures are on show, and right.

Run: python -m benchmarks.shards 20000 120
"""

import json
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.wechat import wechat
from exporter.shards import owner
from exporter.simulator.data import row
from exporter.simulator.fleet import config_yaml, fleet
from exporter.trend import yesterday

SHARDS, REPLICAS = 4, 2
_PV: Final = "wechat_miniprogram_daily_visit_pv{"
_START_SECONDS: Final = 240
_REFRESH: Final = """refresh:
  requests_per_second: 0
  history_days: 1
  revisit_days: 0"""


@dataclass(slots=True)
class Exporter:
    """One process and where it answers."""

    shard: int
    port: int
    process: subprocess.Popen[bytes]

    def page(self) -> str:
        """The whole page; empty while it does not answer."""
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
        """Start one more exporter."""
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
        """Kill one."""
        exporter.process.kill()
        exporter.process.wait()
        self.exporters.remove(exporter)

    def shown(self) -> tuple[int, int, int]:
        """How many apps are on show, have a wrong figure, and are not shown by every replica."""
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
        """Seconds until every app is on show."""
        start = time.monotonic()
        while self.shown()[0] < len(self.apps):
            if time.monotonic() - start > _START_SECONDS:
                raise SystemExit(f"after {_START_SECONDS} s only {self.shown()[0]} apps are on show")
            time.sleep(1)
        return time.monotonic() - start

    def calls(self, endpoint: str) -> Counter[str]:
        """Calls per app so far."""
        answer = urllib.request.urlopen(f"{self._base_url}/_sim/calls", timeout=60)
        return Counter(json.load(answer)["calls"].get(endpoint, {}))

    def settled(self) -> Counter[str]:
        """Data calls per app once no more come."""
        before = self.calls("daily_visit_trend")
        while True:
            time.sleep(4)
            now = self.calls("daily_visit_trend")
            if now == before:
                return now
            before = now

    def next_round(self) -> Counter[str]:
        """Data calls per app of one whole round from its first call on."""
        before = self.settled()
        while self.calls("daily_visit_trend") == before:
            time.sleep(0.5)
        return self.settled() - before


class Redis:
    """A real one, whose data outlive it."""

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
        """Start it, with what it had."""
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            time.sleep(0.05)
        raise SystemExit("redis does not answer")

    def kill(self) -> None:
        """Kill it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()


def main(apps: int, interval: int) -> None:
    """Run the trial and print what was seen."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        redis = Redis(folder)
        redis.start()
        stack.callback(redis.kill)
        base_url = stack.enter_context(wechat(apps, latency=0.0))
        trial = Trial(folder, base_url, redis, apps, interval)
        stack.enter_context(_ended(trial))
        for shard in range(SHARDS):
            for _ in range(REPLICAS):
                trial.start(shard, SHARDS)
        tell("all on show after the start", f"{trial.complete():.0f} s")
        trial.settled()
        normal_rounds(trial)
        killed(trial)
        redis_killed(trial)
        divided_anew(trial)


def normal_rounds(trial: Trial) -> None:
    """Two rounds with nothing in the way."""
    for _ in range(2):
        tell("calls per app in a round", spread(trial.next_round(), trial))
    tokens = trial.calls("stable_token")
    tell("token calls so far", f"{tokens.total()} for {len(tokens)} apps")
    tell("on show, wrong, not by two", str(trial.shown()))


def killed(trial: Trial, kills: int = 6) -> None:
    """Kill -9 in the middle of rounds, one process after the other, each started again at once."""
    for _ in range(kills):
        before = trial.settled()
        moment = before.total() + len(trial.apps) * random.uniform(0, 0.7)
        while trial.calls("daily_visit_trend").total() < moment:
            time.sleep(0.1)
        victim = random.choice(trial.exporters)
        trial.end(victim)
        now, wrong, _ = trial.shown()
        trial.start(victim.shard, SHARDS)
        back = trial.complete()
        calls = trial.settled() - before
        told = f"{now} apps at once, all after {back:.0f} s, {wrong} wrong; calls {spread(calls, trial)}"
        tell("kill -9 in a round", told)
    tell("token calls so far", str(trial.calls("stable_token").total()))


def redis_killed(trial: Trial) -> None:
    """Redis away for some seconds in the middle of a round."""
    before = trial.settled()
    while trial.calls("daily_visit_trend").total() - before.total() < len(trial.apps) / 3:
        time.sleep(0.1)
    trial.redis.kill()
    time.sleep(3)
    shown, wrong, _ = trial.shown()
    trial.redis.start()
    calls = trial.settled() - before
    tell("Redis killed in a round", f"{shown} apps meanwhile, {wrong} wrong; calls {spread(calls, trial)}")
    tell("token calls so far", str(trial.calls("stable_token").total()))
    tell("calls per app in the round after", spread(trial.next_round(), trial))
    tell("on show, wrong, not by two", str(trial.shown()))


def divided_anew(trial: Trial) -> None:
    """One shard more; every exporter is replaced within a round's interval."""
    moved = sum(owner(appid, SHARDS) != owner(appid, SHARDS + 1) for appid in trial.apps)
    tell("apps that change their shard", f"{moved} of {len(trial.apps)}: {moved / len(trial.apps):.1%}")
    trial.next_round()
    before = trial.calls("daily_visit_trend")
    for exporter in list(trial.exporters):
        exporter.process.terminate()
    for exporter in list(trial.exporters):
        exporter.process.wait()
        trial.exporters.remove(exporter)
    for shard in range(SHARDS + 1):
        for _ in range(REPLICAS):
            trial.start(shard, SHARDS + 1)
    back = trial.complete()
    calls = trial.calls("daily_visit_trend") - before
    tell("divided anew", f"all on show after {back:.0f} s; calls by then {calls.total()}")
    trial.settled()
    tell("calls per app in the round after", spread(trial.next_round(), trial))
    tell("token calls so far", str(trial.calls("stable_token").total()))
    tell("on show, wrong, not by two", str(trial.shown()))


def spread(calls: Counter[str], trial: Trial) -> str:
    """How many apps were asked how often."""
    times = Counter(calls[appid] for appid in trial.apps)
    return f"{calls.total()}: " + ", ".join(f"{apps} apps {often}×" for often, apps in sorted(times.items()))


def tell(what: str, seen: str) -> None:
    """One line."""
    print(f"{what:<36} {seen}", flush=True)


@contextmanager
def _ended(trial: Trial) -> Iterator[None]:
    try:
        yield
    finally:
        for exporter in list(trial.exporters):
            trial.end(exporter)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _command(words: Sequence[str]) -> None:
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    main(int(words[0]) if words else 20_000, int(words[1]) if len(words) > 1 else 120)


if __name__ == "__main__":
    _command(sys.argv[1:])
