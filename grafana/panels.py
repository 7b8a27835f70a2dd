"""Panels of each kind, with the same text, data source, queries, unit, thresholds and colours."""

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
    VizTextDisplayOptions,
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
    DashboardSpecialValueMapOptions,
    FieldColorModeId,
    RangeMap,
    RegexMap,
    SpecialValueMap,
    SpecialValueMatch,
    ValueMap,
    ValueMappingResult,
)

from grafana.colours import BLUE, GREY, PLAIN, SERIES, Steps, thresholds
from grafana.overrides import ascending, column_names, fixed, joined, override, own_steps
from grafana.targets import DATASOURCE, Query, instant, ranged, tables
from grafana.texts import Words

DAY: Final = "1d"
NUMBER: Final = "none"
COUNT: Final = "locale"
"""Unit of counts: all digits, grouped as the reader's language does."""
SECONDS: Final = "s"
SHARE: Final = "percentunit"
_TITLE_SIZE: Final = 13  # legible at a page width of 800 px, where Grafana's own fit goes down to 5
_VALUE_SIZE: Final = 24
LABEL_LENGTH: Final = 20  # 0 would cut every label to nothing

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
class Size:
    """Width in 24ths of the page, height in Grafana's rows."""

    width: int
    height: int = 8


def figure(
    words: Words, key: str, queries: Sequence[Query], unit: str = COUNT, steps: Steps = PLAIN, width: int = 4
) -> stat.Panel:
    """A number, or a few beside each other, as they are now; grey where it is not known."""
    panel = (
        stat.Panel()
        .reduce_options(ReduceDataOptions().calcs(["lastNotNull"]))
        .graph_mode(BigValueGraphMode.NONE)
        .color_mode(BigValueColorMode.VALUE)
        .text_mode(BigValueTextMode.VALUE_AND_NAME if len(queries) > 1 else BigValueTextMode.VALUE)
        .text(VizTextDisplayOptions().title_size(_TITLE_SIZE).value_size(_VALUE_SIZE))
        .orientation(VizOrientation.VERTICAL)
        .color_scheme(FieldColor().mode(FieldColorModeId.THRESHOLDS))
        .thresholds(thresholds(steps))
    )
    for ref, query in zip(ascii_uppercase, queries, strict=False):
        if query.unit:
            panel.override_by_query(ref, [override("unit", query.unit), *own_steps(query.steps)])
    return _with_frame(panel, words, key, instant(queries), unit, Size(width, 4))


def bars_of(
    words: Words, key: str, queries: Sequence[Query], unit: str, size: Size, steps: Steps = PLAIN
) -> bargauge.Panel:
    """A bar per series of several queries, as they are now."""
    panel = (
        bargauge.Panel()
        .reduce_options(ReduceDataOptions().calcs(["lastNotNull"]))
        .orientation(VizOrientation.HORIZONTAL)
        .display_mode(BarGaugeDisplayMode.BASIC)
        .min(0)
        .value_mode(BarGaugeValueMode.TEXT)
        .name_placement(BarGaugeNamePlacement.LEFT)
        .show_unfilled(False)  # noqa: FBT003 - the SDK's own signature
        .color_scheme(FieldColor().mode(FieldColorModeId.THRESHOLDS))
        .thresholds(thresholds(steps))
    )
    return _with_frame(panel, words, key, instant(queries), unit, size)


def lines(words: Words, key: str, queries: Sequence[Query], unit: str, size: Size) -> timeseries.Panel:
    """Lines over time, at the step that fits the page."""
    panel = _axes().draw_style(GraphDrawStyle.LINE).line_width(2).show_points(VisibilityMode.AUTO)
    return _coloured(_with_frame(panel, words, key, ranged(queries), unit, size), queries)


def shaded_lines(words: Words, key: str, query: Query, unit: str, size: Size) -> timeseries.Panel:
    """Lines over time for the series of one query: shades of one colour, which any eye tells apart."""
    shades = FieldColor().mode(FieldColorModeId.SHADES).fixed_color(BLUE)
    panel = _axes().draw_style(GraphDrawStyle.LINE).line_width(2).color_scheme(shades)
    return _with_frame(panel, words, key, ranged((query,)), unit, size)


