"""The metric families of the datasets beside the daily trend, and their sample lines."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from exporter.datasets.dataset import Dataset, Point
from exporter.datasets.enabled import EnabledDataset
from exporter.datasets.metrics import DATED_LABEL, Metric, dated_metrics, newest_metrics
from exporter.datasets.period import Period
from exporter.datasets.quota import QUOTA, QUOTA_FIELDS, QUOTA_LABELS
from exporter.datasets.visit_distribution import SOURCES, VISIT_DISTRIBUTION
from exporter.exposition.family import Family, escape, samples
from exporter.store.entry import Entry

ACCESS_SOURCE_INFO: Final = Family(
    "access_source_info", "The names of the sources that opens are counted by (label source); always 1."
)
_Line = tuple[str, Period, Point]  # written labels of app and period, and the period's points


def families_of_metrics(metrics: Iterable[Metric]) -> tuple[Family, ...]:
    """Return the families of a dataset's metrics."""
    return tuple(Family(metric.name, metric.help, metric.unit) for metric in metrics)


@dataclass(frozen=True, slots=True)
class DatasetFamilies:
    """The families of a dataset; `firsts` are the first days of the periods in its by-period families."""

    enabled: EnabledDataset
    firsts: tuple[date, ...] = ()

    @property
    def name(self) -> str:
        """Return the dataset's name."""
        return self.enabled.name

    def families(self) -> tuple[Family, ...]:
        """Return the families, in the order of `render`."""
        families = families_of_metrics(self._metrics)
        return (*families, ACCESS_SOURCE_INFO) if self._names_sources else families

    def render(self, apps: Sequence[tuple[str, Entry]]) -> Iterator[str]:
        """Yield the sample lines of apps, given by written labels and entry, one text per family."""
        dataset = self.enabled.dataset
        rows = [
            (labels, [held.row for held in entry.table(dataset.name).rows])
            for labels, entry in apps
            if entry.app.has(self.name)
        ]
        newest = [
            (labels, period, point)
            for labels, held in rows
            for period, points in dataset.selection.shown(held, self.enabled.settings)
            for point in points
        ]
        stamps = {first: f',{DATED_LABEL}="{first.isoformat()}"' for first in self.firsts}
        dated = [
            (labels + stamps[row.period.first], row.period, point)
            for labels, held in rows
            for row in held
            if row.period.first in stamps
            for point in row.points
        ]
        for metric in self._metrics:
            yield _lines(dataset, metric, dated if DATED_LABEL in metric.labels else newest)
        if self._names_sources:
            yield ""

    @property
    def _names_sources(self) -> bool:
        return self.enabled.dataset is VISIT_DISTRIBUTION

    @property
    def _metrics(self) -> tuple[Metric, ...]:
        dataset = self.enabled.dataset
        return (*newest_metrics(dataset), *(dated_metrics(dataset) if self.firsts else ()))


@dataclass(frozen=True, slots=True)
class QuotaFamilies:
    """The families of the quotas of all interfaces in use.

    `since`: the Unix time at which WeChat's counts of today began; older counts are hidden.
    """

    since: float
    name: str = QUOTA

    def families(self) -> tuple[Family, ...]:
        """Return the families, in the order of `render`."""
        return tuple(
            Family(field.metric, f"WeChat's own count, {field.help}", field.unit) for field in QUOTA_FIELDS
        )

    def render(self, apps: Sequence[tuple[str, Entry]]) -> Iterator[str]:
        """Yield the sample lines of apps, one text per family."""
        held = [
            (f'{labels},{QUOTA_LABELS[0]}="{escape(path)}"', quota.figures)
            for labels, entry in apps
            if entry.app.has(self.name)
            for path, quota in entry.quotas.items()
            if quota.asked_at >= self.since
        ]
        for position, family in enumerate(self.families()):
            yield samples(family, [(labels, figures[position]) for labels, figures in held])


def source_lines() -> str:
    """Return the lines of ACCESS_SOURCE_INFO, which belong to no app."""
    names = [
        (f'source="{each.key}",name_zh="{escape(each.name_zh)}",name_en="{escape(each.name_en)}"', 1)
        for each in SOURCES
    ]
    return samples(ACCESS_SOURCE_INFO, names)


def _lines(dataset: Dataset, metric: Metric, points: Sequence[_Line]) -> str:
    family = Family(metric.name, metric.help)
    places = [(label, dataset.labels.index(label)) for label in metric.labels if label != DATED_LABEL]
    if places:
        points = [(labels + _own(point, places), period, point) for labels, period, point in points]
    if metric.moment is not None:
        of = dataset.moments[metric.moment].of
        periods = {period.first: period for _, period, _ in points}
        times = {first: of(period) for first, period in periods.items()}
        return samples(family, [(labels, times[period.first]) for labels, period, _ in points])
    return samples(family, [(labels, point.values[metric.field or 0]) for labels, _, point in points])


def _own(point: Point, places: Sequence[tuple[str, int]]) -> str:
    return "".join([f',{label}="{escape(point.labels[at])}"' for label, at in places if point.labels[at]])
