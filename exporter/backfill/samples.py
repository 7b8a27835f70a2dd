"""Sample lines of past dates, streamed from the journal family by family.

promtool needs the samples of a series oldest first: it silently drops one that comes too late within its
block (promtool 2.42). OpenMetrics wants each family, and each series within it, in one piece.
Source: OpenMetrics 1.0; Prometheus' page on storage, "Backfilling from OpenMetrics format".
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Final

from exporter.backfill.journal import Journal
from exporter.backfill.periods import Span, shown_from
from exporter.config.apps import App
from exporter.config.datasets import DatasetSettings
from exporter.datasets.catalogue import BY_NAME
from exporter.datasets.daily_trend import DAILY_TREND
from exporter.datasets.dataset import Dataset, Point, Row
from exporter.datasets.metrics import DATED_LABEL, Metric, dated_metrics, newest_metrics
from exporter.datasets.period import Period
from exporter.exposition.family import NAMESPACE, Family, escape, headers

HEAD_SECONDS: Final = 3 * 3600
"""Age below which no sample should go into a block: when Prometheus restarts, it forgets all samples in
memory, of any series, from before the end of the newest block (observed with 2.42)."""
_GRID_SECONDS: Final = 600
"""Dashboards evaluate the past every ten minutes: they would miss a lone sample in between."""
_DAILY_TREND: Final = DatasetSettings(DAILY_TREND.name)


def newest_moment(now: float) -> int:
    """Return the Unix time after which a backfill at `now` stamps no sample."""
    return (int(now) - HEAD_SECONDS) // _GRID_SECONDS * _GRID_SECONDS


@dataclass(frozen=True, slots=True)
class SampleShape:
    """The form of the samples.

    `labels` are the target labels that a scrape would add; `step` is the seconds between samples of the
    newest family, None to leave it out; no sample is later than `until` (Unix time). `settings` select
    the dataset's figures.
    """

    labels: Mapping[str, str]
    step: int | None
    until: int
    settings: DatasetSettings = _DAILY_TREND

    @property
    def dataset(self) -> Dataset:
        """Return the dataset of the samples."""
        return BY_NAME[self.settings.name]

    @property
    def newest(self) -> tuple[Metric, ...]:
        """Return the newest family: a sample per step or, without a dated family, per period."""
        newest, dated = _metrics(self.settings.name)
        return newest if self.step or not dated else ()

    @property
    def dated(self) -> tuple[Metric, ...]:
        """Return the families that have a series for each period."""
        return _metrics(self.settings.name)[1]

    def identity(self, app: App) -> str:
        """Return the labels that all samples of an app share, without braces."""
        pairs = {"appid": app.appid, "name": app.name, **self.labels}
        return ",".join(f'{name}="{escape(value)}"' for name, value in pairs.items())

    def points(self, row: Row) -> Iterator[tuple[Period, Point]]:
        """Yield the points of a row that the settings select."""
        for period, points in self.dataset.selection.shown([row], self.settings):
            for point in points:
                yield period, point

    def stamp(self, period: Period, point: Point) -> int:
        """Return the Unix time of the sample of a period."""
        return min(shown_from(self._last(period, point)), self.until)

    def replayed(self, period: Period, point: Point) -> range:
        """Return the Unix times at which the newest family showed a period, up to `until`."""
        if not self.step:
            stamp = self.stamp(period, point)
            return range(stamp, stamp + 1)
        begin = shown_from(self._last(period, point))
        end = shown_from(self._last(self.dataset.calendar.earlier(period, -1), point))
        return range(begin, min(end, self.until + 1), self.step)

    def _last(self, period: Period, point: Point) -> date:
        """Return the day that had to pass before the point was known; for a cohort, that of its key."""
        return period.last + timedelta(days=int(point.labels[0]) if self.dataset.schedule.keyed else 0)


def openmetrics(journal: Journal, apps: Iterable[App], span: Span, shape: SampleShape) -> Iterator[str]:
    """Yield a whole OpenMetrics text in pieces of several lines."""
    apps = tuple(apps)
    for metric in (*shape.newest, *shape.dated):
        yield headers(Family(metric.name, metric.help, metric.unit), openmetrics=True).decode()
        for app in apps:
            yield from _series(journal.rows(app.appid, span), shape.identity(app), shape, metric)
    yield "# EOF\n"


def prometheus(journal: Journal, apps: Iterable[App], span: Span, shape: SampleShape) -> Iterator[str]:
    """Yield the lines that VictoriaMetrics imports (milliseconds, no headers), row by row."""
    for app in apps:
        for row in journal.rows(app.appid, span):
            yield row_lines(app, row, shape)


def row_lines(app: App, row: Row, shape: SampleShape) -> str:
    """Return all samples of a row in the text format."""
    identity = shape.identity(app)
    return "".join(
        f"{series} {value} {at}000\n"
        for metric in (*shape.dated, *shape.newest)
        for series, value, stamps in _samples(row, identity, shape, metric)
        for at in stamps
    )


def _series(rows: Iterable[Row], identity: str, shape: SampleShape, metric: Metric) -> Iterator[str]:
    """Yield the lines of an app's family, each series in one piece."""
    found: dict[str, list[str]] = {}
    for row in rows:
        for series, value, stamps in _samples(row, identity, shape, metric):
            lines = "".join(f"{series} {value} {at}\n" for at in stamps)
            if shape.dataset.labels:
                found.setdefault(series, []).append(lines)
            else:
                yield lines
    for pieces in found.values():
        yield "".join(pieces)


def _samples(
    row: Row, identity: str, shape: SampleShape, metric: Metric
) -> Iterator[tuple[str, object, Iterable[int]]]:
    """Yield a row's samples of one family: series, value, and the Unix times of that value."""
    dataset = shape.dataset
    dated = DATED_LABEL in metric.labels
    for period, point in shape.points(row):
        value = _value(dataset, metric, period, point)
        if value is None:
            continue
        labels = [pair for pair in zip(dataset.labels, point.labels, strict=True) if pair[1]]
        if dated:
            labels.append((DATED_LABEL, f"{period.first}"))
        own = "".join(f',{name}="{escape(text)}"' for name, text in labels)
        stamps = (shape.stamp(period, point),) if dated else shape.replayed(period, point)
        yield f"{NAMESPACE}_{metric.name}{{{identity}{own}}}", value, stamps


def _value(dataset: Dataset, metric: Metric, period: Period, point: Point) -> int | float | None:
    if metric.field is not None:
        return point.values[metric.field]
    return None if metric.moment is None else dataset.moments[metric.moment].of(period)


@cache
def _metrics(name: str) -> tuple[tuple[Metric, ...], tuple[Metric, ...]]:
    return newest_metrics(BY_NAME[name]), dated_metrics(BY_NAME[name])
