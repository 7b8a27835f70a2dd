"""Tables of instant queries that are merged on their common labels."""

from collections.abc import Mapping, Sequence
from string import ascii_uppercase

from grafana_foundation_sdk.builders import table
from grafana_foundation_sdk.builders.common import (
    TableFooterOptions,
    TableSortByFieldState,
)
from grafana_foundation_sdk.builders.dashboard import FieldColor
from grafana_foundation_sdk.models.dashboard import (
    DataTransformerConfig,
    FieldColorModeId,
)

from grafana.colours import PLAIN, thresholds
from grafana.overrides import override, own_steps
from grafana.panels import NUMBER, Size, explained, framed
from grafana.targets import Query, tables
from grafana.texts import Words


def listing(
    words: Words, key: str, queries: Sequence[Query], columns: Mapping[str, str], sort_by: str, size: Size
) -> table.Panel:
    """Return a table of instant queries merged on their common labels.

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
    panel = explained(framed(panel, words, key, tables(queries), NUMBER, size), words, key, queries)
    panel.transformations(joined({**columns, **column_names(queries)}))
    for query in queries:
        if query.legend and query.unit:
            panel.override_by_name(query.legend, [override("unit", query.unit), *own_steps(query.steps)])
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


def column_names(queries: Sequence[Query]) -> dict[str, str]:
    """Return what Grafana calls the queries' values in a table, and their headings."""
    return {f"Value #{name}": query.legend for name, query in zip(ascii_uppercase, queries, strict=False)}
