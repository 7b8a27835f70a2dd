"""The CPU time of each panel in a real Prometheus: 1,000 apps, all datasets, sixty dates, two cores.

`python -m benchmarks.dashboards [--apps=N]`; exits with 1 if a panel takes a second of CPU time or more.
What is asked as it is now is asked of that many apps. A range over them is asked of ten with every scrape
of their past, as reading these is what it costs, and the time multiplied; panels of one app are asked of one.
"""

import argparse
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from benchmarks.dashboard_past import ONE, past
from benchmarks.dashboard_samples import NEWEST, NOW, appid, now
from exporter.beijing import DAY_SECONDS, midnight
from grafana.queries import AT_END
from prometheus.recording import cohort_recordings, recordings, settled_recordings
from tests.grafana.boards import Asked, asked

ALLOWED_SECONDS = 1.0
REPEATS = 5
FINE_REPEATS = 50
"""Of what is short and multiplied: Prometheus' clock goes by 10 ms."""
WITH_A_PAST = 10
"""How many apps' past is kept."""
BOARDS = ("fleet", "audience", "retention", "sources", "pages")
"""Those with panels over all apps."""
TOTALS = "job:wechat_miniprogram_"
"""What the names of totals that the recording rules keep begin with."""
PEER = "sum(wechat_miniprogram_daily_visit_uv)"
"""What any dashboard would ask: the least that a panel over all apps can cost."""


@dataclass(frozen=True, slots=True)
class Taken:
    """Seconds of Prometheus' CPU time for an answer, how many series it has, and the peer's seconds."""

    seconds: float
    series: int
    peer: float


@contextmanager
def prometheus(folder: Path) -> Iterator[str]:
    """Run Prometheus on two cores with the samples; yield its address."""
    config = folder / "prometheus.yaml"
    config.write_text("global: {}\n", "utf-8")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    words = [
        "prometheus",
        f"--config.file={config}",
        f"--storage.tsdb.path={folder / 'tsdb'}",
        "--storage.tsdb.retention.time=100y",
        f"--web.listen-address={address}",
        "--log.level=error",
    ]
    process = subprocess.Popen(words, env={**os.environ, "GOMAXPROCS": "2"})
    try:
        _wait(f"http://{address}/-/ready")
        yield f"http://{address}/api/v1/"
    finally:
        process.terminate()
        process.wait(20)


def _wait(url: str) -> None:
    for _ in range(300):
        try:
            if requests.get(url, timeout=5).ok:
                return
        except requests.ConnectionError:
            pass
        time.sleep(0.1)
    raise TimeoutError(url)


def _take(base_url: str, expression: str, days: int = 0, repeats: int = REPEATS) -> tuple[float, int]:
    """Return the mean of Prometheus' CPU seconds for a query, and the number of series in the answer."""
    path, when = "query", {"time": NOW}
    if days:
        start = midnight(NEWEST) - days * DAY_SECONDS
        path, when = "query_range", {"start": start, "end": NOW, "step": DAY_SECONDS}
    body: dict[str, Any] = {}
    before = _cpu_seconds(base_url)
    for _ in range(repeats):
        answer = requests.post(base_url + path, data={"query": expression, **when}, timeout=120)
        body = answer.json()
        if body["status"] != "success":
            raise ValueError(body)
    return (_cpu_seconds(base_url) - before) / repeats, len(body["data"]["result"])


def _cpu_seconds(base_url: str) -> float:
    """Return Prometheus' CPU seconds, which do not depend on other work of the machine."""
    page = requests.get(base_url.replace("/api/v1/", "/metrics"), timeout=30).text
    found = re.search(r"^process_cpu_seconds_total (\S+)$", page, re.MULTILINE)
    return float(found[1]) if found else 0.0


class Bench:
    """Two Prometheis: many apps now, and a few with their past."""

    def __init__(self, apps: int, many: str, few: str) -> None:
        self._apps, self._many, self._few = apps, many, few
        self._peers: dict[int, float] = {}

    def ask(self, target: Asked) -> Taken:
        """Ask a panel's query where it costs what it costs."""
        days = 0 if target.target["instant"] else target.days
        text, expression = target.target["expr"], target.expression(appid(ONE), NOW)
        if not days or _is_of_now(text):
            seconds, series = _take(self._many, expression, days)
        elif "$appid" in text or TOTALS in text:
            seconds, series = _take(self._few, expression, days)
        else:
            seconds, series = _take(self._few, expression, days, FINE_REPEATS)
            seconds *= self._apps / WITH_A_PAST
        return Taken(seconds, series, self._peer(days))

    def rules(self) -> float:
        """Return the seconds of one evaluation of the recording rules."""
        return sum(
            _take(self._many, rule.expr)[0]
            for rule in (*recordings(), *settled_recordings(), *cohort_recordings())
        )

    def _peer(self, days: int) -> float:
        if days not in self._peers:
            seconds, _ = _take(self._few if days else self._many, PEER, days, FINE_REPEATS)
            self._peers[days] = seconds * (self._apps / WITH_A_PAST if days else 1)
        return self._peers[days]


def main() -> int:
    """Print a line per panel; return 1 if one is too slow."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--apps", type=int, default=1000)
    apps = parser.parse_args().apps
    with ExitStack() as stack:
        many = stack.enter_context(_filled(now(apps)))
        few = stack.enter_context(_filled(past(WITH_A_PAST)))
        return _measure(Bench(apps, many, few), apps)


def _is_of_now(text: str) -> bool:
    """Return whether a range reads no past: the time of each of its selectors is its end."""
    return "offset" not in text and not re.search(r"\}(?! @)", text.replace(AT_END, "@"))


@contextmanager
def _filled(samples: Iterator[str]) -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="dashboards-") as name:
        folder = Path(name)
        text = folder / "samples.om"
        with text.open("w", encoding="utf-8") as file:
            file.writelines(samples)
        words = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "--quiet"]
        subprocess.run([*words, "--max-block-duration=768h", str(text), str(folder / "tsdb")], check=True)
        text.unlink()
        with prometheus(folder) as base_url:
            yield base_url


def _measure(bench: Bench, apps: int) -> int:
    panels: dict[str, list[Taken]] = {}
    for target in asked():
        board = target.board.removeprefix("en/")
        if board in BOARDS:
            panels.setdefault(f"{board}: {target.panel['title']}", []).append(bench.ask(target))
    print(f"{apps} apps, all datasets; CPU time of Prometheus; peer: {PEER}, over the panel's range")
    print(f"{'panel':<72}{'queries':>8}{'series':>8}{'seconds':>9}{'× peer':>8}")
    seconds = {title: sum(each.seconds for each in taken) for title, taken in panels.items()}
    for title in sorted(panels, key=seconds.__getitem__, reverse=True):
        taken = panels[title]
        series, peer = max(each.series for each in taken), max(each.peer for each in taken)
        ratio = seconds[title] / peer if peer else 0
        print(f"{title:<72}{len(taken):>8}{series:>8}{seconds[title]:>9.3f}{ratio:>8.1f}")
    print(f"{'(one evaluation of the recording rules)':<88}{bench.rules():>9.3f}")
    return int(max(seconds.values()) >= ALLOWED_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
