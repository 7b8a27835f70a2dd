"""Retention: the visitors of a day, and those of them who came back on a later one."""

from collections.abc import Callable, Iterator

from exporter.datasets.daily_retention import DAYS
from exporter.datasets.dataset import Dataset, Point, Row
from exporter.datasets.period import Period
from exporter.simulator.accounts import SimApp
from exporter.simulator.data import counts, draws


def cohort(app: SimApp, period: Period, _dataset: Dataset, due: Callable[[int], bool]) -> Row:
    """The cohort with the keys that are due; its key 0 is the daily trend's.

    Args:
        app: whose visitors.
        period: the day of the cohort.
        due: whether WeChat has computed the day so many days after it.
    """
    return Row(period, tuple(_points(app, period, due)))


def _points(app: SimApp, period: Period, due: Callable[[int], bool]) -> Iterator[Point]:
    day = counts(app.appid, period.first, app.size)
    loyal, newly = draws(f"{app.appid} retention")[:2]
    for key in (0, *DAYS):
        if not due(key):
            return
        noise = draws(f"{app.appid} {period.first.isoformat()} {key}")
        fading = 1 / (1 + key) ** 0.35 * (0.95 + 0.05 * noise[0]) if key else 1.0
        back = int(day.visitors * fading * (0.2 + 0.5 * loyal)) if key else day.visitors
        new_back = int(day.newcomers * fading * (0.1 + 0.3 * newly)) if key else day.newcomers
        yield Point((str(key),), (new_back, back, day.newcomers, day.visitors))
