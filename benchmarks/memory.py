"""Resident memory per app, rows and all forms of the page included, beside prometheus-client's gauges."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import requests

from benchmarks.table import Figure

PORT = 10957
SIZES = ((10_000, 9), (100_000, 1))
RUNS = 5
KIB = 1024


def measure() -> Iterator[Figure]:
    """The figures of this benchmark: KiB per app, at rest and at the highest."""
    for apps, history_days in SIZES:
        runs = RUNS if apps < SIZES[-1][0] else 3  # each takes half a minute
        case = f"{apps} apps, {history_days} dates"
        empty = resident("standing", 1, history_days)[0]
        ours = [resident("standing", apps, history_days) for _ in range(runs)]
        bare = resident("library", 1)[0]
        theirs = [resident("library", apps) for _ in range(runs)]
        for name, at in (("memory", 0), ("memory, peak", 1)):
            mine = [(each[at] - empty) / apps for each in ours]
            other = [(each[at] - bare) / apps for each in theirs]
            yield Figure(name, case, "KiB/app", mine, "prometheus-client", other)


def resident(module: str, *numbers: int) -> tuple[float, float]:
    """Resident KiB at rest after one scrape, and the highest, of a server in its own process."""
    command = [sys.executable, "-m", f"benchmarks.{module}", str(PORT), *map(str, numbers)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            if process.stdout is None or process.stdout.readline() != "ready\n":
                raise SystemExit(f"{module} did not start")
            requests.get(f"http://127.0.0.1:{PORT}/metrics", timeout=120)
            told = Path(f"/proc/{process.pid}/status").read_text("ascii")
        finally:
            process.kill()
    found = {name: float(kib) for name, kib in re.findall(r"(VmRSS|VmHWM):\s+(\d+) kB", told)}
    return found["VmRSS"], found["VmHWM"]
