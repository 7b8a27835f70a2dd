"""Panels of each kind, dressed alike: text, data source, queries, unit, thresholds, colours."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Final, TypeVar

from grafana_foundation_sdk.builders import barchart, bargauge, histogram, stat, table, timeseries
from grafana_foundation_sdk.builders.common import (
    ReduceDataOptions,
    StackingConfig,
    TableFooterOptions,
    TableSortByFieldState,
    VizLegendOptions,
    VizTooltipOptions,
)
from grafana_foundation_sdk.builders.dashboard import FieldColor
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.models.common import (
    BarGaugeDisplayMode,
    BarGaugeNamePlacement,
    BarGaugeValueMode,
    BigValueColorMode,
    BigValueGraphMode,
    BigValueTextMode,
    GraphDrawStyle,
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    StackingMode,
    TooltipDisplayMode,
    VisibilityMode,
    VizOrientation,
)
from grafana_foundation_sdk.models.dashboard import (
    DataSourceRef,
    DataTransformerConfig,
    DynamicConfigValue,
    FieldColorModeId,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from grafana.colours import BLUE, PLAIN, SERIES, Steps, thresholds
from grafana.texts import Words

DATASOURCE: Final = DataSourceRef(type_val="prometheus", uid="${datasource}")
DAY: Final = "1d"
NUMBER: Final = "none"
COUNT: Final = "locale"
"""Unit of counts: all digits, grouped as the reader's language does."""
SECONDS: Final = "s"
SHARE: Final = "percentunit"

AnyPanel = TypeVar(
    "AnyPanel",
    stat.Panel,
    timeseries.Panel,
    table.Panel,
    bargauge.Panel,
    barchart.Panel,
    histogram.Panel,
)


@dataclass(frozen=True, slots=True)
class Query:
    """One expression, what its series are called, and where it differs from its panel: unit, colours."""

    expr: str
    legend: str = ""
    unit: str = ""
    steps: Steps = ()


@dataclass(frozen=True, slots=True)
class Size:
    """Width in 24ths of the page, height in Grafana's rows."""

    width: int
    height: int = 8


def figure(
    words: Words, key: str, queries: Sequence[Query], unit: str = COUNT, steps: Steps = PLAIN, width: int = 4
) -> stat.Panel:
    """A number, or a few beside each other, as they are now."""
    panel = (
        stat.Panel()
        .reduce_options(ReduceDataOptions().calcs(["lastNotNull"]))
        .graph_mode(BigValueGraphMode.NONE)
        .color_mode(BigValueColorMode.VALUE)
        .text_mode(BigValueTextMode.VALUE_AND_NAME if len(queries) > 1 else BigValueTextMode.VALUE)
        .orientation(VizOrientation.VERTICAL)
        .color_scheme(FieldColor().mode(FieldColorModeId.THRESHOLDS))
        .thresholds(thresholds(steps))
    )
    for ref, query in zip(ascii_uppercase, queries, strict=False):
        if query.unit:
            panel.override_by_query(ref, [override("unit", query.unit), *_steps(query.steps)])
    return _dress(panel, words, key, _instant(queries), unit, Size(width, 4))


def bars_of(
    words: Words, key: str, queries: Sequence[Query], unit: str, size: Size, steps: Steps = PLAIN
) -> bargauge.Panel:
    """A bar per series of several queries, as they are now."""
    panel = (
        bargauge.Panel()
        .reduce_options(ReduceDataOptions().calcs(["lastNotNull"]))
        .orientation(VizOrientation.HORIZONTAL)
        .display_mode(BarGaugeDisplayMode.BASIC)
        .value_mode(BarGaugeValueMode.TEXT)
        .name_placement(BarGaugeNamePlacement.LEFT)
        .show_unfilled(False)  # noqa: FBT003 - the SDK's own signature
        .color_scheme(FieldColor().mode(FieldColorModeId.THRESHOLDS))
        .thresholds(thresholds(steps))
    )
    return _dress(panel, words, key, _instant(queries), unit, size)


