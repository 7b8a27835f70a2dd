"""What the pages about datasets are filled with: the tables of the code."""

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
    """One figure or time: the metrics of the newest and of the dated family."""

    metrics: tuple[str, ...]
    labels: tuple[str, ...]
    unit: str
    chinese: str
    meaning: str
    not_over: str


@dataclass(frozen=True, slots=True)
class Section:
    """One dataset of the page."""

    interface: str
    path: str
    rows: tuple[MetricRow, ...]


def context() -> dict[str, Any]:
    """What both templates are filled with."""
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
    """Chinese term, meaning, and what not to add up over."""
    if metric.field is not None:
        field = dataset.fields[metric.field]
        return f"{field.chinese} (`{field.name}`)", field.meaning, field.not_over
    moment = dataset.moments[metric.moment or 0]
    return "日期", moment.meaning.rstrip("."), ""
