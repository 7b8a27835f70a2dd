"""The pages of a day: their views are the day's page views, their shares the day's shares."""

from exporter.datasets.dataset import Dataset, Point, Row
from exporter.datasets.period import Period
from exporter.simulator.accounts import SimApp
from exporter.simulator.data import counts, draws, split

_USUAL = ("pages/index/index", "pages/list/list", "pages/detail/detail", "pages/me/me", "pages/pay/done")
_FEW, _MANY = 30, 240  # WeChat shows 200 at most, so that some apps have more than it shows
_MANY_PAGES_SHARE = 0.1


def pages(app: SimApp, period: Period, dataset: Dataset) -> Row:
    """The pages with the most views, as many as WeChat shows; those without a view are not there."""
    day = counts(app.appid, period.first, app.size)
    paths = _paths(app.appid)
    weights = [(0.5 + draws(f"{app.appid} {path}")[0]) / (place + 1) for place, path in enumerate(paths)]
    views = split(day.views, weights)
    entries = split(day.sessions, [weight * weight for weight in weights])
    exits = split(int(day.sessions * 0.8), weights)  # exits are recorded less often
    stays = split(day.stay_seconds, views)
    shares = split(shares_of(app, period), weights)
    points = []
    for place, path in enumerate(paths):
        viewed = views[place]
        if not viewed:
            continue
        visitors = min(day.visitors, max(1, int(viewed * 0.6)))
        sharers = min(shares[place], visitors)
        stay = round(stays[place] / viewed, 6)
        points.append(
            Point(
                (path,),
                (
                    viewed,
                    visitors,
                    int(stay) if stay == int(stay) else stay,
                    min(entries[place], viewed),
                    min(exits[place], viewed),
                    shares[place],
                    sharers,
                ),
            )
        )
    points.sort(key=lambda point: (-(point.values[0] or 0), point.labels))
    return Row(period, tuple(points[: dataset.cap]))


def shares_of(app: SimApp, period: Period) -> int:
    """How often the app was shared on a day."""
    return int(counts(app.appid, period.first, app.size).views * 0.01 * draws(f"{app.appid} shares")[0])


def _paths(appid: str) -> tuple[str, ...]:
    chance, how_many = draws(f"{appid} pages")[:2]
    more = _MANY if chance < _MANY_PAGES_SHARE else int(_FEW * how_many)
    return (*_USUAL, *(f"packages/{number // 20}/pages/p{number:03d}/index" for number in range(more)))
