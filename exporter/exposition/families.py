"""The metric families of the apps, and how an app's entry becomes their sample lines.

Text format and OpenMetrics share the lines; only the families' headers differ.
Source: Prometheus' exposition formats, OpenMetrics 1.0.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from exporter.store.entry import Entry
from exporter.trend import FIELDS, midnight

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

_START: Final = tuple(f"{family.metric}{{" for family in FAMILIES)
_DAILY_AT: Final = 0
_BY_DATE_AT: Final = len(DAILY)
_HEALTH_AT: Final = len(DAILY) + len(BY_DATE)


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
    lines: list[list[str]] = [[] for _ in FAMILIES]
    stamps = {day: f'",ref_date="{day.isoformat()}"}} ' for day in dates}
    for entry in entries:
        identity = f'appid="{entry.app.appid}",name="{escape(entry.app.name)}'
        if entry.rows:
            newest = entry.rows[0].row
            _add_row(lines, _DAILY_AT, identity, '"} ', newest.ref_date, newest.values)
        for held in entry.rows:
            stamp = stamps.get(held.row.ref_date)
            if stamp is not None:
                _add_row(lines, _BY_DATE_AT, identity, stamp, held.row.ref_date, held.row.values)
        _add_health(lines, identity, entry)
    return ["".join(each) for each in lines]


def _add_row(
    lines: list[list[str]],
    at: int,
    identity: str,
    stamp: str,
    day: date,
    values: Iterable[float | None],
) -> None:
    for position, value in enumerate(values, at):
        if value is not None:
            lines[position].append(f"{_START[position]}{identity}{stamp}{value}\n")
    last = at + len(FIELDS)
    lines[last].append(f"{_START[last]}{identity}{stamp}{midnight(day)}\n")


def _add_health(lines: list[list[str]], identity: str, entry: Entry) -> None:
    health = entry.health
    refresh = health.last_refresh
    samples = (
        None if refresh is None else int(health.up),
        refresh,
        health.last_success,
        entry.token_expires_at,
    )
    for position, value in enumerate(samples, _HEALTH_AT):
        if value is not None:
            lines[position].append(f'{_START[position]}{identity}"}} {round(value, 3)}\n')
    labels = "".join(f',{name}="{escape(value)}"' for name, value in entry.app.labels)
    info, error = len(FAMILIES) - 2, len(FAMILIES) - 1
    lines[info].append(f'{_START[info]}{identity}"{labels}}} 1\n')
    if refresh is not None and not health.up:
        errcode = "" if health.errcode is None else health.errcode
        lines[error].append(f'{_START[error]}{identity}",reason="{health.reason}",errcode="{errcode}"}} 1\n')
