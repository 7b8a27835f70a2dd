"""PromQL that never shows a figure under another date, nor an older value: for rules, dashboards and docs.

Every expression is right, or gives nothing, whenever it is evaluated: a figure is always joined with
the `ref_date` gauge beside it. Several series may show one app's date: another replica's, or those of a
name or a pod that is no more. The series of the exporter that had an answer last counts, among those
that are there at the time. `where` is what stands between the braces of each selector.
"""

from dataclasses import replace
from textwrap import indent
from typing import Final

from exporter.beijing import DAY_SECONDS
from exporter.exposition.app_families import INFO, LAST_SUCCESS
from exporter.exposition.family import NAMESPACE
from prometheus.dated import DATES, Dated, braces, space

BEIJING_AHEAD: Final = 28_800
"""Seconds by which Beijing's clock is ahead of UTC."""
OFFSETS: Final = {1: ("12h", "1d", "36h"), 7: ("156h", "7d", "180h")}
"""When the latest family held the row of so many days before, publication wandering by half a day.

The latest time comes first, here and below, as WeChat may have corrected the row.
"""
HELD_AFTER: Final = ("72h", "60h", "48h", "42h", "36h", "30h", "24h")
"""How long after a point of its date the latest family may be holding that date's row."""


def daily(metric: str) -> str:
    """Name a figure in the family of the newest row."""
    return f"{NAMESPACE}_daily_{metric}"


def by_date(metric: str) -> str:
    """Name a figure in the family with one series per date."""
    return f"{NAMESPACE}_by_date_{metric}"


REF_DATE: Final = "ref_date_timestamp_seconds"
_DAILY_REF: Final = daily(REF_DATE)
_DATED_REF: Final = by_date(REF_DATE)


def newest(metric: str, where: str = "", when: str = "", labels: str = "appid, name") -> str:
    """Take the figure of each app's newest date, one series per app; `when` is an offset.

    Of several exporters the one with the newest date counts, then the one that had an answer last.
    """
    at = f"{braces(where)}{space(when)}"
    return f"""\
max by ({labels}) (
  {daily(metric)}{at}
  and topk by (appid) (1, {_ahead(at)})
)"""


def on_show(metric: str, where: str = "", when: str = "", rows: Dated = DATES) -> str:
    """Take the newest known value of each app and date on show; `when` is an offset or `@`.

    Each side of `or` has one series: VictoriaMetrics fills the gaps of several with any of the other's.
    """
    series = f"{rows.metric(metric)}{braces(where)}{space(when)}"
    return f"""\
max by (appid, ref_date) (
  {series}
  and ignoring (ref_date) topk by (appid) (1, {rows.answered(where, when)})
)
or
max by (appid, ref_date) ({series})"""


def seen(metric: str, window: str, where: str = "", shift: str = "", rows: Dated = DATES) -> str:
    """Take the newest known value of each app and date that was on show in a window of the past."""
    shown = _deeper(on_show(metric, where, rows=rows))
    return f"last_over_time((\n{shown}\n)[{window}:{rows.step}]{space(shift)})"


def named(expr: str, where: str = "") -> str:
    """Give each app's series the name that its app has now."""
    at = braces(where)
    return f"""\
max by (appid, name) (
{_deeper(expr)}
)
* on (appid) group_left (name)
  count by (appid, name) (topk by (appid) (1, {_ahead(at)} or {INFO.metric}{at}))"""


def before(metric: str, days: int, where: str = "") -> str:
    """Take the figure of the date `days` (1 or 7) before each app's newest, by appid.

    From the by-date family; where that is switched off, from the latest family's past, guarded by
    the date that it held then.
    """
    is_wanted = _is_before(days, where)
    past = (_held_then(metric, where, f"offset {offset}", is_wanted) for offset in OFFSETS[days])
    return "\nor\n".join((dated_before(metric, days, where), *past))


def dated_before(metric: str, days: int, where: str = "") -> str:
    """Take the figure of the date so many days before each app's newest from the by-date family, by appid."""
    at = braces(where)
    return f"""\
max by (appid) (
  {by_date(metric)}{at}
  and topk by (appid) (1,
    0 * ({_DATED_REF}{at} {_is_before(days, where)})
    + ignoring (ref_date) group_left () ({LAST_SUCCESS.metric}{at} or {_DAILY_REF}{at}))
)"""


