"""getVisitPage 访问页面: a day's views, visitors, stay, entries, exits and shares of each page.

WeChat gives at most the 200 pages with the most views, by path and without any query.
Source: https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/data-analysis/others/getVisitPage.html
"""

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from typing import Final

from exporter.config.settings import DatasetSettings
from exporter.datasets.dataset import Dataset, Point, Prefix, Row
from exporter.datasets.field import Field
from exporter.datasets.items import Items
from exporter.datasets.period import DAY, Period
from exporter.datasets.schedule import Schedule
from exporter.datasets.selection import NewestRow

OTHER: Final = "(other)"
"""The page path of all pages that are not shown themselves."""

_PAGE_CAP: Final = 200
_NAMELESS: Final = ("", OTHER)


class TopPages(NewestRow):
    """Shows the pages with the most views and those that are always shown; the others as one."""

    def shown(
        self, rows: Sequence[Row], settings: DatasetSettings
    ) -> Iterable[tuple[Period, tuple[Point, ...]]]:
        """The points of the newest row, those that are not shown themselves added up under OTHER.

        Only figures that add up have a sum, and only where every page that is in it has the figure.
        """
        for row in rows[:1]:
            named = [point for point in row.points if point.labels[0] not in _NAMELESS]
            shown = tuple(
                point
                for place, point in enumerate(named)
                if place < settings.top or any(fnmatchcase(point.labels[0], each) for each in settings.allow)
            )
            kept = set(shown)
            rest = [point for point in row.points if point not in kept]
            yield row.period, (*shown, _sum(rest)) if rest else shown


def _sum(points: Sequence[Point]) -> Point:
    columns = zip(FIELDS, zip(*(point.values for point in points), strict=True), strict=True)
    return Point((OTHER,), tuple(_total(values) if field.additive else None for field, values in columns))


def _total(values: Sequence[int | float | None]) -> int | float | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def _count(name: str, metric: str, chinese: str, english: str, meaning: str, not_over: str = "") -> Field:
    return Field(
        name=name,
        metric=metric,
        unit="",
        integral=True,
        chinese=chinese,
        english=english,
        meaning=meaning,
        not_over=not_over,
    )


_PEOPLE: Final = "pages, dates or apps"
FIELDS: Final = (
    _count("page_visit_pv", "page_visit_pv", "访问次数", "Page views", "views of this page that day"),
    _count(
        "page_visit_uv",
        "page_visit_uv",
        "访问人数",
        "Visitors",
        "distinct visitors of this page that day",
        _PEOPLE,
    ),
    Field(
        name="page_staytime_pv",
        metric="page_staytime_pv_seconds",
        unit="seconds",
        integral=False,
        chinese="次均停留时长",
        english="Stay per view",
        meaning="mean stay per view of this page that day, in seconds",
        not_over=_PEOPLE,
    ),
    _count("entrypage_pv", "page_entrypage_pv", "进入页次数", "Entries", "visits that began with this page"),
    _count("exitpage_pv", "page_exitpage_pv", "退出页次数", "Exits", "visits that ended with this page"),
    _count("page_share_pv", "page_share_pv", "转发次数", "Shares", "times this page was shared that day"),
    _count(
        "page_share_uv",
        "page_share_uv",
        "转发人数",
        "Sharers",
        "distinct visitors who shared this page that day",
        _PEOPLE,
    ),
)
VISIT_PAGES: Final = Dataset(
    name="visit_pages",
    interface="getVisitPage",
    chinese="访问页面",
    path="/datacube/getweanalysisappidvisitpage",
    calendar=DAY,
    shape=Items(key="page_path", order="page_visit_pv"),
    selection=TopPages(),
    schedule=Schedule(settle_hours=15),
    fields=FIELDS,
    newest=Prefix("daily", "Newest pages held"),
    labels=("page_path",),
    cap=_PAGE_CAP,
)
