"""Resident memory per app, rows and all forms of the page included, beside prometheus-client's gauges."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import requests

from benchmarks.cases import CASES, Case, case_words
from benchmarks.table import Figure

PORT = 10957
RUNS = 3  # some take half a minute


def measure() -> Iterator[Figure]:
    """Yield the figures of this benchmark: KiB per app, at rest and at the peak."""
    for case in CASES:
        apps = case.apps
        one = Case(1, case.history_days, case.datasets)
        empty = resident("filled_exporter", *case_words(PORT, one))[0]
        ours = [resident("filled_exporter", *case_words(PORT, case)) for _ in range(RUNS)]
        bare = resident("client_library", str(PORT), "1")[0]
        theirs = [resident("client_library", str(PORT), str(apps)) for _ in range(RUNS)]
        for name, at in (("memory", 0), ("memory, peak", 1)):
            mine = [(each[at] - empty) / apps for each in ours]
            other = [(each[at] - bare) / apps for each in theirs]
            yield Figure(name, f"{case}", "KiB/app", mine, "prometheus-client", other)


def resident(module: str, *words: str) -> tuple[float, float]:
    """Return a server's resident KiB at rest after one scrape, and at the peak."""
    command = [sys.executable, "-m", f"benchmarks.{module}", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            if process.stdout is None or process.stdout.readline() != "ready\n":
                raise SystemExit(f"{module} did not start")
            requests.get(f"http://127.0.0.1:{PORT}/metrics", timeout=120)
            report = Path(f"/proc/{process.pid}/status").read_text("ascii")
        finally:
            process.kill()
    found = {name: float(kib) for name, kib in re.findall(r"(VmRSS|VmHWM):\s+(\d+) kB", report)}
    return found["VmRSS"], found["VmHWM"]
