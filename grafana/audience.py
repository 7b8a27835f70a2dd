"""The Audience dashboard: visitors of a day, a week and a month, how many are new, how many share."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from grafana_foundation_sdk.builders import stat, table, timeseries
from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana.charts import dated_bars, dated_lines
from grafana.dashboard import APP, chosen_apps, link_to_app, new_dashboard, numbered, section
from grafana.datasets import app_columns, datasets_on, per_app_section, ratio
from grafana.figures import figure
from grafana.overrides import override
from grafana.panels import COUNT, SHARE, Size, needing
from grafana.queries import FLEET, chosen, dated, dated_ratio, per_period, share
from grafana.tables import listing
from grafana.targets import Query
from grafana.texts import Words
from prometheus.datasets import MONTHLY, SUMMARY, WEEKLY, Latest, newest_row
from prometheus.dated import DATES, MONTHS, WEEKS
from prometheus.expressions import REF_DATE, newest, seen

_MONTH_AND_MORE: Final = "63d"
"""In which the dates of the last complete month were on show, whenever that is asked."""
_COARSE: Final = replace(DATES, step="6h")
_HALF: Final = Size(12)


def audience(words: Words) -> Dashboard:
    """Make the dashboard in the language of the words; a quarter, so that months can be compared."""
    board = new_dashboard("audience", words, "now-90d", chosen_apps(words))
    fleet = [*_fleet(words), datasets_on(words, [WEEKLY, MONTHLY, SUMMARY]), _table(words)]
    section(board, words.word("all_apps"), fleet)
    per_app_section(board, [*_figures(words), *_charts(words)])
    return numbered(board)


def _row(rows: Latest, figure: str, where: str = FLEET) -> str:
    return newest_row(rows, figure, where)


def _fleet(words: Words) -> Iterator[stat.Panel]:
    """Show shares over the apps that have both figures."""
    week, month = _row(WEEKLY, "visit_uv"), _row(MONTHLY, "visit_uv")
    shares = (
        ("all_week_of_month", chosen(week), month, [WEEKLY, MONTHLY]),
        ("all_new_of_week", chosen(_row(WEEKLY, "visit_uv_new")), week, [WEEKLY]),
        ("all_new_of_month", chosen(_row(MONTHLY, "visit_uv_new")), month, [MONTHLY]),
        ("all_share_rate", chosen(_shared(FLEET)), newest("visit_uv", FLEET), [SUMMARY]),
    )
    for key, above, below, needed in shares:
        panel = figure(words, key, [Query(share(above, below))], SHARE, width=4)
        yield needing(panel, words, *(rows.dataset for rows in needed)).decimals(1)


def _shared(where: str) -> str:
    """Select those who shared on the date of the newest daily trend, as the summary may have another date."""
    same = f"max by (appid) ({SUMMARY.dates(where)}) == on (appid) max by (appid) ({newest(REF_DATE, where)})"
    return f"{_row(SUMMARY, 'share_uv', where)}\nand on (appid) ({same})"


def _table(words: Words) -> table.Panel:
    day, week, month = newest("visit_uv", FLEET), _row(WEEKLY, "visit_uv"), _row(MONTHLY, "visit_uv")
    figures = (
        ("month_users", month, COUNT),
        ("week_users", week, COUNT),
        ("day_users", day, COUNT),
        ("week_of_month", ratio(week, month), SHARE),
        ("new_of_week", ratio(_row(WEEKLY, "visit_uv_new"), week), SHARE),
        ("share_rate", ratio(_shared(FLEET), day), SHARE),
        ("total_users", _row(SUMMARY, "visit_total_users"), COUNT),
    )
    asked = [Query(chosen(expr), words.word(key), unit) for key, expr, unit in figures]
    panel = listing(
        words, "audience_table", asked, app_columns(words), words.word("month_users"), Size(24, 10)
    )
    panel.override_by_name(words.word("app"), [override("links", [link_to_app(words)])])
    return needing(panel, words, WEEKLY.dataset, MONTHLY.dataset, SUMMARY.dataset)


def _figures(words: Words) -> Iterator[stat.Panel]:
    day, week, month = newest("visit_uv", APP), _row(WEEKLY, "visit_uv", APP), _row(MONTHLY, "visit_uv", APP)
    yield figure(words, "day_users", [Query(day)], width=6)
    yield needing(figure(words, "week_users", [Query(week)], width=6), words, WEEKLY.dataset)
    yield needing(figure(words, "month_users", [Query(month)], width=6), words, MONTHLY.dataset)
    total = [Query(_row(SUMMARY, "visit_total_users", APP))]
    yield needing(figure(words, "total_users", total, width=6), words, SUMMARY.dataset)
    sticky = [
        Query(_days_of_month(month), words.word("day_of_month"), SHARE),
        Query(ratio(week, month), words.word("week_of_month"), SHARE),
    ]
    yield needing(figure(words, "stickiness", sticky, SHARE, width=8), words, MONTHLY.dataset).decimals(1)
    new = [
        Query(ratio(_row(WEEKLY, "visit_uv_new", APP), week), words.word("of_week"), SHARE),
        Query(ratio(_row(MONTHLY, "visit_uv_new", APP), month), words.word("of_month"), SHARE),
    ]
    yield needing(figure(words, "new_share", new, SHARE, width=8), words, WEEKLY.dataset).decimals(1)
    rate = [Query(ratio(_shared(APP), day))]
    yield needing(figure(words, "share_rate", rate, SHARE, width=8), words, SUMMARY.dataset).decimals(1)


def _days_of_month(month: str) -> str:
    """Divide the mean visitors of the last complete month's days by the month's, once all days are known."""
    stamps = f"max by (appid, ref_date) ({DATES.metric(REF_DATE)}{{{APP}}})"
    begin, end = (
        f"on (appid) group_left () max by (appid) ({MONTHLY.select(name, APP)})"
        for name in (REF_DATE, "end_timestamp_seconds")
    )
    in_month = f"last_over_time({stamps}[{_MONTH_AND_MORE}:{_COARSE.step}]) >= {begin} < {end}"
    visitors = seen("visit_uv", _MONTH_AND_MORE, APP, rows=_COARSE)
    days = f"({MONTHLY.select('end_timestamp_seconds', APP)} - {MONTHLY.select(REF_DATE, APP)}) / 86400"
    return f"""\
