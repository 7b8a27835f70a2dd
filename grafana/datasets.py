"""What the dashboards about datasets share: whether they are on, columns and rows per app, ratios."""

from collections.abc import Sequence

from grafana_foundation_sdk.builders import stat
from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import Panel

from grafana.dashboard import section
from grafana.figures import figure
from grafana.queries import FLEET, chosen
from grafana.targets import Query
from grafana.texts import Words
from prometheus.datasets import Latest, switched_on


def datasets_on(words: Words, needed: Sequence[Latest], width: int = 8) -> stat.Panel:
    """How many apps have each dataset; grey where none has."""
    asked = [Query(f"count({chosen(switched_on(rows, FLEET))})", rows.dataset) for rows in needed]
    return figure(words, "datasets_on", asked, width=width)


def app_columns(words: Words) -> dict[str, str]:
    """The label columns of a table with a row per app."""
    return {"name": words.word("app"), "appid": words.word("appid")}


def per_app_section(board: Dashboard, panels: Sequence[Builder[Panel]]) -> None:
    """A row of these panels for each app chosen."""
    section(board, "${appid:text}", panels, repeat="appid")


def ratio(above: str, below: str) -> str:
    """One figure of an app by another; absent where either is, or the lower one is zero."""
    return f"({above})\n/ on (appid) group_left () max by (appid) (({below}) > 0)"
