"""The families of the datasets beside the daily trend, and how an app's rows become their sample lines."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from exporter.config.settings import App
from exporter.datasets.access_sources import SOURCES
from exporter.datasets.dataset import Dataset, Point
from exporter.datasets.enabled import Enabled
from exporter.datasets.metrics import DATED_LABEL, Metric, dated_metrics, newest_metrics
from exporter.datasets.period import Period
from exporter.datasets.visit_distribution import VISIT_DISTRIBUTION
from exporter.exposition.family import Family, escape
from exporter.store.entry import Entry

ACCESS_SOURCE_INFO: Final = Family(
    "access_source_info", "The names of the sources that opens are counted by (label source); always 1."
)
_Line = tuple[str, Period, Point]  # labels of app and period as written, and what they are of


@dataclass(frozen=True, slots=True)
class ShownTable:
    """A dataset on show; `firsts` are the periods of its by-period families, none where it has no such."""

    enabled: Enabled
    firsts: tuple[date, ...] = ()

    @property
    def name(self) -> str:
        """The dataset's name."""
        return self.enabled.name

    def belongs_to(self, app: App) -> bool:
        """Whether the app has it."""
        return self.enabled.belongs_to(app)

    def families(self) -> tuple[Family, ...]:
        """The families, in the order in which `render` gives their lines."""
        families = tuple(Family(metric.name, metric.help, metric.unit) for metric in _metrics(self))
        return (*families, ACCESS_SOURCE_INFO) if _names_sources(self) else families

    def render(self, apps: Sequence[tuple[str, Entry]]) -> Iterator[str]:
        """The sample lines of these apps (their labels as written, and their entries), a text per family."""
        return _rendered(self, apps)


def _rendered(shown: ShownTable, apps: Sequence[tuple[str, Entry]]) -> Iterator[str]:
    dataset, settings = shown.enabled.dataset, shown.enabled.settings
    rows = [
        (labels, [held.row for held in entry.table(dataset.name).rows])
        for labels, entry in apps
        if shown.enabled.belongs_to(entry.app)
    ]
    newest = [
        (labels, period, point)
        for labels, held in rows
        for period, points in dataset.selection.shown(held, settings)
        for point in points
    ]
    stamps = {first: f',{DATED_LABEL}="{first.isoformat()}"' for first in shown.firsts}
    dated = [
        (labels + stamps[row.period.first], row.period, point)
        for labels, held in rows
        for row in held
        if row.period.first in stamps
        for point in row.points
    ]
    for metric in _metrics(shown):
        yield _lines(dataset, metric, dated if DATED_LABEL in metric.labels else newest)
    if _names_sources(shown):
        yield ""


def source_lines() -> str:
    """The lines of ACCESS_SOURCE_INFO, which no app has."""
    return "".join(
        f'{ACCESS_SOURCE_INFO.metric}{{source="{each.key}",name_zh="{escape(each.name_zh)}",'
        f'name_en="{escape(each.name_en)}"}} 1\n'
        for each in SOURCES
    )


def _names_sources(shown: ShownTable) -> bool:
    return shown.enabled.dataset is VISIT_DISTRIBUTION


def _metrics(shown: ShownTable) -> tuple[Metric, ...]:
    dataset = shown.enabled.dataset
    return (*newest_metrics(dataset), *(dated_metrics(dataset) if shown.firsts else ()))


def _lines(dataset: Dataset, metric: Metric, points: Sequence[_Line]) -> str:
    start = f"{Family(metric.name, metric.help).metric}{{"
    places = [(label, dataset.labels.index(label)) for label in metric.labels if label != DATED_LABEL]
    if places:
        points = [(labels + _own(point, places), period, point) for labels, period, point in points]
    if metric.moment is not None:
        of = dataset.moments[metric.moment].of
        periods = {period.first: period for _, period, _ in points}
        times = {first: of(period) for first, period in periods.items()}
        return "".join([f"{start}{labels}}} {times[period.first]}\n" for labels, period, _ in points])
    at = metric.field or 0
    return "".join(
        [
            f"{start}{labels}}} {value}\n"
            for labels, _, point in points
            if (value := point.values[at]) is not None
        ]
    )


def _own(point: Point, places: Sequence[tuple[str, int]]) -> str:
    return "".join([f',{label}="{escape(point.labels[at])}"' for label, at in places if point.labels[at]])
