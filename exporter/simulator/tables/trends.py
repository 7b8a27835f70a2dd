"""The visit figures of days, weeks and months: counts add up, each visitor is counted once."""

from datetime import timedelta

from exporter.datasets.dataset import Dataset, Point, Row
from exporter.datasets.period import Period
from exporter.simulator.accounts import SimApp
from exporter.simulator.data import Counts, counts, draws


def trend(app: SimApp, period: Period, dataset: Dataset) -> Row:
    """The row of a period; figures that WeChat leaves out for this app are None."""
    figures = _counts(app, period).figures
    values = tuple(None if field.name in app.left_out else figures[field.name] for field in dataset.fields)
    return Row(period, (Point((), values),))


def _counts(app: SimApp, period: Period) -> Counts:
    """The counts of a period: visitors are between the busiest day's and the sum of all days'."""
    length = (period.last - period.first).days + 1
    days = [counts(app.appid, period.first + timedelta(days=day), app.size) for day in range(length)]
    busiest, together = max(day.visitors for day in days), sum(day.visitors for day in days)
    newcomers = sum(day.newcomers for day in days)
    strangers = 0.2 + 0.4 * draws(f"{app.appid} strangers")[0]  # how many of a day come on no other
    return Counts(
        visitors=max(newcomers, busiest + int((together - busiest) * strangers)),
        newcomers=newcomers,
        sessions=sum(day.sessions for day in days),
        distinct_pages=sum(day.distinct_pages for day in days),
        views=sum(day.views for day in days),
        stay_seconds=sum(day.stay_seconds for day in days),
    )
