"""getVisitPage 访问页面: a day's views, visitors, stay, entries, exits and shares by page.

WeChat gives at most the 200 pages with the most views, by path without query.
Source: https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/data-analysis/others/getVisitPage.html
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from exporter.config.datasets import MOST_PAGES, DatasetSettings
from exporter.datasets.body_parsing import (
    MalformedRowError,
    check_period,
    figures,
    one_object,
    required_list,
    shown,
    spelled,
    written_figures,
)
from exporter.datasets.body_shapes import NO_FIGURES
from exporter.datasets.dataset import Dataset, NewestRow, Point, Prefix, Row
from exporter.datasets.field import Field, camel
from exporter.datasets.packed_points import packed
from exporter.datasets.period import DAY, Period
from exporter.datasets.schedule import Schedule

OTHER: Final = "(other)"
"""The label value for all pages without series of their own."""

_LONGEST: Final = 1024  # characters of a path
_NAMELESS: Final = ("", OTHER)


@dataclass(frozen=True, slots=True)
class ItemListBody:
    """`{"ref_date": …, "list": [{"page_path": …, figures}]}`.

    `key` is the name of the item's key for the label; items are sorted by the figure `order`, largest first.
    """

    key: str
    order: str

    def read(self, body: Mapping[str, object], period: Period, dataset: Dataset) -> Row | None:
        """Return the row, with a point for each item, in order; None for an empty list."""
        check_period(body, dataset.calendar, period)
        points: dict[str, Point] = {}
        for position, found in enumerate(required_list(body, "list")):
            item = one_object(found, f"list[{position}]")
            name = self._name(item, f"list[{position}]")
            if name in points:
                raise MalformedRowError(f"{self.key} {shown(name)} is there twice")
            points[name] = Point((name,), figures(item, dataset.fields))
        if not points:
            return None
        if all(value is None for point in points.values() for value in point.values):
            raise MalformedRowError(NO_FIGURES)
        column = [field.name for field in dataset.fields].index(self.order)
        ordered = sorted(points.values(), key=lambda point: (-(point.values[column] or 0), point.labels))
        return Row(period, packed(ordered[: dataset.cap]), max(0, len(ordered) - dataset.cap))

    def write(self, row: Row, dataset: Dataset) -> Mapping[str, object]:
        """Return the body of a row, without figures that are None."""
        items = [
            {self.key: point.labels[0], **written_figures(dataset.fields, point.values)}
            for point in row.points
        ]
        return {"ref_date": dataset.calendar.written(row.period), "list": items}

    def _name(self, item: Mapping[str, object], path: str) -> str:
        """Return the item's name, without a query, though WeChat documents that there is none."""
        found = spelled(item, self.key)
        if not found:
            raise MalformedRowError(f"{path} has no {self.key}")
        name = found[0]
        if not isinstance(name, str) or len(name) > _LONGEST:
            raise MalformedRowError(f"{path}.{self.key} is {shown(name)}, not a path")
        if any(each != name for each in found):
            raise MalformedRowError(f"{path}: {self.key} and {camel(self.key)} differ")
        try:
            name.encode()
        except UnicodeEncodeError:  # half of a surrogate pair, which is not valid UTF-8
            broken = True
        else:
            broken = False
        if broken:
            raise MalformedRowError(f"{path}.{self.key} is no text")
        return name.partition("?")[0]


class TopPages(NewestRow):
    """Shows the pages with the most views and the always shown ones; adds the others up as one."""

    def shown(
        self, rows: Sequence[Row], settings: DatasetSettings
    ) -> Iterable[tuple[Period, Sequence[Point]]]:
        """Yield the points of the newest row, with pages that are not shown added up under OTHER.

        Only additive figures have a sum, and only if every page in it has the figure.
        """
        for row in rows[:1]:
            points = tuple(row.points)
            named = [point for point in points if point.labels[0] not in _NAMELESS]
            shown = tuple(
                point
                for place, point in enumerate(named)
                if place < settings.top or any(fnmatchcase(point.labels[0], each) for each in settings.allow)
            )
            kept = set(shown)
            rest = [point for point in points if point not in kept]
            yield row.period, (*shown, _sum(rest)) if rest else shown


def _sum(points: Sequence[Point]) -> Point:
    columns = zip(FIELDS, zip(*(point.values for point in points), strict=True), strict=True)
    return Point((OTHER,), tuple(_total(values) if field.additive else None for field, values in columns))


def _total(values: Sequence[int | float | None]) -> int | float | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


_PEOPLE: Final = "pages, dates or apps"
FIELDS: Final = (
    Field("page_visit_pv", "访问次数", "Page views", "views of this page that day"),
    Field(
        "page_visit_uv", "访问人数", "Visitors", "distinct visitors of this page that day", not_over=_PEOPLE
    ),
    Field(
        "page_staytime_pv",
        "次均停留时长",
        "Stay per view",
        "mean stay per view of this page that day, in seconds",
        unit="seconds",
        integral=False,
        not_over=_PEOPLE,
    ),
    Field(
        "entrypage_pv",
        "进入页次数",
        "Entries",
        "visits that began with this page",
        metric="page_entrypage_pv",
    ),
    Field(
        "exitpage_pv", "退出页次数", "Exits", "visits that ended with this page", metric="page_exitpage_pv"
    ),
    Field("page_share_pv", "转发次数", "Shares", "times this page was shared that day"),
    Field(
        "page_share_uv",
        "转发人数",
        "Sharers",
        "distinct visitors who shared this page that day",
        not_over=_PEOPLE,
    ),
)
VISIT_PAGES: Final = Dataset(
    name="visit_pages",
    interface="getVisitPage",
    chinese="访问页面",
    path="/datacube/getweanalysisappidvisitpage",
    calendar=DAY,
    shape=ItemListBody(key="page_path", order="page_visit_pv"),
    selection=TopPages(),
    schedule=Schedule(settle_hours=15),
    fields=FIELDS,
    newest=Prefix("daily", "Newest pages held"),
    labels=("page_path",),
    cap=MOST_PAGES,
)
