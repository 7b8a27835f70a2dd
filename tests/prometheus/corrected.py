"""One app with all datasets that is renamed, moves to another pod or has replicas, and is corrected."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from exporter.beijing import DAY_SECONDS, midnight
from exporter.datasets.daily_trend import FIELDS
from exporter.datasets.visit_distribution import DEPTHS, STAY_TIMES
from exporter.exposition.family import NAMESPACE
from prometheus.expressions import REF_DATE
from tests.prometheus.history import History

DATE: Final = date(2025, 1, 6)
START: Final = midnight(DATE) + DAY_SECONDS + 8 * 3600
NOW: Final = START + 10 * 3600
CORRECTED, BEFORE = 990, 1000
"""Every figure: as WeChat has it now, and as it was."""
_STEP = 4
"""Minutes between scrapes, less than Prometheus' five."""


@dataclass(frozen=True)
class Shown:
    """A series' labels, the minutes in which it is there, and since which one it has the correction."""

    name: str
    instance: str
    since: int = 0
    until: int = 600
    corrected: int = 177
    rounds: int = 50
    """The minute of the hour in which this exporter asks."""

    def figure(self, minute: int) -> int:
        return CORRECTED if minute >= self.corrected else BEFORE

    def success(self, minute: int) -> int:
        return START + 60 * ((minute - self.rounds) // 60 * 60 + self.rounds)


_NEVER = 10_000
CASES: Final = {
    "renamed": (Shown("old", "a", until=120), Shown("new", "a", since=121)),
    "another pod": (Shown("new", "a", until=120), Shown("new", "b", since=119)),
    "another pod and name after a gap": (Shown("old", "a", until=120), Shown("new", "b", since=150)),
    "two replicas": (Shown("new", "a", corrected=_NEVER, rounds=30), Shown("new", "b", corrected=590)),
    "two replicas, renamed one by one": (
        Shown("old", "a", corrected=_NEVER, rounds=30),
        Shown("new", "b", corrected=590),
    ),
}
PLAIN: Final = (Shown("new", "b", corrected=0),)
"""What all of them come to: one exporter that has had the present name and figures all the time."""

_TRENDS = [field.metric for field in FIELDS]
_SUMMARY = ["visit_total_users", "share_pv", "share_uv"]
_RETAINED = [f"retain_{cohort}{name}" for cohort in ("", "cohort_") for name in ("visit_uv", "visit_uv_new")]
_PAGES = (
    "visit_pv",
    "visit_uv",
    "staytime_pv_seconds",
    "entrypage_pv",
    "exitpage_pv",
    "share_pv",
    "share_uv",
)
_PERIODS = {
    "date": ("daily", [DATE - timedelta(days=back) for back in (0, 1, 7)], [*_TRENDS, *_SUMMARY]),
    "week": ("weekly", [date(2024, 12, 30), date(2024, 12, 23)], _TRENDS),
    "month": ("monthly", [date(2024, 12, 1), date(2024, 11, 1)], _TRENDS),
}
"""By period: the family of the newest one, the first days of those on show, the figures."""
_SPLIT = {
    "access_source_session_cnt": ("source", ["2", "62"]),
    "access_source_visit_uv": ("source", ["2", "62"]),
    "access_staytime_session_cnt": ("staytime", list(STAY_TIMES.values())),
    "access_depth_session_cnt": ("depth", list(DEPTHS.values())),
    **{f"page_{name}": ("page_path", ["pages/index", "(other)"]) for name in _PAGES},
}
"""The label of each figure that has one, and values of it."""
_NEWEST = {
    "weekly_trend": date(2024, 12, 30),
    "monthly_trend": date(2024, 12, 1),
    **dict.fromkeys(("daily_trend", "daily_summary", "visit_distribution", "visit_pages"), DATE),
    "daily_retention": DATE - timedelta(days=1),
}
"""The date of each dataset's newest row."""


def history(shown: tuple[Shown, ...]) -> History:
    """Return all of the app's families."""
    past = History()
    for each in shown:
        labels = f'appid="wxa",name="{each.name}",job="wechat-miniprogram",instance="{each.instance}"'
        for minute in range(each.since, each.until + 1, _STEP):
            show(past, labels, START + 60 * minute, each.figure(minute), each.success(minute))
    return past


def show(past: History, labels: str, at: int, figure: int, success: int) -> None:
    """Add what an exporter shows of an app at a time; every figure of all its datasets is this one."""
    for metric, own, value in (*_figures(figure), *_health(success)):
        past.lines.append((f"{NAMESPACE}_{metric}{{{labels}{own and ','}{own}}}", value, at))


def _figures(value: int) -> Iterator[tuple[str, str, float]]:
    """Yield every figure of all datasets, with its own labels, and their dates."""
    for period, (newest, days, metrics) in _PERIODS.items():
        for day in days:
            stamps = {REF_DATE: midnight(day), "end_timestamp_seconds": midnight(_end(period, day))}
            for metric, shown in {**dict.fromkeys(metrics, value), **stamps}.items():
                yield f"by_{period}_{metric}", f'ref_date="{day}"', shown
                if day == days[0]:
                    yield f"{newest}_{metric}", "", shown
    for after in (1, 7, 30):
        for metric in _RETAINED:
            yield f"daily_{metric}", f'day="{after}"', value
        yield f"daily_retain_{REF_DATE}", f'day="{after}"', midnight(DATE - timedelta(days=after))
    for metric, (label, values) in _SPLIT.items():
        for each in values:
            yield f"daily_{metric}", f'{label}="{each}"', value


def _end(period: str, day: date) -> date:
    """Return the day after a week or month."""
    return (day + timedelta(days=32)).replace(day=1) if period == "month" else day + timedelta(days=7)


def _health(success: int) -> Iterator[tuple[str, str, float]]:
    """Yield what the exporter shows beside the figures."""
    yield "up", "", 1
    yield "info", "", 1
    yield "last_success_timestamp_seconds", "", success
    yield "token_expiry_timestamp_seconds", "", NOW + 3600
    for dataset, day in _NEWEST.items():
        yield "dataset_up", f'dataset="{dataset}"', 1
        yield "dataset_ref_date_timestamp_seconds", f'dataset="{dataset}"', midnight(day)
        yield "dataset_last_success_timestamp_seconds", f'dataset="{dataset}"', success
