"""The common parts of panels: text, data source, queries, unit and size, and grey for unknown values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from grafana_foundation_sdk.builders import barchart, bargauge, histogram, stat, table, timeseries
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.models.dashboard import (
    DashboardSpecialValueMapOptions,
    RangeMap,
    RegexMap,
    SpecialValueMap,
    SpecialValueMatch,
    ValueMap,
    ValueMappingResult,
)

from grafana.colours import CHANGE, UNKNOWN
from grafana.targets import DATASOURCE, Query
from grafana.texts import Language, Words

DAY: Final = "1d"


NUMBER: Final = "none"


COUNT: Final = "locale"
"""Unit of counts: all digits, grouped as the reader's language does."""


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
class Size:
    """Width in 24ths of the page, height in Grafana's rows."""

    width: int
    height: int = 8


def framed(
    panel: AnyPanel, words: Words, key: str, targets: Sequence[Dataquery], unit: str, size: Size
) -> AnyPanel:
    """Give a panel its common parts, by the key of its texts."""
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


def explained(panel: AnyPanel, words: Words, key: str, queries: Sequence[Query]) -> AnyPanel:
    """Say in the description what the colours of changes mean, if there are any."""
    if all(query.steps != CHANGE for query in queries):
        return panel
    _, description = words.panel(key)
    between = " " if words.language is Language.EN else ""
    return panel.description(f"{description}{between}{words.word('change_colours')}")


def needing(panel: AnyPanel, words: Words, *datasets: str) -> AnyPanel:
    """Say which datasets to switch on where a panel has nothing to show."""
    text = words.word("needs").format(", ".join(datasets))
    if not isinstance(panel, table.Panel):  # where each empty cell would say so
        panel.mappings([unknown(text)])
    return panel.no_value(text)


def unknown(text: str) -> SpecialValueMap:
    """Map unknown values to a text in grey."""
    result = ValueMappingResult(text=text, color=UNKNOWN)
    return SpecialValueMap(
        DashboardSpecialValueMapOptions(match=SpecialValueMatch.NULL_AND_NAN, result=result)
    )


def worded(words: Words, texts: Mapping[str, str]) -> list[ValueMap | RangeMap | RegexMap | SpecialValueMap]:
    """Map numbers to texts, and unknown values to grey."""
    return [
        unknown(words.word("no_value")),
        ValueMap({value: ValueMappingResult(text=text) for value, text in texts.items()}),
    ]
