"""PromQL that never lets a figure wear another day's date; rules and dashboards are made from it.

Every expression is right, or gives nothing, whenever it is evaluated: a figure is always joined with
the `ref_date` gauge beside it. `where` is what stands between the braces of each selector.
"""

from typing import Final

from exporter.exposition.families import NAMESPACE
from exporter.trend import DAY_SECONDS

BEIJING_AHEAD: Final = 28_800
"""Seconds by which Beijing's clock is ahead of UTC."""
DATES_DAYS: Final = 10
"""How long after its midnight a date is looked for: a day more than the default `history_days`."""
_OFFSETS: Final = {1: ("1d", "12h", "36h"), 7: ("7d", "156h", "180h")}
"""When the latest family held the row of so many days before, publication wandering by half a day."""
_HELD_AFTER: Final = ("24h", "30h", "36h", "42h", "48h", "60h", "72h")
"""How long after a point of its date the latest family may be holding that date's row."""


def daily(metric: str) -> str:
    """The name of a figure in the family of the newest row."""
    return f"{NAMESPACE}_daily_{metric}"


def by_date(metric: str) -> str:
    """The name of a figure in the family with one series per date."""
    return f"{NAMESPACE}_by_date_{metric}"


REF_DATE: Final = "ref_date_timestamp_seconds"
_DAILY_REF: Final = daily(REF_DATE)
_DATED_REF: Final = by_date(REF_DATE)


def newest(metric: str, where: str = "") -> str:
    """The figure of each app's newest date; with two exporters, the one that is ahead counts."""
    at = _braces(where)
    return f"""\
max by (appid, name) (
    {daily(metric)}{at}
  and on (job, instance, appid)
    ({_DAILY_REF}{at} == on (appid) group_left () max by (appid) ({_DAILY_REF}{at}))
)"""


def before(metric: str, days: int, where: str = "") -> str:
    """The figure of the date `days` (1 or 7) before each app's newest.

    From the by-date family; where that is switched off, from the latest family's past, guarded by
    the date that it held then.
    """
    at = _braces(where)
    wanted = f"on (appid) group_left () (max by (appid) ({_DAILY_REF}{at}) - {days * DAY_SECONDS})"
    dated = f"""\
max by (appid, name) (
    {by_date(metric)}{at}
  and on (appid, ref_date)
    ({_DATED_REF}{at} == {wanted})
)"""
    past = (
        f"""\
or on (appid)
max by (appid, name) (
    {daily(metric)}{at} offset {offset}
  and on (job, instance, appid)
    ({_DAILY_REF}{at} offset {offset} == {wanted})
)"""
        for offset in _OFFSETS[days]
    )
    return "\n".join((dated, *past))


def usual(metric: str, where: str = "") -> str:
    """The median over the dates on show; where that family is switched off, of the last seven days.

    A date that two exporters show counts once.
    """
    at = _braces(where)
    days = "\n      or ".join(
        f'label_replace({shown}, "days_ago", "{day}", "", "")'
        for day in range(1, 8)
        for shown in (f"max by (appid, name) ({daily(metric)}{at} offset {day}d)",)
    )
    return f"""\
quantile by (appid, name) (0.5, max by (appid, name, ref_date) ({by_date(metric)}{at}))
or on (appid)
quantile by (appid, name) (0.5,
         {days}
)"""


def date_at_point(days_earlier: int = 0) -> str:
    """Beijing midnight of the date that the point of the time axis lies in, Unix time."""
    shift = f" - {days_earlier * DAY_SECONDS}" if days_earlier else ""
    return f"(time() - (time() + {BEIJING_AHEAD}) % {DAY_SECONDS}{shift})"


def per_date(metric: str, where: str = "", days_earlier: int = 0) -> str:
    """A point per date for a step of one day on any grid: the figure of the point's date.

    Each date is looked for in the by-date family from its midnight on; nothing comes where that
    family is switched off. By appid alone, as a renamed app has both names in the range.
    """
    at = _braces(where)
    window = f"[{DATES_DAYS}d] offset -{DATES_DAYS - days_earlier}d"
    return f"""\
max by (appid) (
    last_over_time({by_date(metric)}{at}{window})
  and on (appid, ref_date)
    (last_over_time({_DATED_REF}{at}{window}) == {date_at_point(days_earlier)})
)"""


def per_date_from_latest(metric: str, where: str = "") -> str:
    """The same from the latest family alone: right or absent, and the newest date some hours late."""
    at = _braces(where)
    return "\nor on (appid)\n".join(
        f"""\
max by (appid) (
    {daily(metric)}{at} offset -{held}
  and on (job, instance, appid)
    ({_DAILY_REF}{at} offset -{held} == {date_at_point()})
)"""
        for held in _HELD_AFTER
    )


def change(now: str, then: str) -> str:
    """The relative change of one expression against another, app by app: 0.1 is ten percent more."""
    return f"({now})\n/ on (appid) group_left ()\n  max by (appid) (\n{then}\n) - 1"


def _braces(where: str) -> str:
    return f"{{{where}}}" if where else ""
