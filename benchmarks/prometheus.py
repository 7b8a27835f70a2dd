"""The time of a real Prometheus to scrape a large page, beside curl, and a check that it loses no sample."""

import json
import shutil
import subprocess
import tempfile
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

from benchmarks.cases import CASES
from benchmarks.scrape import OURS, standing
from benchmarks.table import Figure
from benchmarks.wechat import wait_for

PORT = 10956
SCRAPES = 3
_CONFIG = """
global: {{scrape_interval: {interval}s, scrape_timeout: 10s}}
scrape_configs:
  - job_name: wechat-miniprogram
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""
_INTERVAL = 30


def measure() -> Iterator[Figure]:
    """Yield the figures of this benchmark: seconds of a scrape, with the default limit of 10 s."""
    for case in CASES:
        with standing(case), prometheus() as base_url:
            samples = len([line for line in _page() if not line.startswith("#")])
            took = _scrapes(base_url, samples)[-SCRAPES:]
            curl = [_curl() for _ in range(SCRAPES)]
        yield Figure("Prometheus' scrape", f"{case}", "s", took, "curl", curl)


@contextmanager
def prometheus() -> Iterator[str]:
    """Run Prometheus; yield its address once it answers."""
    program = shutil.which("prometheus")
    if program is None:
        raise SystemExit("this benchmark needs prometheus")
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder, "prometheus.yaml")
        config.write_text(_CONFIG.format(interval=_INTERVAL, port=OURS))
        base_url = f"http://127.0.0.1:{PORT}"
        flags = [f"--config.file={config}", f"--storage.tsdb.path={folder}/tsdb", "--log.level=error"]
        with subprocess.Popen([program, *flags, f"--web.listen-address=127.0.0.1:{PORT}"]) as process:
            try:
                wait_for(f"{base_url}/-/ready")
                yield base_url
            finally:
                process.terminate()


def _scrapes(base_url: str, samples: int) -> list[float]:
    """Return the seconds of several scrapes in a row; fail if one fails or drops a sample."""
    time.sleep(_INTERVAL * (SCRAPES + 1))  # the first one has all series to create
    window = f"[{_INTERVAL * (SCRAPES + 1)}s]"
    for expression, wanted in (
        (f"min_over_time(up{window})", 1),
        (f"min_over_time(scrape_samples_post_metric_relabeling{window})", samples),
        (f"max_over_time(scrape_samples_scraped{window})", samples),
    ):
        found = float(_query(base_url, expression)["value"][1])
        if found != wanted:
            raise SystemExit(f"{expression} is {found:g}, not {wanted:g}")
    return [float(value) for _, value in _query(base_url, f"scrape_duration_seconds{window}")["values"]]


def _query(base_url: str, expression: str) -> dict[str, Any]:
    address = f"{base_url}/api/v1/query?" + urllib.parse.urlencode({"query": expression})
    result = json.load(urllib.request.urlopen(address, timeout=60))["data"]["result"]
    if not result:
        raise SystemExit(f"{expression} has no result: nothing was measured")
    found: dict[str, Any] = result[0]
    return found


def _page() -> list[str]:
    return requests.get(f"http://127.0.0.1:{OURS}/metrics", timeout=60).text.splitlines()


def _curl() -> float:
    start = time.monotonic()
    command = ["curl", "--silent", "--fail", "--compressed", "--output", "/dev/null"]
    subprocess.run([*command, f"http://127.0.0.1:{OURS}/metrics"], check=True)
    return time.monotonic() - start
