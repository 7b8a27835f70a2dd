"""Common parts of the dashboards about datasets: which are on, columns and rows per app, ratios."""

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
    """Count the apps that have each dataset; grey if none has."""
    asked = [Query(f"count({chosen(switched_on(rows, FLEET))})", rows.dataset) for rows in needed]
    return figure(words, "datasets_on", asked, width=width)


def app_columns(words: Words) -> dict[str, str]:
    """Return the label columns of a table with a row per app."""
    return {"name": words.word("app"), "appid": words.word("appid")}


def per_app_section(board: Dashboard, panels: Sequence[Builder[Panel]]) -> None:
    """Add a row of panels for each chosen app."""
    section(board, "${appid:text}", panels, repeat="appid")


def ratio(above: str, below: str) -> str:
    """Divide one figure of an app by another; absent if either is, or the divisor is zero."""
    return f"({above})\n/ on (appid) group_left () max by (appid) (({below}) > 0)"
