"""Random rows of any dataset, such as its reader returns."""

import json
from datetime import date
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from exporter.datasets.catalogue import CATALOGUE
from exporter.datasets.daily_retention import DAILY_RETENTION
from exporter.datasets.dataset import Dataset, Point, Row
from exporter.datasets.period import Period
from exporter.datasets.visit_distribution import DEPTHS, STAY_TIMES, VISIT_DISTRIBUTION
from exporter.datasets.visit_pages import VISIT_PAGES

SAMPLES = Path(__file__).parents[1] / "samples"
counts = st.integers(0, 2**53)


def sample(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SAMPLES / f"{name}.json").read_text())
    return found


def periods(dataset: Dataset) -> st.SearchStrategy[Period]:
    return st.dates(date(1970, 2, 10), date(2100, 12, 31)).map(dataset.calendar.newest)


def _values(dataset: Dataset) -> st.SearchStrategy[tuple[int | float | None, ...]]:
    means = st.floats(0, 1e6).map(lambda value: int(value) if value == int(value) else value)
    each = [st.none() | (counts if field.integral else means) for field in dataset.fields]
    return st.tuples(*each).filter(lambda values: any(value is not None for value in values))


def _cohort(lists: list[dict[int, int]]) -> tuple[Point, ...]:
    """Return points whose counts do not exceed their cohort's, the largest of the values."""
    sized = [{**values, 0: max(values.values())} if values else {} for values in lists]
    return tuple(
        Point((str(key),), (*(values.get(key) for values in sized), *(values.get(0) for values in sized)))
        for key in sorted({key for values in sized for key in values})
    )


def _distribution(lists: list[dict[int, int]]) -> tuple[Point, ...]:
    opens, visitors, stay, depth = lists
    sources = sorted({*opens, *visitors})
    points = [Point((str(key), "", ""), (opens.get(key), visitors.get(key), None, None)) for key in sources]
    stays = [(STAY_TIMES.get(key, str(key)), stay[key]) for key in sorted(stay)]
    depths = [(DEPTHS.get(key, str(key)), depth[key]) for key in sorted(depth)]
    points += [Point(("", label, ""), (None, None, value, None)) for label, value in stays]
    points += [Point(("", "", label), (None, None, None, value)) for label, value in depths]
    return tuple(points)


def _pages(pages: dict[str, tuple[int | float | None, ...]]) -> tuple[Point, ...]:
    points = [Point((path,), values) for path, values in pages.items()]
    return tuple(sorted(points, key=lambda point: (-(point.values[0] or 0), point.labels)))


lists = st.dictionaries(st.integers(0, 99), counts, max_size=5)
paths = st.text(st.characters(codec="utf-8", exclude_characters="?"), max_size=8)
POINTS: dict[str, st.SearchStrategy[tuple[Point, ...]]] = {
    dataset.name: _values(dataset).map(lambda values: (Point((), values),)) for dataset in CATALOGUE
} | {
    DAILY_RETENTION.name: st.lists(lists, min_size=2, max_size=2).map(_cohort).filter(bool),
    VISIT_DISTRIBUTION.name: st.lists(lists, min_size=4, max_size=4).map(_distribution).filter(bool),
    VISIT_PAGES.name: st.dictionaries(paths, _values(VISIT_PAGES), min_size=1, max_size=5).map(_pages),
}
ROWS = {dataset.name: st.builds(Row, periods(dataset), POINTS[dataset.name]) for dataset in CATALOGUE}


def rows(dataset: Dataset) -> st.SearchStrategy[Row]:
    return ROWS[dataset.name]
