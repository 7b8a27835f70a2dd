"""How long the page takes to be made, all apps changed and one; beside prometheus-client."""

import time
from collections.abc import Callable, Iterator
from itertools import islice

from prometheus_client.exposition import generate_latest

from benchmarks.fleet import entries
from benchmarks.library import gauges
from benchmarks.table import Figure
from exporter.beijing import window, yesterday
from exporter.exposition.page import PageMaker
from exporter.store.entry import Entry

SIZES = ((1_000, 9), (10_000, 9), (100_000, 1))
RUNS = 5


def measure() -> Iterator[Figure]:
    """The figures of this benchmark: CPU seconds of all forms together."""
    for apps, history_days in SIZES:
        yield from measure_fleet(entries(apps, history_days), history_days)


def measure_fleet(fleet: dict[str, Entry], history_days: int) -> Iterator[Figure]:
    """The figures of one fleet."""
    dates = window(yesterday(time.time()), history_days) if history_days > 1 else ()
    case = f"{len(fleet)} apps, {history_days} dates"
    registry, maker = gauges(fleet), PageMaker()
    peer = [cpu(lambda: generate_latest(registry)) for _ in range(RUNS)]
    whole = [cpu(lambda: maker.replace_all(fleet, dates)) for _ in range(RUNS)]
    yield Figure("render all", case, "s", whole, "prometheus-client, text, daily only", peer)
    one = dict(islice(fleet.items(), 1))
    single = [cpu(lambda: maker.update(one, dates)) for _ in range(RUNS)]
    yield Figure("render one", case, "s", single, "render all", whole)


def cpu(work: Callable[[], object]) -> float:
    """CPU seconds of one call."""
    start = time.process_time()
    work()
    return time.process_time() - start
