"""The metric families of the apps, and how an app's entry becomes their sample lines.

Text format and OpenMetrics share the lines; only the families' headers differ.
Source: Prometheus' exposition formats, OpenMetrics 1.0.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from exporter.store.entry import Entry, Health
from exporter.trend import FIELDS, Row, midnight

NAMESPACE: Final = "wechat_miniprogram"


@dataclass(frozen=True, slots=True)
class Family:
    """One gauge family; `name` without the namespace, `unit` as OpenMetrics wants it (or empty)."""

    name: str
    help: str
    unit: str = ""

    @property
    def metric(self) -> str:
        """The whole metric name."""
        return f"{NAMESPACE}_{self.name}"


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
FAMILIES: Final = (*DAILY, *BY_DATE, UP, LAST_REFRESH, LAST_SUCCESS, TOKEN_EXPIRY, INFO, ERROR_INFO)


def headers(family: Family, *, openmetrics: bool) -> bytes:
    """The family's HELP, TYPE and (OpenMetrics) UNIT lines."""
    text = family.help.replace("\\", "\\\\").replace("\n", "\\n")
    if openmetrics:
        text = text.replace('"', '\\"')
    unit = f"# UNIT {family.metric} {family.unit}\n" if openmetrics and family.unit else ""
    return f"# HELP {family.metric} {text}\n# TYPE {family.metric} gauge\n{unit}".encode()


def escape(value: str) -> str:
    """A label value as both formats write it."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def render(entries: Iterable[Entry], dates: Iterable[date]) -> list[str]:
    """The sample lines of these apps, one text per family in the order of FAMILIES.

    Args:
        entries: the apps, in the order in which they are shown.
        dates: the dates on show in the by-date families; none switches them off.
    """
    apps = [(f'appid="{entry.app.appid}",name="{escape(entry.app.name)}"', entry) for entry in entries]
    newest = [(f"{labels}}} ", entry.rows[0].row) for labels, entry in apps if entry.rows]
    stamps = {day: f',ref_date="{day.isoformat()}"}} ' for day in dates}
    dated = [
        (labels + stamps[held.row.ref_date], held.row)
        for labels, entry in apps
        for held in entry.rows
        if held.row.ref_date in stamps
    ]
    return [*_figures(DAILY, newest), *_figures(BY_DATE, dated), *_health(apps)]


def _figures(families: Sequence[Family], rows: Sequence[tuple[str, Row]]) -> Iterator[str]:
    """Lines of the figures' families and, last, of the dates; `rows` come with their labels written."""
    for position, family in enumerate(families[:-1]):
        start = f"{family.metric}{{"
        values = [(labels, row.values[position]) for labels, row in rows]
        yield "".join([f"{start}{labels}{value}\n" for labels, value in values if value is not None])
    stamps = {day: midnight(day) for day in {row.ref_date for _, row in rows}}
    start = f"{families[-1].metric}{{"
    yield "".join([f"{start}{labels}{stamps[row.ref_date]}\n" for labels, row in rows])


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


def _times(family: Family, times: Sequence[tuple[str, float | None]]) -> str:
    start = f"{family.metric}{{"
    return "".join([f"{start}{labels}}} {time:.3f}\n" for labels, time in times if time is not None])


def _own_labels(entry: Entry) -> str:
    return "".join([f',{name}="{escape(value)}"' for name, value in entry.app.labels])


def _trouble(health: Health) -> str:
    errcode = "" if health.errcode is None else health.errcode
    return f',reason="{health.reason}",errcode="{errcode}"'
