"""The metric families of the apps, and their sample lines.

Text format and OpenMetrics share the lines; only the families' headers differ.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Final

from exporter.beijing import midnight
from exporter.datasets.daily_trend import DAILY_TREND
from exporter.datasets.dataset import Row
from exporter.datasets.metrics import dated_metrics, newest_metrics
from exporter.exposition.dataset_families import DatasetFamilies, QuotaFamilies, families_of_metrics
from exporter.exposition.family import Family, escape, samples
from exporter.store.entry import Entry, Health

DAILY: Final = families_of_metrics(newest_metrics(DAILY_TREND))
BY_DATE: Final = families_of_metrics(dated_metrics(DAILY_TREND))
UP: Final = Family(
    "up",
    "1: WeChat answered the app's last refresh (not ready yet and empty are answers too). 0: it failed, see "
    "refresh_error_info.",
)
LAST_REFRESH: Final = Family(
    "last_refresh_timestamp_seconds", "When the app was last asked for, Unix time.", "seconds"
)
LAST_SUCCESS: Final = Family(
    "last_success_timestamp_seconds", "When WeChat last gave a row of the app, Unix time.", "seconds"
)
TOKEN_EXPIRY: Final = Family(
    "token_expiry_timestamp_seconds", "When the app's access token held ends, Unix time.", "seconds"
)
INFO: Final = Family("info", "The app's labels from the configuration; always 1.")
ERROR_INFO: Final = Family(
    "refresh_error_info",
    "There, with 1, only while the app's last refresh failed: why (closed list), and WeChat's errcode.",
)
DATASET_UP: Final = Family(
    "dataset_up",
    "1: WeChat answered the last call for the dataset's newest period (not ready yet and empty are answers "
    "too). 0: it failed, see dataset_error_info.",
)
DATASET_REF_DATE: Final = Family(
    "dataset_ref_date_timestamp_seconds",
    "ref_date 日期: 00:00 Asia/Shanghai of the first day of the dataset's newest period held, Unix time.",
    "seconds",
)
DATASET_LAST_SUCCESS: Final = Family(
    "dataset_last_success_timestamp_seconds",
    "When WeChat last gave a row of the dataset, Unix time.",
    "seconds",
)
DATASET_ERROR_INFO: Final = Family(
    "dataset_error_info",
    "There, with 1, only while the dataset fails: why (closed list), and WeChat's errcode.",
)
DATASET_FAMILIES: Final = (DATASET_UP, DATASET_REF_DATE, DATASET_LAST_SUCCESS, DATASET_ERROR_INFO)
FAMILIES: Final = (
    *(*DAILY, *BY_DATE, UP, LAST_REFRESH, LAST_SUCCESS, TOKEN_EXPIRY, INFO, ERROR_INFO),
    *DATASET_FAMILIES,
)
"""The families that do not depend on the configured datasets."""


OptionalFamilies = DatasetFamilies | QuotaFamilies
"""The families of a dataset, or of the quotas, that the configuration switches on."""


def families_of(shown: Iterable[OptionalFamilies]) -> tuple[Family, ...]:
    """Return FAMILIES and the optional families, in the order of `render`."""
    return (*FAMILIES, *(family for each in shown for family in each.families()))


def render(
    entries: Iterable[Entry], dates: Iterable[date], shown: Sequence[OptionalFamilies] = ()
) -> Iterator[str]:
    """Yield the sample lines of apps, one text per family, in the order of `families_of`.

    `dates` are those of the by-date families; none switches them off.
    """
    apps = [(f'appid="{entry.app.appid}",name="{escape(entry.app.name)}"', entry) for entry in entries]
    newest = [(labels, entry.rows[0].row) for labels, entry in apps if entry.rows]
    stamps = {day: f',ref_date="{day.isoformat()}"' for day in dates}
    dated = [
        (labels + stamp, held.row)
        for labels, entry in apps
        for held in entry.rows
        if (stamp := stamps.get(held.row.ref_date))
    ]
    yield from _figures(DAILY, newest)
    yield from _figures(BY_DATE, dated)
    yield from _health(apps)
    yield from _dataset_health(apps, shown)
    for each in shown:
        yield from each.render(apps)


def _figures(families: Sequence[Family], rows: Sequence[tuple[str, Row]]) -> Iterator[str]:
    """Yield the lines of the figures' families and, last, those of the dates."""
    labels = [written for written, _ in rows]
    values = [row.values for _, row in rows]
    for position, family in enumerate(families[:-1]):
        yield samples(family, zip(labels, [each[position] for each in values], strict=True))
    days = [row.ref_date for _, row in rows]
    stamps = {day: midnight(day) for day in set(days)}
    yield samples(families[-1], zip(labels, [stamps[day] for day in days], strict=True))


def _health(apps: Sequence[tuple[str, Entry]]) -> Iterator[str]:
    """Yield the lines of the families from UP to ERROR_INFO."""
    asked = [(labels, entry.health) for labels, entry in apps if entry.health.last_refresh is not None]
    yield samples(UP, [(labels, int(health.up)) for labels, health in asked])
    yield _times(LAST_REFRESH, [(labels, health.last_refresh) for labels, health in asked])
    yield _times(LAST_SUCCESS, [(labels, entry.health.last_success) for labels, entry in apps])
    yield _times(TOKEN_EXPIRY, [(labels, entry.token_expires_at) for labels, entry in apps])
    yield samples(INFO, [(labels + _own_labels(entry), 1) for labels, entry in apps])
    yield _troubles(ERROR_INFO, asked)


def _dataset_health(apps: Sequence[tuple[str, Entry]], shown: Sequence[OptionalFamilies]) -> Iterator[str]:
    """Yield the lines of DATASET_FAMILIES."""
    held = [
        (f'{labels},dataset="{name}"', entry.table(name))
        for labels, entry in apps
        for name in (DAILY_TREND.name, *(each.name for each in shown if entry.app.has(each.name)))
    ]
    asked = [(labels, table.health) for labels, table in held if table.tried]
    yield samples(DATASET_UP, [(labels, int(health.up)) for labels, health in asked])
    starts = [(labels, table.rows[0].row.period.start) for labels, table in held if table.rows]
    yield samples(DATASET_REF_DATE, starts)
    yield _times(DATASET_LAST_SUCCESS, [(labels, table.health.last_success) for labels, table in held])
    yield _troubles(DATASET_ERROR_INFO, asked)


def _times(family: Family, times: Iterable[tuple[str, float | None]]) -> str:
    return samples(family, [(labels, f"{time:.3f}") for labels, time in times if time is not None])


def _troubles(family: Family, healths: Iterable[tuple[str, Health]]) -> str:
    failing = [(labels, health) for labels, health in healths if not health.up]
    return samples(family, [(labels + _trouble(health), 1) for labels, health in failing])


def _own_labels(entry: Entry) -> str:
    return "".join([f',{name}="{escape(value)}"' for name, value in entry.app.labels])


def _trouble(health: Health) -> str:
    errcode = "" if health.errcode is None else health.errcode
    return f',reason="{health.reason}",errcode="{errcode}"'