def seen_before(metric: str, days: int, where: str = "") -> str:
    """Take the figure so many days before each app's newest date, even for apps that are days late.

    It comes from the dates that were on show in the last fortnight, looked at every six hours: for the panels
    of single apps.
    """
    rows, window = replace(DATES, step="6h"), "14d"
    dates = f"last_over_time(max by (appid, ref_date) ({_DATED_REF}{braces(where)})[{window}:{rows.step}])"
    return f"""\
max by (appid) (
{_deeper(seen(metric, window, where, rows=rows))}
  and on (appid, ref_date)
    ({dates} {_is_before(days, where)})
)"""


def weighted_mean(figure: str, weight: str) -> str:
    """Average a mean over the apps; each counts as much as its weight."""
    return f"""\
sum(
{_deeper(figure)}
  * on (appid)
{_deeper(weight)}
)
/
sum(
{_deeper(weight)}
  and on (appid)
{_deeper(figure)}
)"""


def usual(metric: str, where: str = "") -> str:
    """Take the median over the dates on show; where that family is switched off, over the last seven days."""
    days = "\n  or ".join(
        f'label_replace({daily(metric)}{braces(where)} offset {day}d, "days_ago", "{day}", "", "")'
        for day in range(1, 8)
    )
    return f"""\
quantile by (appid) (0.5,
{_deeper(on_show(metric, where))}
)
or
quantile by (appid) (0.5, max by (appid, days_ago) (
     {days}
))"""


def date_at_point(days_earlier: int = 0) -> str:
    """Compute Beijing midnight of the date that the point of the time axis lies in, Unix time."""
    shift = f" - {days_earlier * DAY_SECONDS}" if days_earlier else ""
    return f"(time() - (time() + {BEIJING_AHEAD}) % {DAY_SECONDS}{shift})"


def per_date(metric: str, where: str = "", days_earlier: int = 0, rows: Dated = DATES) -> str:
    """Make a point per date for a step of one day on any grid: the figure of the point's date, by appid.

    Each date is looked for in its family from its midnight on; nothing comes where that family is
    switched off. A week has its point on its Monday, a month on its first day.
    """
    window, shift = f"{rows.days}d", f"offset -{rows.days - days_earlier}d"
    stamps = f"max by (appid, ref_date) ({rows.metric(REF_DATE)}{braces(where)})"
    dates = f"last_over_time({stamps}[{window}:{rows.step}] {shift})"
    return f"""\
max by (appid) (
{_deeper(seen(metric, window, where, shift, rows))}
  and on (appid, ref_date)
    ({dates}
      == {date_at_point(days_earlier)})
)"""


def per_date_from_latest(metric: str, where: str = "", *also: str) -> str:
    """Make a point per date from the latest family alone: right or absent, the newest date some hours late.

    `also`: times to look at first, such as `@ end()`, where the newest date is neither late nor uncorrected.
    """
    times = (*also, *(f"offset -{after}" for after in HELD_AFTER))
    return "\nor\n".join(_held_then(metric, where, when, f"== {date_at_point()}") for when in times)


def change(now: str, then: str) -> str:
    """Compute the relative change of a figure by app against one by appid: 0.1 is ten percent more."""
    return f"({now})\n/ on (appid) group_left () (\n{then}\n) - 1"


def _ahead(at: str) -> str:
    """Rank series by their newest date, then by their last answer: 1e-5 of a Unix time is less than a day."""
    return f"{_DAILY_REF}{at} + {LAST_SUCCESS.metric}{at} / 1e5 or {_DAILY_REF}{at}"


def _held_then(metric: str, where: str, when: str, is_wanted: str) -> str:
    """Take the figure that the latest family held at another time, if it was of the date wanted."""
    at = f"{braces(where)} {when}"
    return f"""\
max by (appid) (
  {daily(metric)}{at}
  and ({_DAILY_REF}{at} {is_wanted})
  and topk by (appid) (1, {LAST_SUCCESS.metric}{at} or {_DAILY_REF}{at})
)"""


def _is_before(days: int, where: str) -> str:
    """Compare dates with the one so many days before the app's newest."""
    newest_date = f"max by (appid) ({_DAILY_REF}{braces(where)})"
    return f"== on (appid) group_left () ({newest_date} - {days * DAY_SECONDS})"


def _deeper(text: str, spaces: int = 2) -> str:
    return indent(text, " " * spaces)
