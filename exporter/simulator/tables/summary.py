"""The summary of a day: all users so far, and shares as the pages have them."""

from datetime import date
from typing import Final

from exporter.datasets.dataset import Dataset, Point, Row
from exporter.datasets.period import Period
from exporter.simulator.accounts import SimApp
from exporter.simulator.data import counts, draws
from exporter.simulator.tables.pages import shares_of

_BEGINNING: Final = date(2016, 9, 1)  # no mini program is older


def summary(app: SimApp, period: Period, _dataset: Dataset) -> Row:
    """Users grow by about an ordinary day's newcomers; at most half of the shares are by one person."""
    age = max(0, (period.first - _BEGINNING).days)
    total = int(age * app.size * (0.05 + 0.2 * draws(app.appid)[7]))
    day = counts(app.appid, period.first, app.size)
    shares = shares_of(app, period)
    return Row(period, (Point((), (max(day.visitors, total), shares, min(day.visitors, (shares + 1) // 2))),))