def lines(words: Words, key: str, queries: Sequence[Query], unit: str, size: Size) -> timeseries.Panel:
    """Lines over time, at the step that fits the page."""
    panel = _axes().draw_style(GraphDrawStyle.LINE).line_width(2).show_points(VisibilityMode.AUTO)
    return _coloured(_dress(panel, words, key, _ranged(queries), unit, size), queries)


def dated_lines(words: Words, key: str, queries: Sequence[Query], unit: str, size: Size) -> timeseries.Panel:
    """A line with a point per date: the expression must be right on any grid of days."""
    return lines(words, key, queries, unit, size).interval(DAY).show_points(VisibilityMode.ALWAYS)


def dated_bars(words: Words, key: str, queries: Sequence[Query], unit: str, size: Size) -> timeseries.Panel:
    """A bar per date and query: the expression must be right on any grid of days."""
    panel = _axes().interval(DAY).draw_style(GraphDrawStyle.BARS).fill_opacity(80).line_width(1).min(0)
    return _coloured(_dress(panel, words, key, _ranged(queries), unit, size), queries)


def stacked(panel: timeseries.Panel) -> timeseries.Panel:
    """The same with its bars standing on each other."""
    return panel.stacking(StackingConfig().mode(StackingMode.NORMAL).group("A"))


def category_bars(
    words: Words, key: str, queries: Sequence[Query], label: str, unit: str, size: Size
) -> barchart.Panel:
    """Bars over the values of a label instead of time: right in every zone, as text has none."""
    panel = (
        barchart.Panel()
        .x_field(label)
        .orientation(VizOrientation.VERTICAL)
        .x_tick_label_spacing(100)
        .show_value(VisibilityMode.NEVER)
        .stacking(StackingMode.NONE)
        .group_width(0.7)
        .bar_width(0.95)
        .line_width(1)
        .fill_opacity(80)
        .min(0)
        .legend(_legend())
        .tooltip(VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.NONE))
        .thresholds(thresholds(PLAIN))
    )
    panel = _dress(panel, words, key, _tables(queries), unit, size)
    panel.transformations([*joined(column_names(queries)), _ascending(label)])
    for colour, query in zip(SERIES, queries, strict=False):
        panel.override_by_name(query.legend, [_fixed(colour)])
    return panel


def spread(words: Words, key: str, query: Query, unit: str, bucket: int, size: Size) -> histogram.Panel:
    """How many series have a value in each class of the width `bucket`."""
    panel = (
        histogram.Panel()
        .bucket_size(bucket)
        .combine(True)  # noqa: FBT003 - the SDK's own signature
        .line_width(1)
        .fill_opacity(80)
        .legend(_legend(show=False))
        .thresholds(thresholds(PLAIN))
        .color_scheme(FieldColor().mode(FieldColorModeId.FIXED).fixed_color(BLUE))
    )
    return _dress(panel, words, key, _tables((query,)), unit, size)


def listing(
    words: Words, key: str, queries: Sequence[Query], columns: Mapping[str, str], sort_by: str, size: Size
) -> table.Panel:
    """A table of instant queries merged on their common labels.

    Args:
        words: the language.
        key: of the panel's texts.
        queries: their legends are the columns' headings; an empty one hides the column.
        columns: labels to show, in this order before the values, and their headings.
        sort_by: the heading of the column that is sorted by, largest first.
        size: of the panel.
    """
    panel = (
        table.Panel()
        .show_header(True)  # noqa: FBT003 - the SDK's own signature
        .filterable(True)  # noqa: FBT003 - the same
        .sort_by([TableSortByFieldState().display_name(sort_by).desc(True)])  # noqa: FBT003 - the same
        .footer(TableFooterOptions().enable_pagination(True).show(False).reducer([]))  # noqa: FBT003 - the same
        .color_scheme(FieldColor().mode(FieldColorModeId.THRESHOLDS))
        .thresholds(thresholds(PLAIN))
    )
    panel = _dress(panel, words, key, _tables(queries), NUMBER, size)
    panel.transformations(joined({**columns, **column_names(queries)}))
    for query in queries:
        if query.legend and query.unit:
            panel.override_by_name(query.legend, [override("unit", query.unit), *_steps(query.steps)])
    return panel


