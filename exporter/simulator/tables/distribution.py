"""The distribution of a day's opens over sources, lengths and depths: each adds up to the opens."""

from typing import Final

from exporter.datasets.dataset import Dataset, Point, Row
from exporter.datasets.period import Period
from exporter.datasets.visit_distribution import DEPTHS, STAY_TIMES
from exporter.simulator.accounts import SimApp
from exporter.simulator.data import counts, draws, split

_SOURCES: Final = (1, 2, 3, 4, 7, 10, 16, 18, 22, 23, 27, 29, 36, 46, 62, 99)  # the last two are in no table
_STAYS: Final = (9, 11, 13, 18, 14, 12, 10, 7)
_DEPTHS: Final = (40, 25, 14, 8, 5, 6, 2)


def distribution(app: SimApp, period: Period, _dataset: Dataset) -> Row:
    """Keys without an open are not there."""
    day = counts(app.appid, period.first, app.size)
    seed = draws(f"{app.appid} sources") + draws(f"{app.appid} more sources")
    weights = [weight * weight / (place + 1) for place, weight in enumerate(seed)]
    opens = split(day.sessions, weights)
    points = [
        Point((str(key), "", ""), (count, min(day.visitors, max(1, int(count * 0.7))), None, None))
        for key, count in zip(_SOURCES, opens, strict=True)
        if count
    ]
    stays = zip(STAY_TIMES.values(), split(day.sessions, _STAYS), strict=True)
    depths = zip(DEPTHS.values(), split(day.sessions, _DEPTHS), strict=True)
    points += [Point(("", name, ""), (None, None, count, None)) for name, count in stays if count]
    points += [Point(("", "", name), (None, None, None, count)) for name, count in depths if count]
    return Row(period, tuple(points))
