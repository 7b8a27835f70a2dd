"""The variables of the pages about datasets, taken from the catalogue."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from exporter.datasets.catalogue import CATALOGUE
from exporter.datasets.daily_trend import DAILY_TREND
from exporter.datasets.dataset import Dataset
from exporter.datasets.metrics import Metric, dated_metrics, newest_metrics
from exporter.datasets.quota import QUOTA_FIELDS
from exporter.exposition.family import NAMESPACE


@dataclass(frozen=True, slots=True)
class MetricRow:
    """A figure or a time: its metrics in the newest and in the dated family."""

    metrics: tuple[str, ...]
    labels: tuple[str, ...]
    unit: str
    chinese: str
    meaning: str
    not_over: str


@dataclass(frozen=True, slots=True)
class Section:
    """A dataset on the page."""

    interface: str
    path: str
    rows: tuple[MetricRow, ...]


def context() -> dict[str, Any]:
    """Return the variables of both templates."""
    more = [dataset for dataset in CATALOGUE if dataset is not DAILY_TREND]
    return {"datasets": {each.name: _section(each) for each in more}, "quota": QUOTA_FIELDS}


def _section(dataset: Dataset) -> Section:
    return Section(dataset.interface, dataset.path, tuple(_rows(dataset)))


def _rows(dataset: Dataset) -> Iterator[MetricRow]:
    dated = {(metric.field, metric.moment): metric for metric in dated_metrics(dataset)}
    for metric in newest_metrics(dataset):
        both = [metric, dated[metric.field, metric.moment]] if dated else [metric]
        names = tuple(f"{NAMESPACE}_{each.name}" for each in both)
        labels = tuple(f"`{label}`" for label in metric.labels)
        unit = metric.unit or ("pages" if metric.name.endswith("visit_depth") else "")
        yield MetricRow(names, labels, unit, *_texts(dataset, metric))


def _texts(dataset: Dataset, metric: Metric) -> tuple[str, str, str]:
    """Return the Chinese term, the meaning, and what values must not be added up over."""
    if metric.field is not None:
        field = dataset.fields[metric.field]
        return f"{field.chinese} (`{field.name}`)", field.meaning, field.not_over
    moment = dataset.moments[metric.moment or 0]
    return "日期", moment.meaning.rstrip("."), ""
