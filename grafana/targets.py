"""What a panel asks Prometheus: expressions, and the three ways of asking them."""

from collections.abc import Sequence
from dataclasses import dataclass
from string import ascii_uppercase
from typing import Final

from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.models.dashboard import DataSourceRef
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from grafana.colours import Steps

DATASOURCE: Final = DataSourceRef(type_val="prometheus", uid="${datasource}")


@dataclass(frozen=True, slots=True)
class Query:
    """One expression, what its series are called, and where it differs from its panel: unit, colours."""

    expr: str
    legend: str = ""
    unit: str = ""
    steps: Steps = ()


def ranged_target(ref: str, query: Query) -> Dataquery:
    """Return one query over the time range."""
    legend = query.legend or "__auto"
    return Dataquery().ref_id(ref).expr(query.expr).legend_format(legend).datasource(DATASOURCE).range()


def instant(queries: Sequence[Query]) -> list[Dataquery]:
    """Query the values as they are now."""
    return [ranged_target(ref, query).instant() for ref, query in zip(ascii_uppercase, queries, strict=False)]


def ranged(queries: Sequence[Query]) -> list[Dataquery]:
    """Query the values over the time range."""
    return [ranged_target(ref, query) for ref, query in zip(ascii_uppercase, queries, strict=False)]


def tables(queries: Sequence[Query]) -> list[Dataquery]:
    """Query the values as they are now, with labels as columns."""
    return [target.format(PromQueryFormat.TABLE) for target in instant(queries)]
