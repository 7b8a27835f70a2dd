"""Numbers and bars as they are now: one value, or one per series."""

from collections.abc import Sequence
from string import ascii_uppercase
from typing import Final

from grafana_foundation_sdk.builders import bargauge, stat
from grafana_foundation_sdk.builders.common import (
    ReduceDataOptions,
    VizTextDisplayOptions,
)
from grafana_foundation_sdk.builders.dashboard import FieldColor
from grafana_foundation_sdk.models.common import (
    BarGaugeDisplayMode,
    BarGaugeNamePlacement,
    BarGaugeValueMode,
    BigValueColorMode,
    BigValueGraphMode,
    BigValueTextMode,
    VizOrientation,
)
from grafana_foundation_sdk.models.dashboard import (
    FieldColorModeId,
)

from grafana.colours import ALL_IS_GOOD, NONE_IS_GOOD, PLAIN, Steps, thresholds
from grafana.overrides import override, own_steps
from grafana.panels import COUNT, Size, explained, framed
from grafana.queries import scraped
from grafana.targets import Query, instant
from grafana.texts import Words

_TITLE_SIZE: Final = 13  # legible at a page width of 800 px, where Grafana's own fit goes down to 5
_VALUE_SIZE: Final = 24
_VALUES_SIZE: Final = 18  # several beside each other


def figure(
    words: Words, key: str, queries: Sequence[Query], unit: str = COUNT, steps: Steps = PLAIN, width: int = 4
) -> stat.Panel:
    """Show one number, or several side by side, as they are now; unknown ones are grey."""
    panel = (
        stat.Panel()
        .reduce_options(ReduceDataOptions().calcs(["lastNotNull"]))
        .graph_mode(BigValueGraphMode.NONE)
        .color_mode(BigValueColorMode.VALUE)
        .text_mode(BigValueTextMode.VALUE_AND_NAME if len(queries) > 1 else BigValueTextMode.VALUE)
        .text(
            VizTextDisplayOptions()
            .title_size(_TITLE_SIZE)
            .value_size(_VALUE_SIZE if len(queries) == 1 else _VALUES_SIZE)
        )
        .orientation(VizOrientation.VERTICAL)
        .color_scheme(FieldColor().mode(FieldColorModeId.THRESHOLDS))
        .thresholds(thresholds(steps))
    )
    for ref, query in zip(ascii_uppercase, queries, strict=False):
        if query.unit:
            panel.override_by_query(ref, [override("unit", query.unit), *own_steps(query.steps)])
    return explained(framed(panel, words, key, instant(queries), unit, Size(width, 4)), words, key, queries)


def exporters_scraped(words: Words, key: str, where: str) -> stat.Panel:
    """Show how many exporters answer, and how many do not: those that do say nothing of the others' apps."""
    answering, down = scraped(where)
    asked = [
        Query(answering, words.word("scraped"), COUNT, ALL_IS_GOOD),
        Query(down, words.word("down"), COUNT, NONE_IS_GOOD),
    ]
    return figure(words, key, asked, width=6)


def bars_of(
    words: Words, key: str, queries: Sequence[Query], unit: str, size: Size, steps: Steps = PLAIN
) -> bargauge.Panel:
    """Draw a bar per series of several queries, as they are now."""
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
    return framed(panel, words, key, instant(queries), unit, size)
