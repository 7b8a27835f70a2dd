"""The CPU time of each panel in a real Prometheus: 1,000 apps, 9 dates, all datasets, two cores.

`python -m benchmarks.dashboards [--apps=N]`; exits with 1 if a panel takes a second of CPU time or more.
"""

import argparse
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import requests

from exporter.beijing import DAY_SECONDS, midnight, yesterday
from exporter.datasets.catalogue import CATALOGUE
from exporter.datasets.daily_trend import DAILY_TREND, FIELDS
from exporter.datasets.dataset import Dataset
from exporter.datasets.metrics import Metric, dated_metrics, newest_metrics
from exporter.datasets.visit_distribution import DEPTHS, STAY_TIMES
from exporter.exposition.app_families import DATASET_FAMILIES
from exporter.exposition.family import NAMESPACE
from grafana.totals import SUMS
from prometheus.expressions import REF_DATE
from prometheus.recording import SETTLED_AFTER, recorded, recordings
from tests.grafana.boards import Asked, asked

NEWEST = date(2025, 3, 6)
NOW = midnight(NEWEST) + DAY_SECONDS + 11 * 3600
DATES = tuple(NEWEST - timedelta(days=back) for back in range(9))
Sample = tuple[str, int, int]
"""Labels, value, Unix time."""
ALLOWED_SECONDS = 1.0
REPEATS = 3
COHORT_DAYS = 40
"""How far back cohorts are asked for: day 30 and some."""
PAST_DAYS = 30
"""How far back totals are asked for."""
_LAST_MINUTES = range(NOW - 180, NOW + 1, 60)
BOARDS = ("fleet", "audience", "retention", "sources", "pages")
"""Those with panels over all apps."""
LABELS = {
    "ref_date": ("2025-02-03", "2025-02-10", "2025-02-17"),
    "day": ("1", "7", "30"),
    "source": tuple(str(key) for key in range(1, 11)),
    "staytime": tuple(STAY_TIMES.values()),
    "depth": tuple(DEPTHS.values()),
    "page_path": tuple(f"pages/page-{number}" for number in range(10)),
}
_PAST_HOURS = (12, 24, 36, 144, 156, 168, 180)  # where expressions look when there is no by-date family


def samples(apps: int) -> Iterator[str]:
    """Yield the page of `apps` apps for ten minutes, and the newest family at the queries' offsets."""
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
    yield from _datasets(apps)
    yield from _settled(apps)
    yield "# EOF\n"


def _datasets(apps: int) -> Iterator[str]:
    """Yield the newest rows of all datasets, now and at the queries' offsets."""
    shown = [dataset for dataset in CATALOGUE if dataset is not DAILY_TREND]
    for family in DATASET_FAMILIES[:-1]:
        health = (
            (f'{_app(app)},dataset="{each.name}"', midnight(NEWEST) - _days_back(at) * DAY_SECONDS, at)
            for app in range(apps)
            for each in shown
            for at in _times(each)
        )
        yield from _family(family.name, health)
    for dataset in shown:
        for metric in newest_metrics(dataset):
            yield from _family(metric.name, _rows(metric, apps, _times(dataset)))
        for metric in dated_metrics(dataset):
            yield from _family(metric.name, _rows(metric, apps, _LAST_MINUTES))
    names = (
        (f'source="{key}",name_en="Source {key}",name_zh="来源 {key}"', 1, at)
        for key in range(1, 58)
        for at in _LAST_MINUTES
    )
    yield from _family("access_source_info", names)


def _settled(apps: int) -> Iterator[str]:
    """Yield the series of the recording rules at the times that the trend and the 30-day change read."""
    start = midnight(NEWEST) - PAST_DAYS * DAY_SECONDS
    points = range(start, NOW, DAY_SECONDS)
    times = {at + hours * 3600 for at in points for hours in (116, 122)}
    times |= {NOW - days * DAY_SECONDS for days in (26, 27)}
    for metric in (REF_DATE, *SUMS):
        name = recorded(metric, "settled")
        yield f"# TYPE {name} gauge\n"
        for app, at in product(range(apps), sorted(at for at in times if at < NOW)):
            day = yesterday(at) - timedelta(days=SETTLED_AFTER - 1)
            yield f'{name}{{appid="{_appid(app)}"}} {_value(metric, app, day)} {at}\n'


def _times(dataset: Dataset) -> Sequence[int]:
    """Return the times at which queries read a dataset's rows."""
    if dataset.name != "daily_retention":
        return *(NOW - hours * 3600 for hours in (180, 168, 156)), *_LAST_MINUTES
    first = midnight(NEWEST) - COHORT_DAYS * DAY_SECONDS
    return *range(first, NOW - 3600, 6 * 3600), *_LAST_MINUTES


def _days_back(at: int) -> int:
    return (NOW - at) // DAY_SECONDS


