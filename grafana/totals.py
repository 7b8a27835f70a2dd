"""The totals of the Fleet dashboard, as WeChat's own overview has them: newest date, changes, trend.

A change compares the mini programs that have both dates, so that one that is late moves none. The trend
takes the dates on show from the exporters and those before from the recording rules' settled rows.
"""

from collections.abc import Iterator
from typing import Final

from grafana_foundation_sdk.builders import stat, timeseries

from exporter.beijing import DAY_SECONDS
from exporter.exposition.app_families import INFO, LAST_SUCCESS
from grafana.charts import dated_bars
from grafana.colours import BLUE, CHANGE
from grafana.figures import figure
from grafana.overrides import fixed, override
from grafana.panels import COUNT, NUMBER, SHARE, Size
from grafana.queries import AT_END, FLEET, LATEST, REF, chosen, configured, date_number
from grafana.targets import Query
from grafana.texts import Words
from prometheus.expressions import REF_DATE, by_date, daily, date_at_point, on_show, weighted_mean
from prometheus.recording import SETTLED_AFTER, recorded

SUMS: Final = ("session_cnt", "visit_pv", "visit_uv_new")
"""The figures that may be added up over mini programs."""
_MONTH: Final = 30
_STAMPS: Final = by_date(REF_DATE)
_SETTLED_SINCE: Final = ("122h", "116h")
"""How long after a point of its date a row is the settled one: one of them on a grid of any zone's days."""
_INCOMPLETE: Final = "1"
_COMPLETE: Final = "0"


def totals(words: Words) -> list[stat.Panel | timeseries.Panel]:
    """Make the panels of the overview."""
    return [_arrived(words), *_figures(words), *_trends(words), _apps_trend(words)]


def total(metric: str) -> str:
    """Sum a figure over the apps that have the fleet's newest date."""
    return f"sum({_on_latest(metric)})"


def change(metric: str, days: int) -> str:
    """Compute the change of a total, newest date against so many days before, on the apps that have both."""
    now, then = _on_latest(metric), _settled_then(metric) if days == _MONTH else _shown_then(metric, days)
    return f"sum({now}\n- on (appid)\n({then}))\n/\n(sum(({then})\nand on (appid)\n{now}) > 0)"


def per_date(metric: str) -> str:
    """Make a point per date on show: the total, labelled `incomplete`; 1: fewer apps than the day before.

    All but the comparison of dates is the same at every step, and computed once.
    """
    known = f"sum by (ref_date) (\n{chosen(on_show(metric, FLEET, AT_END), AT_END)}\n)"
    total = f"sum(\n{known}\nand on (ref_date) {_at_point()})"
    return f"{total}\n* on () group_right ()\n{_marked()}"


def apps_per_date() -> str:
    """Make a point per date on show: the number of apps that have it, labelled `incomplete`."""
    return f"{_apps()}\n* on () group_right ()\n{_marked()}"


def settled_per_date(metric: str) -> str:
    """Make a point per date that is no longer on show: the total of the recording rules' settled rows."""
    return f"sum(\n{_settled(metric)}\n)\nunless on () {_at_point()}"


def settled_apps_per_date() -> str:
    """Make a point per date that is no longer on show: the number of apps with a settled row."""
    return f"count(\n{_settled(REF_DATE)}\n)\nunless on () {_at_point()}"


def _on_latest(metric: str) -> str:
    """Take the figure of the apps that have the fleet's newest date, from the exporter that answered last."""
    at = f"{{{FLEET}}}"
    dates = f"{daily(REF_DATE)}{at}"
    return chosen(f"""\
max by (appid) (
  {daily(metric)}{at}
  and ({dates} == {LATEST})
  and topk by (appid) (1, {dates} + {LAST_SUCCESS.metric}{at} / 1e5 or {dates})
)""")


def _shown_then(metric: str, days: int) -> str:
    """Take the figure so many days before the fleet's newest date, by appid, from the dates on show."""
    at = f"{{{FLEET}}}"
    return f"""\
max by (appid) (
  {by_date(metric)}{at}
  and topk by (appid) (1,
    0 * ({_STAMPS}{at} == {LATEST} - {days * DAY_SECONDS})
    + ignoring (ref_date) group_left () ({LAST_SUCCESS.metric}{at} or {daily(REF_DATE)}{at}))
)"""