def series_lines(words: Words, key: str, query: Query, unit: str, size: Size) -> timeseries.Panel:
    """Lines over time for the many series of one query, each in a colour of its own."""
    panel = _axes().draw_style(GraphDrawStyle.LINE).line_width(2)
    return _with_frame(panel, words, key, ranged((query,)), unit, size)


def dated_lines(words: Words, key: str, queries: Sequence[Query], unit: str, size: Size) -> timeseries.Panel:
    """A line with a point per date: the expression must be right on any grid of days."""
    return lines(words, key, queries, unit, size).interval(DAY).show_points(VisibilityMode.ALWAYS)


def dated_bars(words: Words, key: str, queries: Sequence[Query], unit: str, size: Size) -> timeseries.Panel:
    """A bar per date and query: the expression must be right on any grid of days."""
    panel = _axes().interval(DAY).draw_style(GraphDrawStyle.BARS).fill_opacity(80).line_width(1).min(0)
    return _coloured(_with_frame(panel, words, key, ranged(queries), unit, size), queries)


def stacked(panel: timeseries.Panel) -> timeseries.Panel:
    """The same with its bars or areas standing on each other."""
    return panel.stacking(StackingConfig().mode(StackingMode.NORMAL).group("A"))


def category_bars(
    words: Words, key: str, queries: Sequence[Query], labels: tuple[str, str], unit: str, size: Size
) -> barchart.Panel:
    """Bars over the values of a label instead of time: right in every zone, as text has none.

    `labels`: the one that is shown, and the one that is sorted by.
    """
    panel = (
        barchart.Panel()
        .x_field(labels[0])
        .orientation(VizOrientation.VERTICAL)
        .x_tick_label_spacing(0)
        .x_tick_label_max_length(LABEL_LENGTH)
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
    panel = _with_frame(panel, words, key, tables(queries), unit, size)
    panel.transformations([*joined(column_names(queries)), ascending(labels[1])])
    for colour, query in zip(SERIES, queries, strict=False):
        panel.override_by_name(query.legend, [fixed(colour)])
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
    return _with_frame(panel, words, key, tables((query,)), unit, size)


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
    panel = _with_frame(panel, words, key, tables(queries), NUMBER, size)
    panel.transformations(joined({**columns, **column_names(queries)}))
    for query in queries:
        if query.legend and query.unit:
            panel.override_by_name(query.legend, [override("unit", query.unit), *own_steps(query.steps)])
    return panel


def needing(panel: AnyPanel, words: Words, *datasets: str) -> AnyPanel:
    """Say which datasets to switch on where a panel has nothing to show."""
    text = words.word("needs").format(", ".join(datasets))
    if not isinstance(panel, table.Panel):  # where each empty cell would say so
        panel.mappings([unknown(text)])
    return panel.no_value(text)


def unknown(text: str) -> SpecialValueMap:
    """What is not known is grey, whatever the colours of what is."""
    result = ValueMappingResult(text=text, color=GREY)
    return SpecialValueMap(
        DashboardSpecialValueMapOptions(match=SpecialValueMatch.NULL_AND_NAN, result=result)
    )


def worded(words: Words, texts: Mapping[str, str]) -> list[ValueMap | RangeMap | RegexMap | SpecialValueMap]:
    """Texts instead of numbers, and grey for what is not known."""
    return [
        unknown(words.word("no_value")),
        ValueMap({value: ValueMappingResult(text=text) for value, text in texts.items()}),
    ]


def _with_frame(
    panel: AnyPanel, words: Words, key: str, targets: Sequence[Dataquery], unit: str, size: Size
) -> AnyPanel:
    title, description = words.panel(key)
    for target in targets:
        panel.with_target(target)
    return (
        panel.mappings([unknown(words.word("no_value"))])
        .title(title)
        .description(description)
        .datasource(DATASOURCE)
        .unit(unit)
        .no_value(words.word("no_value"))
        .span(size.width)
        .height(size.height)
    )


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
        panel.override_by_query(ref, [fixed(colour), *([override("unit", query.unit)] if query.unit else [])])
    return panel
