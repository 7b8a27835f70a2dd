"""How long each Fleet panel keeps a real Prometheus busy: 1,000 apps, 9 dates, two cores.

`python -m benchmarks.dashboards [--apps=N]`; exits with 1 where a panel takes a second or more.
"""

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from statistics import median
from typing import Any

import requests

from exporter.beijing import DAY_SECONDS, midnight
from exporter.datasets.daily_trend import FIELDS
from exporter.exposition.families import NAMESPACE
from prometheus.expressions import REF_DATE
from prometheus.recording import recordings
from tests.grafana.boards import Asked, asked

NEWEST = date(2025, 3, 6)
NOW = midnight(NEWEST) + DAY_SECONDS + 11 * 3600
DATES = tuple(NEWEST - timedelta(days=back) for back in range(9))
Sample = tuple[str, int, int]
"""Labels, value, Unix time."""
ALLOWED_SECONDS = 1.0
REPEATS = 3
_PAST_HOURS = (12, 24, 36, 156, 168, 180)  # where expressions look when there is no by-date family


def samples(apps: int) -> Iterator[str]:
    """The page of so many apps for ten minutes, and the latest family where offsets look for it."""
    now = range(NOW - 600, NOW + 1, 60)
    for metric in (*(field.metric for field in FIELDS), REF_DATE):
        yield from _family(f"daily_{metric}", _daily(metric, apps, now))
        yield from _family(f"by_date_{metric}", _by_date(metric, apps, now))
    success = ((_app(app), NOW - 600, at) for app in range(apps) for at in now)
    yield from _family("last_success_timestamp_seconds", success)
    for name in ("up", "info"):
        flags = ((_app(app), int(name == "info" or app % 50 > 0), at) for app in range(apps) for at in now)
        yield from _family(name, flags)
    reason = 'reason="ip_not_allowed",errcode="40164"'
    failing = ((f"{_app(app)},{reason}", 1, at) for app in range(0, apps, 50) for at in now)
    yield from _family("refresh_error_info", failing)
    yield "# EOF\n"


def _family(name: str, told: Iterable[Sample]) -> Iterator[str]:
    yield f"# TYPE {NAMESPACE}_{name} gauge\n"
    for labels, value, at in told:
        yield f"{NAMESPACE}_{name}{{{labels}}} {value} {at}\n"


def _daily(metric: str, apps: int, now: range) -> Iterator[Sample]:
    hours = (NOW - hour * 3600 for hour in _PAST_HOURS)
    past = sorted(at for middle in hours for at in range(middle - 240, middle + 1, 60))
    for app in range(apps):
        for at in (*past, *now):
            back = 0 if at in now else 1 + (NOW - at) // DAY_SECONDS
            yield _app(app), _value(metric, app, NEWEST - timedelta(days=back)), at


def _by_date(metric: str, apps: int, now: range) -> Iterator[Sample]:
    for app in range(apps):
        for day in DATES:
            for at in now:
                yield f'{_app(app)},ref_date="{day}"', _value(metric, app, day), at


def _app(number: int) -> str:
    scraped = 'job="wechat-miniprogram",instance="exporter:10950"'
    return f'appid="wxfa4e{number:012d}",name="app-{number:05d}",{scraped}'


def _value(metric: str, app: int, day: date) -> int:
    return midnight(day) if metric == REF_DATE else 150 + app * 37 % 90_000 + day.day * (app % 13)


@contextmanager
def prometheus(folder: Path) -> Iterator[str]:
    """Prometheus on two cores with these samples."""
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


def _take(base_url: str, path: str, expression: str, **when: float) -> tuple[float, int]:
    """Seconds till the whole answer is there (median), and how many series it has."""
    took = []
    body: dict[str, Any] = {}
    for _ in range(REPEATS):
        start = time.perf_counter()
        answer = requests.post(base_url + path, data={"query": expression, **when}, timeout=120)
        took.append(time.perf_counter() - start)
        body = answer.json()
        if body["status"] != "success":
            raise ValueError(body)
    return median(took), len(body["data"]["result"])


def _ask(base_url: str, target: Asked) -> tuple[float, int]:
    if target.target["instant"]:
        return _take(base_url, "query", target.expression(), time=NOW)
    start = NOW - 30 * DAY_SECONDS
    return _take(base_url, "query_range", target.expression(), start=start, end=NOW, step=DAY_SECONDS)


def main() -> int:
    """Print a line per panel; 1 where one is too slow."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--apps", type=int, default=1000)
    apps = parser.parse_args().apps
    with tempfile.TemporaryDirectory(prefix="dashboards-") as name:
        folder = Path(name)
        text = folder / "samples.om"
        with text.open("w", encoding="utf-8") as file:
            file.writelines(samples(apps))
        words = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "--quiet"]
        subprocess.run([*words, "--max-block-duration=192h", str(text), str(folder / "tsdb")], check=True)
        with prometheus(folder) as base_url:
            return _measure(base_url, apps)


def _measure(base_url: str, apps: int) -> int:
    panels: dict[str, list[tuple[float, int]]] = {}
    for target in asked():
        if target.board == "en/fleet":
            panels.setdefault(target.panel["title"], []).append(_ask(base_url, target))
    print(f"{apps} apps, {len(DATES)} dates; two cores")
    print(f"{'Fleet panel':<52}{'queries':>8}{'series':>8}{'seconds':>9}")
    for title, taken in panels.items():
        series = max(count for _, count in taken)
        print(f"{title:<52}{len(taken):>8}{series:>8}{sum(seconds for seconds, _ in taken):>9.3f}")
    rules = [_take(base_url, "query", rule.expr, time=NOW)[0] for rule in recordings()]
    print(f"{'(one evaluation of the recording rules)':<52}{len(rules):>8}{'':>8}{sum(rules):>9.3f}")
    worst = max(sum(seconds for seconds, _ in taken) for taken in panels.values())
    return int(worst >= ALLOWED_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