def _settled_then(metric: str) -> str:
    """Take the figure of 30 days before, when late rows had come and corrections were in."""
    recent = _MONTH - SETTLED_AFTER + 1  # the newest date is yesterday's, or that of the day before
    wanted = f"== {LATEST} - {_MONTH * DAY_SECONDS}"
    return "\nor\n".join(
        _settled_row(metric, f"offset {offset}", wanted) for offset in (f"{recent}d", f"{recent + 1}d")
    )


def _settled_row(metric: str, when: str, wanted: str) -> str:
    figure, dates = (f"last_over_time({recorded(name, 'settled')}[1h] {when})" for name in (metric, REF_DATE))
    return f"{figure}\n  and on (appid) ({dates} {wanted})"


def _settled(metric: str) -> str:
    rows = "\nor\n".join(
        _settled_row(metric, f"offset -{since}", f"== {date_at_point()}") for since in _SETTLED_SINCE
    )
    return f'({rows})\nand on (appid) {INFO.metric}{{{FLEET}, $label=~"$value"}} {AT_END}'


def _at_point(days_earlier: int = 0) -> str:
    """Choose the date on show that the point lies in, or one before it."""
    return f"(max by (ref_date) ({_STAMPS}{{{FLEET}}} {AT_END}) == {date_at_point(days_earlier)})"


def _apps(days_earlier: int = 0) -> str:
    have = chosen(f"count by (appid, ref_date) ({_STAMPS}{{{FLEET}}} {AT_END})", AT_END)
    return f"sum(count by (ref_date) ({have})\nand on (ref_date) {_at_point(days_earlier)})"


def _marked() -> str:
    """Give 1, labelled with whether fewer apps have the point's date than the one before."""
    return f'count_values("incomplete", {_apps()} < bool ({_apps(1)} or vector(0)))'


def _arrived(words: Words) -> stat.Panel:
    """Show the share of arrived figures, as a total in the morning covers only these."""
    have = f"count({REF} == {LATEST})"
    asked = [
        Query(f"{have}\n/\ncount({configured()})", words.word("share"), SHARE),
        Query(have, words.word("with_data")),
        Query(f"count({configured()})", words.word("configured")),
        Query(date_number(f"max({REF})"), words.word("date"), NUMBER),
    ]
    return figure(words, "totals_arrived", asked, width=24)


def _figures(words: Words) -> Iterator[stat.Panel]:
    """Show sums of the newest date, and their changes."""
    for name in SUMS:
        asked = [
            Query(total(name), words.word("total")),
            *(
                Query(change(name, days), words.word(key), SHARE, CHANGE)
                for days, key in ((1, "day_on_day"), (7, "week_on_week"), (_MONTH, "month_on_month"))
            ),
        ]
        yield figure(words, f"sum_{name}", asked, width=12)
    stay = weighted_mean(_on_latest("stay_time_session_seconds"), _on_latest("session_cnt"))
    yield figure(words, "mean_stay", [Query(stay)], words.word("seconds"), width=12).decimals(1)


def _trends(words: Words) -> Iterator[timeseries.Panel]:
    for name in SUMS:
        asked = (settled_per_date(name), per_date(name))
        yield _paled(words, f"trend_{name}", *asked)


def _apps_trend(words: Words) -> timeseries.Panel:
    return _paled(words, "trend_apps", settled_apps_per_date(), apps_per_date())


def _paled(words: Words, key: str, before: str, recent: str) -> timeseries.Panel:
    """Draw bars per date; those of an incomplete date are pale with a full outline."""
    queries = [Query(before, words.word("earlier")), Query(recent, "{{incomplete}}")]
    panel = dated_bars(words, key, queries, COUNT, Size(12)).no_value(words.word("no_dates"))
    hidden = override("custom.hideFrom", {"legend": True, "tooltip": False, "viz": False})
    panel.override_by_name(words.word("earlier"), [fixed(BLUE), hidden])
    full = [fixed(BLUE), override("displayName", words.word("complete"))]
    panel.override_by_name(_COMPLETE, full)
    pale = override("custom.fillOpacity", 15)
    name = override("displayName", words.word("incomplete"))
    return panel.override_by_name(_INCOMPLETE, [fixed(BLUE), name, pale])
