"""The bodies of all WeChat's tables for an app, with consistent figures that never change."""

from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import date, timedelta
from types import MappingProxyType
from typing import Final

from exporter.datasets.daily_retention import DAYS
from exporter.datasets.dataset import Dataset, Point, Row
from exporter.datasets.period import Period
from exporter.datasets.visit_distribution import DEPTHS, STAY_TIMES
from exporter.simulator.daily_figures import VisitCounts, counts, draws, split
from exporter.simulator.fleet import SimApp

_BEGINNING: Final = date(2016, 9, 1)  # WeChat's first mini programs
_SOURCES: Final = (1, 2, 3, 4, 7, 10, 16, 18, 22, 23, 27, 29, 36, 46, 62, 99)  # the last two are undocumented
_STAYS: Final = (9, 11, 13, 18, 14, 12, 10, 7)
_DEPTHS: Final = (40, 25, 14, 8, 5, 6, 2)
_USUAL = ("pages/index/index", "pages/list/list", "pages/detail/detail", "pages/me/me", "pages/pay/done")
_FEW, _MANY = 30, 240  # more than the 200 that WeChat shows
_MANY_PAGES_SHARE = 0.1


def _trend(app: SimApp, period: Period, dataset: Dataset) -> Row:
    """Return the row of a period, with None for figures that WeChat omits for the app."""
    figures = _counts(app, period).figures
    values = tuple(None if field.name in app.left_out else figures[field.name] for field in dataset.fields)
    return Row(period, (Point((), values),))


def _counts(app: SimApp, period: Period) -> VisitCounts:
    """Return the counts of a period; its visitors are between the busiest day's and the sum of all days'."""
    length = (period.last - period.first).days + 1
    days = [counts(app.appid, period.first + timedelta(days=day), app.size) for day in range(length)]
    busiest, together = max(day.visitors for day in days), sum(day.visitors for day in days)
    newcomers = sum(day.newcomers for day in days)
    strangers = 0.2 + 0.4 * draws(f"{app.appid} strangers")[0]  # share of visitors of a single day
    return VisitCounts(
        visitors=max(newcomers, busiest + int((together - busiest) * strangers)),
        newcomers=newcomers,
        sessions=sum(day.sessions for day in days),
        distinct_pages=sum(day.distinct_pages for day in days),
        views=sum(day.views for day in days),
        stay_seconds=sum(day.stay_seconds for day in days),
    )


def _summary(app: SimApp, period: Period, _dataset: Dataset) -> Row:
    """Return the summary: users grow by newcomers, and people share once or several times."""
    age = max(0, (period.first - _BEGINNING).days)
    total = int(age * app.size * (0.05 + 0.2 * draws(app.appid)[7]))
    day = counts(app.appid, period.first, app.size)
    shares = _shares(app, period)
    return Row(period, (Point((), (max(day.visitors, total), shares, min(day.visitors, (shares + 1) // 2))),))


def _pages(app: SimApp, period: Period, dataset: Dataset) -> Row:
    """Return the pages with the most views, as many as WeChat shows, without those that have none."""
    day = counts(app.appid, period.first, app.size)
    paths = _paths(app.appid)
    weights = [(0.5 + draws(f"{app.appid} {path}")[0]) / (place + 1) for place, path in enumerate(paths)]
    views = split(day.views, weights)
    entries = split(day.sessions, [weight * weight for weight in weights])
    exits = split(int(day.sessions * 0.8), weights)  # WeChat records fewer exits than entries
    stays = split(day.stay_seconds, views)
    shares = split(_shares(app, period), weights)
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


def _shares(app: SimApp, period: Period) -> int:
    """Return the number of shares on a day."""
    return int(counts(app.appid, period.first, app.size).views * 0.01 * draws(f"{app.appid} shares")[0])


def _paths(appid: str) -> tuple[str, ...]:
    chance, how_many = draws(f"{appid} pages")[:2]
    more = _MANY if chance < _MANY_PAGES_SHARE else int(_FEW * how_many)
    return (*_USUAL, *(f"packages/{number // 20}/pages/p{number:03d}/index" for number in range(more)))


def _distribution(app: SimApp, period: Period, _dataset: Dataset) -> Row:
    """Return the distribution of opens, without keys that have none."""
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


def _cohort(app: SimApp, period: Period, due: Collection[int]) -> Iterator[Point]:
    """Yield the points of the keys that are due, of which key 0 agrees with the daily trend."""
    day = counts(app.appid, period.first, app.size)
    loyal, newly = draws(f"{app.appid} retention")[:2]
    for key in (0, *DAYS):
        if key not in due:
            return
        noise = draws(f"{app.appid} {period.first.isoformat()} {key}")
        fading = 1 / (1 + key) ** 0.35 * (0.95 + 0.05 * noise[0]) if key else 1.0
        back = int(day.visitors * fading * (0.2 + 0.5 * loyal)) if key else day.visitors
        new_back = int(day.newcomers * fading * (0.1 + 0.3 * newly)) if key else day.newcomers
        yield Point((str(key),), (new_back, back, day.newcomers, day.visitors))


_RETENTION: Final = "daily_retention"
_ROWS: Final[Mapping[str, Callable[[SimApp, Period, Dataset], Row]]] = MappingProxyType(
    {
        "daily_trend": _trend,
        "weekly_trend": _trend,
        "monthly_trend": _trend,
        "daily_summary": _summary,
        "visit_distribution": _distribution,
        "visit_pages": _pages,
    }
)


def body(
    app: SimApp, dataset: Dataset, period: Period, published: Callable[[Period], bool]
) -> dict[str, object]:
    """Return the successful body for a period that is over, in the HTTPS spelling.

    `published` returns whether WeChat has computed a period.
    """
    if dataset.name == _RETENTION:
        days = {key: dataset.calendar.starting(period.first + timedelta(days=key)) for key in range(31)}
        due = [key for key, day in days.items() if published(day)]
        return dict(dataset.write(Row(period, tuple(_cohort(app, period, due)))))
    return dict(dataset.write(_ROWS[dataset.name](app, period, dataset)))
