"""What a field or a column has of its own: colour, thresholds, heading, place."""

from collections.abc import Mapping, Sequence
from string import ascii_uppercase

from grafana_foundation_sdk.models.dashboard import DataTransformerConfig, DynamicConfigValue

from grafana.colours import Steps
from grafana.targets import Query


def override(identifier: str, value: object) -> DynamicConfigValue:
    """One property of a field's override."""
    return DynamicConfigValue(id_val=identifier, value=value)


def fixed(colour: str) -> DynamicConfigValue:
    """The property that gives a field this colour."""
    return override("color", {"mode": "fixed", "fixedColor": colour})


def own_steps(steps: Steps) -> list[DynamicConfigValue]:
    """The property that gives a field its own thresholds, if it has any."""
    if not steps:
        return []
    listed = [{"value": value, "color": colour} for value, colour in steps]
    return [override("thresholds", {"mode": "absolute", "steps": listed})]


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
    """What Grafana calls the queries' values in a table, and their headings."""
    return {f"Value #{name}": query.legend for name, query in zip(ascii_uppercase, queries, strict=False)}


def ascending(field: str) -> DataTransformerConfig:
    """Rows in the ascending order of a column."""
    return DataTransformerConfig(id_val="sortBy", options={"sort": [{"field": field, "desc": False}]})