avg by (appid) (
  {visitors}
  and on (appid, ref_date) ({in_month})
)
/ on (appid) ({month})
and on (appid) (count by (appid) ({in_month}) == on (appid) max by (appid) ({days}))"""


def _charts(words: Words) -> Iterator[timeseries.Panel]:
    days = [Query(dated("visit_uv", APP), words.word("day_users"))]
    yield dated_bars(words, "dated_day_users", days, COUNT, _HALF)
    for rows, latest, key in ((WEEKS, WEEKLY, "week_users"), (MONTHS, MONTHLY, "month_users")):
        asked = [Query(per_period("visit_uv", APP, rows), words.word(key))]
        yield needing(dated_bars(words, f"dated_{key}", asked, COUNT, Size(6)), words, latest.dataset)
    new = [Query(dated_ratio("visit_uv_new", "visit_uv", APP), words.word("new_share"))]
    yield dated_lines(words, "dated_new_share", new, SHARE, Size(8)).min(0)
    rates = [Query(dated_ratio("share_uv", "visit_uv", APP), words.word("share_rate"))]
    yield needing(
        dated_lines(words, "dated_share_rate", rates, SHARE, Size(8)).min(0), words, SUMMARY.dataset
    )
    total = [Query(dated("visit_total_users", APP), words.word("total_users"))]
    yield needing(dated_lines(words, "dated_total_users", total, COUNT, Size(8)), words, SUMMARY.dataset)
