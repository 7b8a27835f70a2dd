"""Time and memory to write a year of 1,000 apps, beside prometheus_client's writer.

Both read the same journal, each in a process of its own; the peer builds a family's samples with
timestamps and calls `generate_latest`, as a script of one's own would.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.registry import CollectorRegistry

from benchmarks.table import Figure
from exporter.backfill.atomic_file import write_whole
from exporter.backfill.journal import Journal
from exporter.backfill.periods import Span, shown_from
from exporter.backfill.samples import SampleShape, openmetrics
from exporter.config.apps import App
from exporter.config.secret import Secret
from exporter.config.token_types import StableToken
from exporter.datasets.daily_trend import FIELDS
from exporter.exposition.app_families import BY_DATE
from exporter.simulator.daily_figures import row
from exporter.simulator.fleet import fake_appid
from tests.building import trend_row

APPS = 1000
RUNS = {"ours": 3, "theirs": 1}  # the peer takes minutes
LAST = date(2026, 11, 23)
SHAPE = SampleShape({"job": "wechat", "instance": "exporter:10950"}, None, shown_from(LAST))
LIMIT_MIB = 200.0


def measure() -> Iterator[Figure]:
    """Yield the figures of this benchmark."""
    for days in (365, 36):  # a tenth of the dates: memory should hardly differ
        with tempfile.TemporaryDirectory() as folder:
            journal = Path(folder, "journal")
            fill(journal, days)
            ours, theirs = (
                [run(writer, journal, days) for _ in range(runs)] for writer, runs in RUNS.items()
            )
        case = f"{APPS} apps, {days} dates"
        peer = "prometheus_client"
        yield Figure("write", case, "s", [each[0] for each in ours], peer, [each[0] for each in theirs])
        peaks = [each[1] for each in ours]
        yield Figure("write peak", case, "MiB", peaks, peer, [each[1] for each in theirs])
        if max(peaks) >= LIMIT_MIB:
            raise SystemExit(f"peak memory is over {LIMIT_MIB:g} MiB")


def fill(place: Path, days: int) -> None:
    """Fill a journal with a row for every app and date."""
    with Journal(place) as journal:
        for app in fleet():
            rows = (row(app.appid, day, 1000) for day in span(days).newest_first())
            journal.keep(
                (app.appid, day, trend_row(day, tuple(figures[field.name] for field in FIELDS)), 0.0)  # type: ignore[misc]
                for day, figures in zip(span(days).newest_first(), rows, strict=True)
            )


def span(days: int) -> Span:
    """Return a span of `days` dates."""
    return Span(LAST - timedelta(days=days - 1), LAST)


def fleet() -> Iterator[App]:
    """Return the apps."""
    token = StableToken(Secret("not-a-real-secret"))
    return (App(fake_appid(number), f"app-{number:05d}", (), token) for number in range(1, APPS + 1))


def run(writer: str, journal: Path, days: int) -> tuple[float, float]:
    """Return seconds and peak MiB of one writer in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.backfill", writer, str(journal), str(days)]
    seconds, peak = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    return seconds, peak


class Peer:
    """A collector as prometheus_client wants it: a family at a time."""

    def __init__(self, journal: Journal, days: int) -> None:
        self._journal = journal
        self._span = span(days)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the by-date families."""
        names = ["appid", "name", *SHAPE.labels, "ref_date"]
        for position, family in enumerate(BY_DATE):
            made = GaugeMetricFamily(family.metric, family.help, labels=names, unit=family.unit)
            for app in fleet():
                for each in self._journal.rows(app.appid, self._span):
                    figure = (*each.values, each.period.start)[position]
                    labels = [app.appid, app.name, *SHAPE.labels.values(), f"{each.period.first}"]
                    if figure is not None:
                        made.add_metric(labels, figure, timestamp=SHAPE.stamp(each.period, each.points[0]))
            yield made


def write(writer: str, place: Path, days: int) -> None:
    """Write the file, then print seconds and peak MiB: the body of the process."""
    output = place.with_name(f"{writer}.om")
    start = time.monotonic()
    with Journal(place) as journal:
        if writer == "ours":
            write_whole(output, openmetrics(journal, fleet(), span(days), SHAPE))
        else:
            registry = CollectorRegistry()
            registry.register(Peer(journal, days))
            output.write_bytes(generate_latest(registry))
    seconds = time.monotonic() - start
    with output.open(encoding="utf-8") as file:
        samples = sum(not line.startswith("#") for line in file)
    if samples != APPS * days * len(BY_DATE):
        raise SystemExit(f"{samples} samples were written: nothing was measured")
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if "VmHWM" in line)
    print(json.dumps([seconds, int(peak.split()[1]) / 1024]))


if __name__ == "__main__":
    write(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
