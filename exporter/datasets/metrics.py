"""The metrics of a dataset: names, help texts, units and labels, made from its fields."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from exporter.datasets.dataset import Dataset, Prefix

DATED_LABEL: Final = "ref_date"


@dataclass(frozen=True, slots=True)
class Metric:
    """A gauge; `name` lacks the namespace, `labels` lack appid and name.

    `field` is the index of its figure in a point, or `moment` the index of its time in `Dataset.moments`.
    """

    name: str
    help: str
    unit: str
    labels: tuple[str, ...]
    field: int | None = None
    moment: int | None = None


def newest_metrics(dataset: Dataset) -> tuple[Metric, ...]:
    """Return the families that show the newest figures."""
    return tuple(_metrics(dataset, dataset.newest, ()))


def dated_metrics(dataset: Dataset) -> tuple[Metric, ...]:
    """Return the families with a series per period, labelled by its first day; empty if there are none."""
    return () if dataset.dated is None else tuple(_metrics(dataset, dataset.dated, (DATED_LABEL,)))


def _metrics(dataset: Dataset, prefix: Prefix, dated: tuple[str, ...]) -> Iterator[Metric]:
    for position, field in enumerate(dataset.fields):
        labels = (*((field.label,) if field.label else dataset.labels), *dated)
        yield Metric(
            f"{prefix.metric}_{field.metric}",
            f"{prefix.help}, {field.help}",
            field.unit,
            labels,
            field=position,
        )
    for position, moment in enumerate(dataset.moments):
        labels = (*dataset.labels, *dated)
        name, text = f"{prefix.metric}_{moment.metric}", f"{prefix.help}, {moment.meaning}"
        yield Metric(name, text, "seconds", labels, moment=position)
