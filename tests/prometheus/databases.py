"""A simulated past in real databases, and the grids on which a dashboard asks for it."""

import os
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import requests

from exporter.beijing import DAY_SECONDS, midnight
from tests.prometheus.history import DATES, History
from tests.prometheus.servers import SMALL, Database, prometheus, victoria_metrics

ShownIn = Callable[..., AbstractContextManager[Database]]
"""Opens a database with a past in it: `in_prometheus` or `in_victoria_metrics`."""
GRIDS = ("Asia/Shanghai", "UTC", "America/New_York")


@contextmanager
def in_prometheus(
    program: Callable[[str], str],
    free_port: Callable[[], int],
    past: History,
    folder: Path,
    flags: Sequence[str] = (),
) -> Iterator[Database]:
    text = folder / "history.om"
    with text.open("w", encoding="utf-8") as file:
        file.writelines(past.openmetrics())
    subprocess.run(
        [
            *(program("promtool"), "tsdb", "create-blocks-from", "openmetrics"),
            *("--max-block-duration=4374h", "--quiet", str(text), str(folder / "tsdb")),
        ],
        env={**os.environ, **SMALL},
        check=True,
        capture_output=True,
    )
    config = folder / "prometheus.yaml"
    config.write_text("global: {}\n", "utf-8")
    with prometheus(program("prometheus"), free_port(), config, folder / "tsdb", flags) as database:
        yield database


@contextmanager
def in_victoria_metrics(
    program: Callable[[str], str],
    free_port: Callable[[], int],
    past: History,
    folder: Path,
    flags: Sequence[str] = (),
) -> Iterator[Database]:
    with victoria_metrics(program("victoria-metrics"), free_port(), folder / "vm", flags) as database:
        text = "".join(past.prometheus_text()).encode()
        requests.post(f"{database.base_url}/api/v1/import/prometheus", text, timeout=60).raise_for_status()
        requests.get(f"{database.base_url}/internal/force_flush", timeout=60).raise_for_status()
        yield database


def grid(zone: str) -> tuple[float, float]:
    """Return the first and last point of a grid of midnights in that zone, from the first date on to now.

    VictoriaMetrics moves both down to UTC midnights: a range that ended in the last date would lose it.
    """
    first = datetime(DATES[0].year, DATES[0].month, DATES[0].day, tzinfo=ZoneInfo(zone))
    start = first.timestamp()
    end = midnight(DATES[-1]) + 3 * DAY_SECONDS
    return start, start + (end - start) // DAY_SECONDS * DAY_SECONDS
