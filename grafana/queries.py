"""The expressions that only dashboards need: over a fleet, over the dates on show, dates as numbers."""

from typing import Final

from exporter.beijing import DAY_SECONDS
from exporter.exposition.app_families import INFO, LAST_SUCCESS, UP
from prometheus.dated import DATES, Dated
from prometheus.expressions import (
    BEIJING_AHEAD,
    REF_DATE,
    before,
    by_date,
    daily,
    date_at_point,
    newest,
    on_show,
    per_date,
    per_date_from_latest,
    seen,
)
from prometheus.shards import INFO as SHARD_INFO
from prometheus.shards import TARGET

FLEET: Final = 'job=~"$job"'
"""The content of the Fleet dashboard's selectors' braces."""
CHOSEN: Final = f'{INFO.metric}{{$label=~"$value"}}'
"""The apps that match the filter by label."""
DUE: Final = 60 * 3600
"""A newest date whose midnight is so many seconds past is late: 12:00 of the day after the next, Beijing."""
_LATE_AGO: Final = "6d"
"""When the week before of apps that are up to seven days late was on show."""
AT_END: Final = "@ ${__to:date:seconds}"
"""At the end of the dashboard's time range, whatever the step."""


def chosen(expr: str, when: str = "") -> str:
    """Restrict an expression to the apps that match the filter by label; `when` is as in a selector."""
    return f"(({expr})\nand on (appid) {CHOSEN}{f' {when}' if when else ''})"


REF: Final = chosen(newest(REF_DATE, FLEET))
"""Each app's newest date, Unix time of its midnight."""
LATEST: Final = f"scalar(max({chosen(f'{daily(REF_DATE)}{{{FLEET}}}')}))"
"""The fleet's newest date."""


def date_number(stamp: str) -> str:
    """Convert a ref_date's Unix time to the number yyyymmdd, which is equal in every zone."""
    local = f"({stamp}) + {BEIJING_AHEAD}"
    return f"year({local}) * 10000 + month({local}) * 100 + day_of_month({local})"


def newest_date_number() -> str:
    """Return each app's newest date as such a number, under the app's name in the series of that date."""
    dates = f"max by (appid) ({daily(REF_DATE)}{{{FLEET}}})"
    return f"0 * {REF}\n+ on (appid) group_left () ({date_number(dates)})"


def scraped(where: str) -> tuple[str, str]:
    """Count the exporters that Prometheus can scrape, and those that it can no longer scrape since a day."""
    known = f"last_over_time({SHARD_INFO}{{{where}}}[1d])"
    targets = f"(up{{{where}}} and on ({TARGET}) {known})"
    return f"sum({targets}) or vector(0)", f"count({targets} == 0) or 0 * count({targets})"


def counted(apps: str, among: str = "") -> str:
    """Count selected apps: 0 if there are none of them, absent if there is none to select from.

    `among` selects those; all configured ones by default.
    """
    return f"count({apps})\nor\n0 * count({among or configured()})"


def share(above: str, below: str) -> str:
    """Divide sums over the apps that have both, so that each app counts as much as what it is divided by."""
    return f"sum(({above})\n  and on (appid) ({below}))\n/\nsum(({below})\n  and on (appid) ({above}))"


def week_before(metric: str) -> str:
    """Take the figure of the date a week before each app's newest, by appid, also where that is days old.

    The week before of an app that is two days late or more is on show no longer, but it was some days ago.
    """
    at = f"{{{FLEET}}} offset {_LATE_AGO}"
    newest_date = f"max by (appid) ({daily(REF_DATE)}{{{FLEET}}})"
    late = f"({newest_date} <= {date_at_point(3)}) - {7 * DAY_SECONDS}"
    return f"""\
{before(metric, 7, FLEET)}
or
max by (appid) (
  {by_date(metric)}{at}
  and topk by (appid) (1,
    0 * ({by_date(REF_DATE)}{at} == on (appid) group_left () ({late}))
    + ignoring (ref_date) group_left () ({LAST_SUCCESS.metric}{at} or {daily(REF_DATE)}{at}))
)"""


def with_yesterday() -> str:
    """Select the apps that have yesterday's row."""
    return f"({REF} == {date_at_point(1)})"


def refreshed() -> str:
    """Select the apps that the exporter has asked for since it started."""
    return chosen(f"max by (appid) ({UP.metric}{{{FLEET}}})")


def answered() -> str:
    """Select the apps for which WeChat answered the last refresh."""
    return chosen(f"max by (appid) ({UP.metric}{{{FLEET}}}) == 1")


def failing() -> str:
    """Select the apps whose last refresh failed."""
    return chosen(f"max by (appid) ({UP.metric}{{{FLEET}}}) == 0")


def configured() -> str:
    """Select all apps."""
    return f'max by (appid) ({INFO.metric}{{{FLEET}, $label=~"$value"}})'


def seen_dates(metric: str, where: str, newest_label: str) -> str:
    """Select a figure of every date seen in the time range, labelled `ref_date`; else the newest alone."""
    shown = f"{on_show(metric, where)}\nor\n{seen(metric, '$__range', where)}"
    alone = f'label_replace(max by (appid) ({newest(metric, where)}), "ref_date", "{newest_label}", "", "")'
    return f"{shown}\nor on (appid)\n{alone}"


def dates_on_show(metric: str, where: str, days_earlier: int = 0, rows: Dated = DATES) -> str:
    """Make a point per date for the dates on show at the range's end: cheap enough for a whole fleet.

    Not `@ end()`: Grafana moves the end of a range with a step of one day to the midnight before.
    """
    return f"""\
max by (appid) (
  (
{on_show(metric, where, AT_END, rows)}
  )
  and on (appid, ref_date)
    ({rows.metric(REF_DATE)}{{{where}}} {AT_END} == {date_at_point(days_earlier)})
)"""


def dated(metric: str, where: str, days_earlier: int = 0) -> str:
    """Make a point per date: from what is on show now, from the past, or from the latest family alone.

    What is on show now comes first: the past is looked at every ten minutes, WeChat may have corrected it.
    """
    shown = (dates_on_show(metric, where, days_earlier), per_date(metric, where, days_earlier))
    return "\nor\n".join(shown if days_earlier else (*shown, per_date_from_latest(metric, where, AT_END)))


def per_period(metric: str, where: str, rows: Dated) -> str:
    """Make a point per week or month, on its first day: from what is on show now, or from the past."""
    return "\nor\n".join((dates_on_show(metric, where, rows=rows), per_date(metric, where, rows=rows)))


def dated_ratio(above: str, below: str, where: str) -> str:
    """Divide one figure by another, per date; absent if either is, or the divisor is zero."""
    return f"({dated(above, where)})\n/ on (appid)\n(({dated(below, where)}) > 0)"
