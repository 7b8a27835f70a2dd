"""The time to render the page after a change of all apps, and of one; beside prometheus-client."""

import time
from collections.abc import Callable, Iterator
from itertools import islice

from prometheus_client.exposition import generate_latest

from benchmarks.cases import CASES
from benchmarks.client_library import gauges
from benchmarks.filled_exporter import prepare
from benchmarks.table import Figure
from exporter.exposition.page import Page, PageRenderer

RUNS = 5


def measure() -> Iterator[Figure]:
    """Yield the figures of this benchmark: CPU seconds of all forms together."""
    for case in CASES:
        yield from measure_page(f"{case}", prepare(case).publisher.page)


def measure_page(case: str, page: Page) -> Iterator[Figure]:
    """Yield the figures of a fleet."""
    fleet, dates, shown = page.entries, page.dates, page.shown
    registry, maker = gauges(fleet), PageRenderer()
    peer = [cpu(lambda: generate_latest(registry)) for _ in range(RUNS)]
    whole = [cpu(lambda: maker.replace_all(fleet, dates, shown)) for _ in range(RUNS)]
    yield Figure("render all", case, "s", whole, "prometheus-client, text, daily only", peer)
    one = dict(islice(fleet.items(), 1))
    single = [cpu(lambda: maker.update(one, dates, shown)) for _ in range(RUNS)]
    yield Figure("render one", case, "s", single, "render all", whole)


def cpu(work: Callable[[], object]) -> float:
    """Return the CPU seconds of a call."""
    start = time.process_time()
    work()
    return time.process_time() - start