def joined(headings: Mapping[str, str]) -> list[DataTransformerConfig]:
    """Join the queries' tables on their labels; order and name the columns, hide those without a name.

    A panel with one query has its values in a column `Value`, with several in `Value #A` and so on.
    """
    hidden = ["Time", "Value", *(name for name, shown in headings.items() if not shown)]
    return [
        DataTransformerConfig(id_val="merge", options={}),
        DataTransformerConfig(
            id_val="organize",
            options={
                "excludeByName": dict.fromkeys(hidden, True),
                "indexByName": {name: position for position, name in enumerate(headings)},
                "renameByName": {name: shown for name, shown in headings.items() if shown},
            },
        ),
    ]


def ranged_target(ref: str, query: Query) -> Dataquery:
    """One query over the time range."""
    legend = query.legend or "__auto"
    return Dataquery().ref_id(ref).expr(query.expr).legend_format(legend).datasource(DATASOURCE).range()


def override(identifier: str, value: object) -> DynamicConfigValue:
    """One property of a field's override."""
    return DynamicConfigValue(id_val=identifier, value=value)


def column_names(queries: Sequence[Query]) -> dict[str, str]:
    """What Grafana calls the queries' values in a table, and their headings."""
    return {f"Value #{name}": query.legend for name, query in zip(ascii_uppercase, queries, strict=False)}


def _ascending(field: str) -> DataTransformerConfig:
    return DataTransformerConfig(id_val="sortBy", options={"sort": [{"field": field, "desc": False}]})


def _dress(
    panel: AnyPanel, words: Words, key: str, targets: Sequence[Dataquery], unit: str, size: Size
) -> AnyPanel:
    title, description = words.panel(key)
    for target in targets:
        panel.with_target(target)
    return (
        panel.title(title)
        .description(description)
        .datasource(DATASOURCE)
        .unit(unit)
        .no_value(words.word("no_value"))
        .span(size.width)
        .height(size.height)
    )


def _instant(queries: Sequence[Query]) -> list[Dataquery]:
    return [ranged_target(ref, query).instant() for ref, query in zip(ascii_uppercase, queries, strict=False)]


def _ranged(queries: Sequence[Query]) -> list[Dataquery]:
    return [ranged_target(ref, query) for ref, query in zip(ascii_uppercase, queries, strict=False)]


def _tables(queries: Sequence[Query]) -> list[Dataquery]:
    return [target.format(PromQueryFormat.TABLE) for target in _instant(queries)]


def _axes() -> timeseries.Panel:
    return (
        timeseries.Panel()
        .legend(_legend())
        .tooltip(VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING))
        .thresholds(thresholds(PLAIN))
        .color_scheme(FieldColor().mode(FieldColorModeId.PALETTE_CLASSIC_BY_NAME))
    )


def _legend(*, show: bool = True) -> VizLegendOptions:
    return (
        VizLegendOptions()
        .display_mode(LegendDisplayMode.LIST)
        .placement(LegendPlacement.BOTTOM)
        .show_legend(show)
    )


def _coloured(panel: timeseries.Panel, queries: Sequence[Query]) -> timeseries.Panel:
    for ref, colour, query in zip(ascii_uppercase, SERIES, queries, strict=False):
        panel.override_by_query(
            ref, [_fixed(colour), *([override("unit", query.unit)] if query.unit else [])]
        )
    return panel


def _steps(steps: Steps) -> list[DynamicConfigValue]:
    if not steps:
        return []
    told = [{"value": value, "color": colour} for value, colour in steps]
    return [override("thresholds", {"mode": "absolute", "steps": told})]


def _fixed(colour: str) -> DynamicConfigValue:
    return override("color", {"mode": "fixed", "fixedColor": colour})