def _rows(metric: Metric, apps: int, times: Sequence[int]) -> Iterator[Sample]:
    """Yield a series for each value of the metric's labels; times are those of the newest date."""
    values = [[f'{label}="{value}"' for value in LABELS[label]] for label in metric.labels]
    for app in range(apps):
        for labels in product(*values):
            for at in times:
                later = next((int(label[5:-1]) for label in labels if label.startswith("day=")), 0)
                stamp = midnight(NEWEST) - (_days_back(at) + later) * DAY_SECONDS
                value = 150 + app * 37 % 90_000 if metric.moment is None else stamp
                yield ",".join((_app(app), *labels)), value, at


def _family(name: str, report: Iterable[Sample]) -> Iterator[str]:
    yield f"# TYPE {NAMESPACE}_{name} gauge\n"
    for labels, value, at in report:
        yield f"{NAMESPACE}_{name}{{{labels}}} {value} {at}\n"


def _daily(metric: str, apps: int, now: range) -> Iterator[Sample]:
    hours = (NOW - hour * 3600 for hour in _PAST_HOURS)
    past = sorted(at for middle in hours for at in range(middle - 240, middle + 1, 60))
    for app in range(apps):
        for at in (*past, *now):
            back = 0 if at in now else 1 + (NOW - at) // DAY_SECONDS
            yield _app(app), _value(metric, app, NEWEST - timedelta(days=back)), at


def _by_date(metric: str, apps: int, now: range) -> Iterator[Sample]:
    """Yield the dates on show now and six days ago, where queries look for a late app's week before."""
    then = range(NOW - 6 * DAY_SECONDS - 180, NOW - 6 * DAY_SECONDS + 1, 60)
    for app in range(apps):
        for back in range(len(DATES) + 6):
            day = NEWEST - timedelta(days=back)
            for at in (*(then if back >= 6 else ()), *(now if day in DATES else ())):
                yield f'{_app(app)},ref_date="{day}"', _value(metric, app, day), at


def _app(number: int) -> str:
    scraped = 'job="wechat-miniprogram",instance="exporter:10950"'
    return f'appid="{_appid(number)}",name="app-{number:05d}",{scraped}'


def _appid(number: int) -> str:
    return f"wxfa4e{number:012d}"


def _value(metric: str, app: int, day: date) -> int:
    return midnight(day) if metric == REF_DATE else 150 + app * 37 % 90_000 + day.day * (app % 13)


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


def _take(base_url: str, path: str, expression: str, **when: float) -> tuple[float, int]:
    """Return the mean of Prometheus' CPU seconds for a query, and the number of series in the answer."""
    body: dict[str, Any] = {}
    start = _cpu_seconds(base_url)
    for _ in range(REPEATS):
        answer = requests.post(base_url + path, data={"query": expression, **when}, timeout=120)
        body = answer.json()
        if body["status"] != "success":
            raise ValueError(body)
    return (_cpu_seconds(base_url) - start) / REPEATS, len(body["data"]["result"])


def _cpu_seconds(base_url: str) -> float:
    """Return Prometheus' CPU seconds, which do not depend on other work of the machine."""
    page = requests.get(base_url.replace("/api/v1/", "/metrics"), timeout=30).text
    found = re.search(r"^process_cpu_seconds_total (\S+)$", page, re.MULTILINE)
    return float(found[1]) if found else 0.0


def _ask(base_url: str, target: Asked, app: str) -> tuple[float, int]:
    if target.target["instant"]:
        return _take(base_url, "query", target.expression(app, NOW), time=NOW)
    start = midnight(NEWEST) - target.days * DAY_SECONDS
    return _take(base_url, "query_range", target.expression(app, NOW), start=start, end=NOW, step=DAY_SECONDS)


def main() -> int:
    """Print a line per panel; return 1 if one is too slow."""
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
        board = target.board.removeprefix("en/")
        if board in BOARDS:
            app = "wxfa4e000000000001"  # of the panels for each app chosen
            taken = panels.setdefault(f"{board}: {target.panel['title']}", [])
            taken.append(_ask(base_url, target, app))
    print(f"{apps} apps, {len(DATES)} dates, all datasets; CPU time of Prometheus")
    print(f"{'panel':<72}{'queries':>8}{'series':>8}{'seconds':>9}")
    for title, taken in panels.items():
        series = max(count for _, count in taken)
        print(f"{title:<72}{len(taken):>8}{series:>8}{sum(seconds for seconds, _ in taken):>9.3f}")
    rules = [_take(base_url, "query", rule.expr, time=NOW)[0] for rule in recordings()]
    print(f"{'(one evaluation of the recording rules)':<72}{len(rules):>8}{'':>8}{sum(rules):>9.3f}")
    worst = max(sum(seconds for seconds, _ in taken) for taken in panels.values())
    return int(worst >= ALLOWED_SECONDS)


if __name__ == "__main__":
    sys.exit(main())
