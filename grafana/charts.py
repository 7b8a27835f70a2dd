"""Panels over time, over dates and over classes: lines, bars and a histogram."""

from collections.abc import Sequence
from string import ascii_uppercase

from grafana_foundation_sdk.builders import histogram, timeseries
from grafana_foundation_sdk.builders.common import (
    StackingConfig,
    VizLegendOptions,
    VizTooltipOptions,
)
from grafana_foundation_sdk.builders.dashboard import FieldColor
from grafana_foundation_sdk.models.common import (
    BarAlignment,
    GraphDrawStyle,
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    StackingMode,
    TooltipDisplayMode,
    VisibilityMode,
)
from grafana_foundation_sdk.models.dashboard import (
    FieldColorModeId,
)

from grafana.colours import BLUE, PLAIN, SERIES, thresholds
from grafana.overrides import fixed, override
from grafana.panels import DAY, Size, framed
from grafana.targets import Query, ranged, tables
from grafana.texts import Words


def lines(words: Words, key: str, queries: Sequence[Query], unit: str, size: Size) -> timeseries.Panel:
    """Draw lines over time, at the step that fits the page."""
    panel = _axes().draw_style(GraphDrawStyle.LINE).line_width(2).show_points(VisibilityMode.AUTO)
    return _coloured(framed(panel, words, key, ranged(queries), unit, size), queries)


def shaded_lines(words: Words, key: str, query: Query, unit: str, size: Size) -> timeseries.Panel:
    """Draw lines over time for the series of one query, in distinct shades of one colour."""
    shades = FieldColor().mode(FieldColorModeId.SHADES).fixed_color(BLUE)
    panel = _axes().draw_style(GraphDrawStyle.LINE).line_width(2).color_scheme(shades)
    return framed(panel, words, key, ranged((query,)), unit, size)


def series_lines(words: Words, key: str, query: Query, unit: str, size: Size) -> timeseries.Panel:
    """Draw lines over time for the many series of one query, each in a different colour."""
    panel = _axes().draw_style(GraphDrawStyle.LINE).line_width(2)
    return framed(panel, words, key, ranged((query,)), unit, size)


def dated_lines(words: Words, key: str, queries: Sequence[Query], unit: str, size: Size) -> timeseries.Panel:
    """Draw a line with a point per date: the expression must be right on any grid of days."""
    return lines(words, key, queries, unit, size).interval(DAY).show_points(VisibilityMode.ALWAYS)


def dated_bars(words: Words, key: str, queries: Sequence[Query], unit: str, size: Size) -> timeseries.Panel:
    """Draw a bar per date and query: the expression must be right on any grid of days.

    A bar goes from its point on, so that the first one is in the picture with its whole width.
    """
    panel = _axes().interval(DAY).draw_style(GraphDrawStyle.BARS).bar_alignment(BarAlignment.AFTER)
    panel.fill_opacity(80).line_width(1).min(0)
    return _coloured(framed(panel, words, key, ranged(queries), unit, size), queries)


def stacked(panel: timeseries.Panel) -> timeseries.Panel:
    """Return the panel with its bars or areas stacked."""
    return panel.stacking(StackingConfig().mode(StackingMode.NORMAL).group("A"))


def spread(words: Words, key: str, query: Query, unit: str, bucket: int, size: Size) -> histogram.Panel:
    """Draw a histogram of the series' values, in classes of the width `bucket`."""
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
    return framed(panel, words, key, tables((query,)), unit, size)


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
    """Give each query its colour, and a legend if there are several, as the title names a single one."""
    panel.legend(_legend(show=len(queries) > 1))
    for ref, colour, query in zip(ascii_uppercase, SERIES, queries, strict=False):
        panel.override_by_query(ref, [fixed(colour), *([override("unit", query.unit)] if query.unit else [])])
    return panel
