"""The metric families of the apps, and how an app's entry becomes their sample lines.

Text format and OpenMetrics share the lines; only the families' headers differ.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Final, Protocol

from exporter.beijing import midnight
from exporter.config.settings import App
from exporter.datasets.daily_trend import DAILY_TREND, FIELDS
from exporter.datasets.dataset import Row
from exporter.exposition.family import NAMESPACE, Family, escape, headers
from exporter.store.entry import Entry, Health

__all__ = ["NAMESPACE", "Family", "escape", "headers"]

_REF_DATE: Final = "ref_date 日期: 00:00 Asia/Shanghai of the day that the figures are of, Unix time"
DAILY: Final = (
    *(Family(f"daily_{field.metric}", f"Newest row held, {field.help}", field.unit) for field in FIELDS),
    Family("daily_ref_date_timestamp_seconds", f"Newest row held, {_REF_DATE}.", "seconds"),
)
BY_DATE: Final = (
    *(Family(f"by_date_{field.metric}", f"Per date, {field.help}", field.unit) for field in FIELDS),
    Family("by_date_ref_date_timestamp_seconds", f"Per date, {_REF_DATE}.", "seconds"),
)
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
"""Those that are there whatever datasets are switched on."""


class Shown(Protocol):
    """A dataset on show beside the daily trend."""

    @property
    def name(self) -> str:
        """The dataset's name."""

    def belongs_to(self, app: App) -> bool:
        """Whether the app has it."""

    def families(self) -> tuple[Family, ...]:
        """Its families, in the order in which `render` gives their lines."""

    def render(self, apps: Sequence[tuple[str, Entry]]) -> Iterator[str]:
        """The sample lines of these apps (their labels as written, and their entries), a text per family."""


def families_of(tables: Iterable[Shown]) -> tuple[Family, ...]:
    """FAMILIES, and those of these datasets."""
    return (*FAMILIES, *(family for shown in tables for family in shown.families()))


def render(entries: Iterable[Entry], dates: Iterable[date], tables: Sequence[Shown] = ()) -> Iterator[str]:
    """Give the sample lines of these apps, one text per family in the order of `families_of`.

    Args:
        entries: the apps, in the order in which they are shown.
        dates: the dates on show in the by-date families; none switches them off.
        tables: the datasets on show beside the daily trend.
    """
    apps = [(f'appid="{entry.app.appid}",name="{escape(entry.app.name)}"', entry) for entry in entries]
    newest = [_dated_values(f"{labels}}} ", entry.rows[0].row) for labels, entry in apps if entry.rows]
    stamps = {day: f',ref_date="{day.isoformat()}"}} ' for day in dates}
    dated = [
        _dated_values(labels + stamp, held.row)
        for labels, entry in apps
        for held in entry.rows
        if (stamp := stamps.get(held.row.ref_date))
    ]
    yield from _figures(DAILY, newest)
    yield from _figures(BY_DATE, dated)
    yield from _health(apps)
    yield from _dataset_health(apps, tables)
    for shown in tables:
        yield from shown.render(apps)


_DatedValues = tuple[str, date, tuple[int | float | None, ...]]
"""A row's labels as written, its date and its figures."""


def _dated_values(labels: str, row: Row) -> _DatedValues:
    return labels, row.ref_date, row.values


def _figures(families: Sequence[Family], rows: Sequence[_DatedValues]) -> Iterator[str]:
    """Give the lines of the figures' families and, last, of the dates."""
    for position, family in enumerate(families[:-1]):
        start = f"{family.metric}{{"
        yield "".join(
            [
                f"{start}{labels}{value}\n"
                for labels, _, values in rows
                if (value := values[position]) is not None
            ]
        )
    stamps = {day: midnight(day) for day in {day for _, day, _ in rows}}
    start = f"{families[-1].metric}{{"
    yield "".join([f"{start}{labels}{stamps[day]}\n" for labels, day, _ in rows])


def _health(apps: Sequence[tuple[str, Entry]]) -> Iterator[str]:
    """Lines of UP to ERROR_INFO."""
    asked = [(labels, entry.health) for labels, entry in apps if entry.health.last_refresh is not None]
    yield "".join([f"{UP.metric}{{{labels}}} {health.up:d}\n" for labels, health in asked])
    yield _times(LAST_REFRESH, [(labels, health.last_refresh) for labels, health in asked])
    yield _times(LAST_SUCCESS, [(labels, entry.health.last_success) for labels, entry in apps])
    yield _times(TOKEN_EXPIRY, [(labels, entry.token_expires_at) for labels, entry in apps])
    yield "".join([f"{INFO.metric}{{{labels}{_own_labels(entry)}}} 1\n" for labels, entry in apps])
    start = f"{ERROR_INFO.metric}{{"
    yield "".join([f"{start}{labels}{_trouble(health)}}} 1\n" for labels, health in asked if not health.up])


def _dataset_health(apps: Sequence[tuple[str, Entry]], tables: Sequence[Shown]) -> Iterator[str]:
    """Lines of DATASET_FAMILIES."""
    held = [
        (f'{labels},dataset="{name}"', entry.table(name))
        for labels, entry in apps
        for name in (
            DAILY_TREND.name,
            *(shown.name for shown in tables if shown.belongs_to(entry.app)),
        )
    ]
    asked = [(labels, table.health) for labels, table in held if table.tried]
    yield "".join([f"{DATASET_UP.metric}{{{labels}}} {health.up:d}\n" for labels, health in asked])
    start = f"{DATASET_REF_DATE.metric}{{"
    yield "".join(
        [f"{start}{labels}}} {table.rows[0].row.period.start}\n" for labels, table in held if table.rows]
    )
    yield _times(DATASET_LAST_SUCCESS, [(labels, table.health.last_success) for labels, table in held])
    start = f"{DATASET_ERROR_INFO.metric}{{"
    yield "".join([f"{start}{labels}{_trouble(health)}}} 1\n" for labels, health in asked if not health.up])


def _times(family: Family, times: Sequence[tuple[str, float | None]]) -> str:
    start = f"{family.metric}{{"
    return "".join([f"{start}{labels}}} {time:.3f}\n" for labels, time in times if time is not None])


def _own_labels(entry: Entry) -> str:
    return "".join([f',{name}="{escape(value)}"' for name, value in entry.app.labels])


def _trouble(health: Health) -> str:
    errcode = "" if health.errcode is None else health.errcode
    return f',reason="{health.reason}",errcode="{errcode}"'
