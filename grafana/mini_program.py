"""The Mini program dashboard: the chosen ones, each in a row of its own."""

from collections.abc import Iterator
from typing import Final

from grafana_foundation_sdk.builders import stat, table, timeseries
from grafana_foundation_sdk.models.common import BarAlignment
from grafana_foundation_sdk.models.dashboard import Dashboard

from exporter.datasets.daily_trend import FIELDS
from exporter.exposition.app_families import ERROR_INFO, INFO, LAST_SUCCESS, UP
from grafana.charts import dated_bars, dated_lines, series_lines, stacked
from grafana.colours import ALL_IS_GOOD, CHANGE, DAYS_OLD
from grafana.dashboard import APP, app, label_filter, new_dashboard, numbered, section
from grafana.failing_table import failing_table
from grafana.figures import figure
from grafana.overrides import override
from grafana.panels import COUNT, DAY, NUMBER, SHARE, Size, worded
from grafana.queries import AT_END, date_number, dated, dated_ratio, seen_dates
from grafana.tables import listing
from grafana.targets import Query
from grafana.texts import Words, field_unit
from prometheus.expressions import REF_DATE, before, change, daily, newest, seen_before

_HALF: Final = Size(12)


def mini_program(words: Words) -> Dashboard:
    """Return the dashboard in the language of the words."""
    board = new_dashboard("mini-program", words, "now-30d", [*label_filter(words), app(words)])
    panels = [*_newest(words), *_bars(words), *_means(words), _weekday(words), _table(words)]
    section(board, words.word("side_by_side"), [_overlay(words)])
    section(board, "${appid:text}", panels, repeat="appid")
    return numbered(board)


def _overlay(words: Words) -> timeseries.Panel:
    """Draw a line per chosen app, under the name that it has at the end of the range."""
    answered = f"{LAST_SUCCESS.metric}{{{APP}}} {AT_END} or {INFO.metric}{{{APP}}} {AT_END}"
    name = f"count by (appid, name) (topk by (appid) (1, {answered}))"
    visitors = f"({dated('visit_uv', APP)})\n* on (appid) group_left (name) {name}"
    return series_lines(words, "overlay", Query(visitors, "{{name}}"), COUNT, Size(24)).min(0).interval(DAY)


def _alerts(words: Words) -> table.Panel:
    firing = f'max by (alertname, severity) (ALERTS{{alertstate="firing", {APP}}})'
    columns = {"alertname": words.word("alert"), "severity": words.word("severity")}
    panel = listing(words, "one_alerts", [Query(firing)], columns, words.word("severity"), Size(6, 4))
    return panel.no_value(words.word("nothing_fires"))


def _newest(words: Words) -> Iterator[stat.Panel | table.Panel]:
    texts = {"0": words.word("failing_state"), "1": words.word("ok_state")}
    state = Query(f"max({UP.metric}{{{APP}}})")
    stamp = f"max({daily(REF_DATE)}{{{APP}}})"
    yield figure(words, "one_state", [state], NUMBER, ALL_IS_GOOD, width=3).mappings(worded(words, texts))
    age = [
        Query(date_number(stamp), words.word("date"), NUMBER),
        Query(f"floor((time() - {stamp}) / 86400)", words.word("days_old"), NUMBER, DAYS_OLD),
    ]
    yield figure(words, "one_newest", age, NUMBER, width=5)
    yield failing_table(words, "one_failing", f"{ERROR_INFO.metric}{{{APP}}}", Size(10, 4))
    yield _alerts(words)
    for field in FIELDS:
        now = newest(field.metric, APP)
        asked = [
            Query(now, words.word("newest")),
            *(
                Query(change(now, _before(field.metric, days)), words.word(key), SHARE, CHANGE)
                for days, key in ((1, "day_on_day"), (7, "week_on_week"))
            ),
        ]
        width = 12 if field.integral else 8  # counts in millions fit at a page width of 800 px
        yield figure(words, f"one_{field.name}", asked, field_unit(field.name, words), width=width)


def _before(metric: str, days: int) -> str:
    """Take the figure so many days before the newest date, also where that is no longer on show."""
    return f"{before(metric, days, APP)}\nor\n{seen_before(metric, days, APP)}"


def _bars(words: Words) -> Iterator[timeseries.Panel]:
    for name in ("visit_pv", "visit_uv"):
        yield dated_bars(words, f"dated_{name}", [Query(dated(name, APP), words.field(name))], COUNT, _HALF)
    returning = f"({dated('visit_uv', APP)})\n- on (appid)\n({dated('visit_uv_new', APP)})"
    kinds = [
        Query(dated("visit_uv_new", APP), words.field("visit_uv_new")),
        Query(returning, words.word("returning")),
    ]
    yield stacked(dated_bars(words, "dated_new", kinds, COUNT, _HALF))
    opens = Query(dated("session_cnt", APP), words.field("session_cnt"))
    yield dated_bars(words, "dated_session_cnt", [opens], COUNT, _HALF)


def _means(words: Words) -> Iterator[timeseries.Panel]:
    stays = [
        Query(dated(f"{name}_seconds", APP), words.field(name))
        for name in ("stay_time_uv", "stay_time_session")
    ]
    yield dated_lines(words, "dated_stay", stays, words.word("seconds"), Size(8)).min(0)
    depth = Query(dated("visit_depth", APP), words.field("visit_depth"))
    yield dated_lines(words, "dated_depth", [depth], NUMBER, Size(8)).decimals(2).min(0)
    ratios = [
        Query(dated_ratio("session_cnt", "visit_uv", APP), words.word("opens_per_visitor")),
        Query(dated_ratio("visit_pv", "session_cnt", APP), words.word("pages_per_open")),
    ]
    yield dated_lines(words, "dated_ratios", ratios, NUMBER, Size(8)).decimals(2).min(0)


def _weekday(words: Words) -> timeseries.Panel:
    asked = [
        Query(dated("visit_uv", APP), words.word("this_date")),
        Query(dated("visit_uv", APP, 7), words.word("week_before")),
    ]
    panel = dated_bars(words, "weekday", asked, COUNT, Size(24)).bar_alignment(BarAlignment.CENTER)
    style = {"fill": "dash", "dash": [8, 6]}
    return panel.override_by_name(
        words.word("week_before"),  # a line, as Grafana draws bars of one date over each other
        [
            override("custom.drawStyle", "line"),
            override("custom.lineStyle", style),
            override("custom.fillOpacity", 0),
        ],
    )


def _table(words: Words) -> table.Panel:
    date, label = words.word("date"), words.word("newest")
    asked = [
        Query(seen_dates(field.metric, APP, label), words.field(field.name), field_unit(field.name, words))
        for field in FIELDS
    ]
    return listing(words, "dates_table", asked, {"ref_date": date}, date, Size(24, 11))
