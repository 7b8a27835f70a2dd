"""The body that WeChat answers with, for any of its tables."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Final

from exporter.datasets.dataset import Dataset, Row
from exporter.datasets.period import Period
from exporter.simulator.accounts import SimApp
from exporter.simulator.tables.distribution import distribution
from exporter.simulator.tables.pages import pages
from exporter.simulator.tables.retention import cohort
from exporter.simulator.tables.summary import summary
from exporter.simulator.tables.trends import trend

_RETENTION: Final = "daily_retention"
_ROWS: Final[Mapping[str, Callable[[SimApp, Period, Dataset], Row]]] = MappingProxyType(
    {
        "daily_trend": trend,
        "weekly_trend": trend,
        "monthly_trend": trend,
        "daily_summary": summary,
        "visit_distribution": distribution,
        "visit_pages": pages,
    }
)


def body(
    app: SimApp, dataset: Dataset, period: Period, published: Callable[[Period], bool]
) -> dict[str, object]:
    """The successful body, in the HTTPS spelling.

    Args:
        app: whose figures.
        dataset: the table.
        period: a period that is over.
        published: whether WeChat has computed a period.
    """
    if dataset.name != _RETENTION:
        return dict(dataset.write(_ROWS[dataset.name](app, period, dataset)))
    calendar = dataset.calendar
    due = [key for key in range(31) if published(calendar.starting(period.first + timedelta(days=key)))]
    return dict(dataset.write(cohort(app, period, dataset, due.__contains__)))
