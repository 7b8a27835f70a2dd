"""getDailyRetain 日留存: how many of a day's visitors came back on exactly the k-th day after it.

The body of a cohort (the visitors of one day) has the cohort's size under key 0 and, from the morning of day
k+1 on, the visitors who came back on the k-th day under key k. A key that is not due is absent.
Source: https://developers.weixin.qq.com/miniprogram/dev/OpenApiDoc/data-analysis/visit-retain/getDailyRetain.html
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from operator import attrgetter
from typing import Final

from exporter.beijing import midnight
from exporter.config.datasets import DatasetSettings
from exporter.datasets.body_parsing import MalformedRowError, check_period, one_list
from exporter.datasets.body_shapes import KEY_CAP, key_values, written_items
from exporter.datasets.dataset import Dataset, PeriodTime, Point, Prefix, Row
from exporter.datasets.field import Field
from exporter.datasets.period import DAY, Period
from exporter.datasets.schedule import Schedule

DAYS: Final = (1, 2, 3, 4, 5, 6, 7, 14, 30)
"""The days for which WeChat gives retention."""

_SIZE: Final = 0  # the key of the cohort itself


class CohortBody:
    """`{"ref_date": …, "visit_uv_new": [{"key": k, "value": n}], "visit_uv": […]}`.

    Each point has, for its key, the returning visitors and the size of their cohort.
    """

    def read(self, body: Mapping[str, object], period: Period, dataset: Dataset) -> Row | None:
        """Return the row, with a point for each key; None for a body without keys."""
        names = [field.name for field in dataset.fields[:2]]
        lists = [one_list(body, name) for name in names]
        if all(items is None for items in lists):
            raise MalformedRowError(f"there is neither '{names[0]}' nor '{names[1]}'")
        check_period(body, dataset.calendar, period)
        read = [key_values(items or [], name) for items, name in zip(lists, names, strict=True)]
        for values, name in zip(read, names, strict=True):
            _check_sizes(values, name)
        keys = sorted({key for values in read for key in values})
        points = [
            Point(
                (str(key),), (*(values.get(key) for values in read), *(values.get(_SIZE) for values in read))
            )
            for key in keys
        ]
        kept = tuple(points[: dataset.cap])
        return Row(period, kept, len(points) - len(kept)) if points else None

    def write(self, row: Row, dataset: Dataset) -> Mapping[str, object]:
        """Return the body of a cohort."""
        body: dict[str, object] = {"ref_date": dataset.calendar.written(row.period)}
        for position, field in enumerate(dataset.fields[:2]):
            body[field.name] = written_items(
                [(int(point.labels[0]), point.values[position]) for point in row.points]
            )
        return body


class NewestCohorts:
    """Shows for each day of retention the newest cohort that has it."""

    def backs(self, settings: DatasetSettings) -> Iterable[int]:
        """Return the days: the cohort for day k is k days older than yesterday."""
        return settings.days

    def known(self, row: Row, asked_at: float) -> Row:
        """Return the row without keys whose day was not over: a 0 there would be a wrong number."""
        points = tuple(
            point
            for point in row.points
            if midnight(row.period.last + timedelta(days=int(point.labels[0]) + 1)) <= asked_at
        )
        return Row(row.period, points, row.dropped)

    def held(self, rows: Sequence[Row], settings: DatasetSettings) -> tuple[Row, ...]:
        """Return the rows needed for a shown day, with the points of shown days alone."""
        shown: dict[Period, Sequence[Point]] = {}
        for period, points in self.shown(rows, settings):
            shown[period] = (*shown.get(period, ()), *points)
        return tuple(Row(period, points) for period, points in sorted(shown.items(), reverse=True))

    def shown(
        self, rows: Sequence[Row], settings: DatasetSettings
    ) -> Iterable[tuple[Period, Sequence[Point]]]:
        """Return each day's point, from the newest cohort that has it."""
        found: dict[str, tuple[Period, Sequence[Point]]] = {}
        wanted = {str(day) for day in settings.days}
        for row in rows:
            for point in row.points:
                if point.labels[0] in wanted:
                    found.setdefault(point.labels[0], (row.period, (point,)))
        return [found[key] for key in sorted(found, key=int)]


def _check_sizes(values: Mapping[int, int], name: str) -> None:
    if not values:
        return
    if _SIZE not in values:
        raise MalformedRowError(f"{name} has no key 0, the cohort's own size")
    for key, value in values.items():
        if value > values[_SIZE]:
            raise MalformedRowError(
                f"{name} has {value} under key {key}, more than the cohort's {values[_SIZE]}"
            )


DAILY_RETENTION: Final = Dataset(
    name="daily_retention",
    interface="getDailyRetain",
    chinese="日留存",
    path="/datacube/getweanalysisappiddailyretaininfo",
    calendar=DAY,
    shape=CohortBody(),
    selection=NewestCohorts(),
    schedule=Schedule(day_rounds=2, early_rounds=12, keyed=True),
    fields=(
        Field(
            "visit_uv_new",
            "新增留存",
            "New visitors back",
            "of those who came for the first time on ref_date, how many came again on exactly the n-th day "
            "after it (label day)",
            metric="retain_visit_uv_new",
            not_over="days or dates",
        ),
        Field(
            "visit_uv",
            "活跃留存",
            "Visitors back",
            "of the visitors of ref_date, how many came again on exactly the n-th day after it (label day)",
            metric="retain_visit_uv",
            not_over="days or dates",
        ),
        Field(
            "cohort_visit_uv_new",
            "新增留存的新用户数",
            "New visitors of the cohort",
            "those who came for the first time on ref_date: what to divide retain_visit_uv_new by",
            metric="retain_cohort_visit_uv_new",
            not_over="days or dates",
        ),
        Field(
            "cohort_visit_uv",
            "活跃留存的访问人数",
            "Visitors of the cohort",
            "the visitors of ref_date: what to divide retain_visit_uv by",
            metric="retain_cohort_visit_uv",
            not_over="days or dates",
        ),
    ),
    newest=Prefix("daily", "Newest cohort that has this day"),
    labels=("day",),
    moments=(
        PeriodTime(
            "retain_ref_date_timestamp_seconds",
            "ref_date 日期: 00:00 Asia/Shanghai of the day of the cohort's visits, Unix time.",
            attrgetter("start"),
        ),
    ),
    cap=KEY_CAP,
)
