"""The ranking table of the Fleet dashboard."""

from typing import Final

from grafana_foundation_sdk.builders.table import Panel
from grafana_foundation_sdk.models.dashboard import DataTransformerConfig, DynamicConfigValue, MatcherConfig

from exporter.exposition.app_families import INFO, UP
from grafana.colours import BLUE, CHANGE, GREEN, ORANGE, UNKNOWN, VERMILION
from grafana.dashboard import link_to_app
from grafana.overrides import override
from grafana.panels import DAY, NUMBER, SHARE, Size
from grafana.queries import AT_END, DUE, FLEET, chosen, dates_on_show, newest_date_number, week_before
from grafana.tables import column_names, joined, listing
from grafana.targets import Query, ranged_target
from grafana.texts import Words, field_unit
from prometheus.expressions import REF_DATE, before, change, daily, named, newest

_FIGURES: Final = (
    ("visit_uv", "visit_uv"),
    ("visit_pv", "visit_pv"),
    ("visit_uv_new", "visit_uv_new"),
    ("session_cnt", "session_cnt"),
    ("stay_time_session", "stay_time_session_seconds"),
    ("visit_depth", "visit_depth"),
)
_TREND: Final = "T"
"""The ref id of the query with a time axis, which becomes a cell of its own per app."""
_STATES: Final = (
    ("failing", VERMILION),
    ("never", ORANGE),
    ("late", ORANGE),
    ("fine", GREEN),
    ("unasked", UNKNOWN),
)
"""What the numbers of `_state` stand for, and their colours."""
_NARROW: Final = 95
"""Pixels: eleven columns fit into 1,600."""


def ranking(words: Words) -> Panel:
    """List every app with its newest figures, their change, a sparkline and its state."""
    visitors = newest("visit_uv", FLEET)
    changes = (words.word("day_on_day"), words.word("week_on_week"))
    figures = [
        Query(chosen(newest(metric, FLEET)), words.field(name), field_unit(name, words))
        for name, metric in _FIGURES
    ]
    state = Query(_state(), words.word("state"), NUMBER)
    first = [
        Query(newest_date_number(), words.word("date"), NUMBER),
        figures[0],
        *(
            Query(chosen(change(visitors, then)), heading, SHARE, CHANGE)
            for then, heading in zip(
                (before("visit_uv", 1, FLEET), week_before("visit_uv")), changes, strict=True
            )
        ),
    ]
    asked = [*first, state, *figures[1:]]
    columns = {"name": words.word("app"), "appid": words.word("appid")}
    panel = listing(words, "ranking", asked, columns, words.field("visit_uv"), Size(24, 14))
    panel.with_target(
        ranged_target(_TREND, Query(chosen(dates_on_show("visit_uv", FLEET), AT_END)))
    ).interval(DAY)
    panel.time_from("10d").hide_time_override(True)  # noqa: FBT003 - the SDK's own signature
    names = list(column_names(asked).items())
    headings = {
        "name": columns["name"],
        **dict(names[: len(first)]),
        f"Trend #{_TREND}": words.word("trend"),
        **dict(names[len(first) :]),
        "appid": columns["appid"],
    }
    panel.min_width(_NARROW).transformations([_trends(), *joined(headings)])
    for heading in changes:
        panel.override_by_name(heading, [override("custom.cellOptions", {"type": "color-text"})])
    panel.override_by_name(words.word("trend"), _sparkline())
    panel.override_by_name(state.legend, _worded(words))
    panel.override_by_name(columns["appid"], [override("custom.minWidth", 180)])
    return panel.override_by_name(columns["name"], [override("links", [link_to_app(words)])])


def _state() -> str:
    """Return each app's index in `_STATES`; a failing app has no other state.

    After a start it may be that an app is not asked for yet, and no row of it is stored.
    """
    answered = f"max by (appid) ({UP.metric}{{{FLEET}}})"
    held = f"max by (appid) ({daily(REF_DATE)}{{{FLEET}}})"
    in_time = f"3 - (time() - {held} > bool {DUE})"
    unasked = f"4 * max by (appid) ({INFO.metric}{{{FLEET}}})"
    return chosen(named(f"{answered} == 0 or {in_time} or {answered} or {unasked}", FLEET))


def _worded(words: Words) -> list[DynamicConfigValue]:
    """Map states to coloured words, and unknown ones to grey."""
    texts = {
        f"{number}": {"index": number, "text": words.word(f"state_{name}"), "color": colour}
        for number, (name, colour) in enumerate(_STATES)
    }
    unknown = {"match": "null+nan", "result": {"text": words.word("no_value"), "color": UNKNOWN}}
    return [
        override("mappings", [{"type": "value", "options": texts}, {"type": "special", "options": unknown}]),
        override("custom.cellOptions", {"type": "color-text"}),
    ]


def _trends() -> DataTransformerConfig:
    """Turn the one query over time into a column; the instant ones pass as they are."""
    only = MatcherConfig(id_val="byRefId", options=_TREND)
    return DataTransformerConfig(id_val="timeSeriesTable", options={}, filter_val=only)


def _sparkline() -> list[DynamicConfigValue]:
    cell = {
        "type": "sparkline",
        "hideValue": True,
        "drawStyle": "line",
        "lineColor": BLUE,
        "lineWidth": 2,
        "fillOpacity": 10,
        "showPoints": "never",
    }
    colour = {"mode": "fixed", "fixedColor": BLUE}
    return [
        override("custom.cellOptions", cell),
        override("color", colour),
        override("custom.width", 140),
        override("custom.filterable", value=False),
    ]
