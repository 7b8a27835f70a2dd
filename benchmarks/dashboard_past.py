"""The past that ranges read: every scrape and every evaluation of the rules in sixty days, of a few apps."""

import re
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from functools import cache
from itertools import product

from benchmarks.dashboard_samples import (
    LABELS,
    MINUTES,
    NEWEST,
    NOW,
    Sample,
    appid,
    by_date,
    family,
    labels_of,
    value,
)
from exporter.beijing import DAY_SECONDS, midnight, yesterday
from exporter.datasets.catalogue import CATALOGUE
from exporter.datasets.dataset import Dataset
from exporter.datasets.metrics import dated_metrics, newest_metrics
from grafana.totals import SUMS
from prometheus import cohorts
from prometheus.expressions import REF_DATE
from prometheus.recording import SETTLED_AFTER, recorded

DAYS = 60
ONE = 1
"""The number of the app whose own panels are asked."""
_START = midnight(NEWEST) - DAYS * DAY_SECONDS
_SCRAPES = range(_START, NOW + 1, 60)
_SELDOM = range(_START, NOW + 1, 240)
"""The one app has hundreds of series: as seldom as Prometheus' five minutes allow."""
_RULES = range(_START, NOW + 1, 120)
_HOURS = range(_START, NOW + 1, 3600)
_COMES = 9 * 3600
"""How long after its end a period's row comes."""
_LOOKED_BACK_ON = re.compile(
    "daily_(visit_uv_new|ref_date_timestamp_seconds|retain_.*|access_source_session_cnt)"
)
_DATED = ("visit_uv", "visit_uv_new", "share_uv", "visit_total_users", "ref_date_timestamp_seconds")
"""The figures that the panels draw, visitors of the newest date apart."""
_SHOWN = {"day": 9, "week": 5, "month": 3}


def past(apps: int) -> Iterator[str]:
    """Yield what ranges over `apps` apps read, and all that they read of one app."""
    numbers = range(apps)
    daily = ((labels_of(app), value("visit_uv", app, _newest(at)), at) for app in numbers for at in _SCRAPES)
    yield from family("daily_visit_uv", daily)
    others = [number for number in numbers if number != ONE]
    for metric in ("visit_uv", *SUMS, REF_DATE):
        yield from family(f"by_date_{metric}", by_date(metric, others))
    for metric in (REF_DATE, *SUMS):
        yield from _settled(recorded(metric, "settled"), metric, numbers)
    for day in ("1", "7", "30"):
        yield from _cohorts(day)
    for name in ("info", "last_success_timestamp_seconds"):
        yield from family(name, ((labels_of(app), NOW - 600, at) for app in others for at in MINUTES))
        yield from family(name, ((labels_of(ONE), at, at) for at in _SELDOM))
    for dataset in CATALOGUE:
        yield from _one(dataset)
    names = (
        (f'source="{key}",name_en="{key}",name_zh="{key}"', 1, at)
        for key in LABELS["source"]
        for at in _SELDOM
    )
    yield from family("access_source_info", names)
    yield "# EOF\n"


@cache
def _yesterday(hour: int) -> date:
    return yesterday(hour * 3600)


def _newest(at: int) -> date:
    """Return the newest date whose row has come."""
    return _yesterday((at - _COMES) // 3600)


def _settled(name: str, metric: str, apps: Iterable[int]) -> Iterator[str]:
    yield f"# TYPE {name} gauge\n"
    for app, at in product(apps, _HOURS):
        day = _yesterday(at // 3600) - timedelta(days=SETTLED_AFTER - 1)
        yield f'{name}{{appid="{appid(app)}"}} {value(metric, app, day)} {at}\n'


def _cohorts(day: str) -> Iterator[str]:
    for name, _ in cohorts.newest_totals():
        yield f"# TYPE {name} gauge\n"
        for at in _RULES:
            cohort = _newest(at) - timedelta(days=int(day))
            figure = midnight(cohort) if name.endswith(":max") else 1000
            yield f'{name}{{job="wechat-miniprogram",day="{day}"}} {figure} {at}\n'


def _one(dataset: Dataset) -> Iterator[str]:
    """Yield the one app's health, newest rows and dates of a dataset."""
    labels = f'{labels_of(ONE)},dataset="{dataset.name}"'
    dates = ((labels, _stamp(dataset, at), at) for at in _SELDOM)
    yield from family("dataset_ref_date_timestamp_seconds", dates)
    answers = ((labels, at, at) for at in _SELDOM)
    yield from family("dataset_last_success_timestamp_seconds", answers)
    for metric in newest_metrics(dataset):
        if not _LOOKED_BACK_ON.fullmatch(metric.name):
            continue
        stamps = metric.moment is not None
        for key in LABELS[metric.labels[0]] if metric.labels else ("",):
            labels = labels_of(ONE) + (f',{metric.labels[0]}="{key}"' if key else "")
            later = int(key) * DAY_SECONDS if metric.labels == ("day",) else 0
            lines = ((labels, _stamp(dataset, at) - later if stamps else 1000, at) for at in _SELDOM)
            yield from family(metric.name, lines)
    for metric in dated_metrics(dataset):
        if not metric.name.endswith(_DATED):
            continue
        yield from family(metric.name, _dated(dataset, moment=metric.moment))


def _stamp(dataset: Dataset, at: int) -> int:
    return dataset.calendar.newest(_newest(at)).start


def _dated(dataset: Dataset, moment: int | None) -> Iterator[Sample]:
    """Yield each period for as long as it is on show; its moments are its begin and its end."""
    calendar = dataset.calendar
    shown: dict[date, list[Sample]] = {}
    for at in _SELDOM:
        newest = calendar.newest(_newest(at))
        for back in range(_SHOWN[calendar.name]):
            period = calendar.earlier(newest, back) if back else newest
            figure = 1000 if moment is None else (period.start, period.end)[moment]
            labels = f'{labels_of(ONE)},ref_date="{period.first}"'
            shown.setdefault(period.first, []).append((labels, figure, at))
    for lines in shown.values():
        yield from lines
