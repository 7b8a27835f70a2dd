"""What dashboards ask about many apps as they are now: their page, and single moments of their past."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from itertools import product

from exporter.beijing import DAY_SECONDS, midnight, yesterday
from exporter.datasets.catalogue import CATALOGUE
from exporter.datasets.daily_trend import DAILY_TREND, FIELDS
from exporter.datasets.metrics import Metric, dated_metrics, newest_metrics
from exporter.datasets.visit_distribution import DEPTHS, STAY_TIMES
from exporter.exposition.app_families import DATASET_FAMILIES
from exporter.exposition.family import NAMESPACE
from grafana.totals import SUMS
from prometheus.expressions import REF_DATE
from prometheus.recording import SETTLED_AFTER, recorded

NEWEST = date(2025, 3, 6)
NOW = midnight(NEWEST) + DAY_SECONDS + 11 * 3600
DATES = tuple(NEWEST - timedelta(days=back) for back in range(9))
Sample = tuple[str, int, int]
"""Labels, value, Unix time."""
MINUTES = range(NOW - 600, NOW + 1, 60)
_SIX_DAYS_AGO = range(NOW - 6 * DAY_SECONDS - 180, NOW - 6 * DAY_SECONDS + 1, 60)
_LAST_MINUTES = range(NOW - 180, NOW + 1, 60)
_TIMES = (*(NOW - hours * 3600 for hours in (180, 168, 156)), *_LAST_MINUTES)
"""When the datasets' rows are looked at."""
LABELS = {
    "ref_date": ("2025-02-03", "2025-02-10", "2025-02-17"),
    "day": ("1", "7", "30"),
    "source": tuple(str(key) for key in range(1, 11)),
    "staytime": tuple(STAY_TIMES.values()),
    "depth": tuple(DEPTHS.values()),
    "page_path": tuple(f"pages/page-{number}" for number in range(10)),
}
_PAST_HOURS = (12, 24, 36, 144, 156, 168, 180)  # where expressions look when there is no by-date family


def now(apps: int) -> Iterator[str]:
    """Yield the page of `apps` apps for ten minutes, and the newest family at the queries' offsets."""
    for metric in (*(field.metric for field in FIELDS), REF_DATE):
        yield from family(f"daily_{metric}", _daily(metric, apps))
        yield from family(f"by_date_{metric}", by_date(metric, range(apps)))
    success = ((labels_of(app), NOW - 600, at) for app in range(apps) for at in MINUTES)
    yield from family("last_success_timestamp_seconds", success)
    for name in ("up", "info"):
        flags = (
            (labels_of(app), int(name == "info" or app % 50 > 0), at) for app in range(apps) for at in MINUTES
        )
        yield from family(name, flags)
    reason = 'reason="ip_not_allowed",errcode="40164"'
    failing = ((f"{labels_of(app)},{reason}", 1, at) for app in range(0, apps, 50) for at in MINUTES)
    yield from family("refresh_error_info", failing)
    yield from _datasets(apps)
    yield from _settled(apps)
    yield "# EOF\n"


def _datasets(apps: int) -> Iterator[str]:
    """Yield the newest rows of all datasets, now and at the queries' offsets."""
    shown = [dataset for dataset in CATALOGUE if dataset is not DAILY_TREND]
    for each_family in DATASET_FAMILIES[:-1]:
        health = (
            (f'{labels_of(app)},dataset="{each.name}"', midnight(NEWEST) - _days_back(at) * DAY_SECONDS, at)
            for app in range(apps)
            for each in shown
            for at in _TIMES
        )
        yield from family(each_family.name, health)
    for dataset in shown:
        for metric in newest_metrics(dataset):
            yield from family(metric.name, _rows(metric, apps, _TIMES))
        for metric in dated_metrics(dataset):
            yield from family(metric.name, _rows(metric, apps, _LAST_MINUTES))
    names = (
        (f'source="{key}",name_en="Source {key}",name_zh="来源 {key}"', 1, at)
        for key in range(1, 58)
        for at in _LAST_MINUTES
    )
    yield from family("access_source_info", names)


def _settled(apps: int) -> Iterator[str]:
    """Yield the series of the recording rules at the times that the 30-day change reads."""
    times = [NOW - days * DAY_SECONDS for days in (27, 26)]
    for metric in (REF_DATE, *SUMS):
        name = recorded(metric, "settled")
        yield f"# TYPE {name} gauge\n"
        for number, at in product(range(apps), times):
            day = yesterday(at) - timedelta(days=SETTLED_AFTER - 1)
            yield f'{name}{{appid="{appid(number)}"}} {value(metric, number, day)} {at}\n'


def _days_back(at: int) -> int:
    return (NOW - at) // DAY_SECONDS


def _rows(metric: Metric, apps: int, times: Sequence[int]) -> Iterator[Sample]:
    """Yield a series for each value of the metric's labels; times are those of the newest date."""
    values = [[f'{label}="{value}"' for value in LABELS[label]] for label in metric.labels]
    for app in range(apps):
        for labels in product(*values):
            for at in times:
                later = next((int(label[5:-1]) for label in labels if label.startswith("day=")), 0)
                stamp = midnight(NEWEST) - (_days_back(at) + later) * DAY_SECONDS
                value = 150 + app * 37 % 90_000 if metric.moment is None else stamp
                yield ",".join((labels_of(app), *labels)), value, at


def family(name: str, report: Iterable[Sample]) -> Iterator[str]:
    """Yield the lines of one metric."""
    yield f"# TYPE {NAMESPACE}_{name} gauge\n"
    for labels, value, at in report:
        yield f"{NAMESPACE}_{name}{{{labels}}} {value} {at}\n"


def _daily(metric: str, apps: int) -> Iterator[Sample]:
    hours = (NOW - hour * 3600 for hour in _PAST_HOURS)
    past = sorted(at for middle in hours for at in range(middle - 240, middle + 1, 60))
    for app in range(apps):
        for at in (*past, *MINUTES):
            back = 0 if at in MINUTES else 1 + (NOW - at) // DAY_SECONDS
            yield labels_of(app), value(metric, app, NEWEST - timedelta(days=back)), at


def by_date(metric: str, apps: Iterable[int]) -> Iterator[Sample]:
    """Yield the dates on show, now and six days ago, where the week before of late apps is looked for."""
    for app in apps:
        for back in range(len(DATES) + 6):
            day = NEWEST - timedelta(days=back)
            for at in (*(_SIX_DAYS_AGO if back >= 6 else ()), *(MINUTES if day in DATES else ())):
                yield f'{labels_of(app)},ref_date="{day}"', value(metric, app, day), at


def labels_of(number: int) -> str:
    """Return the labels of an app's series, as they are scraped."""
    scraped = 'job="wechat-miniprogram",instance="exporter:10950"'
    return f'appid="{appid(number)}",name="app-{number:05d}",{scraped}'


def appid(number: int) -> str:
    """Return the appid of the app of that number."""
    return f"wxfa4e{number:012d}"


def value(metric: str, app: int, day: date) -> int:
    """Return a figure of a date, or the date itself."""
    return midnight(day) if metric == REF_DATE else 150 + app * 37 % 90_000 + day.day * (app % 13)
