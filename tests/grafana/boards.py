"""The shipped dashboards' JSON, and their expressions as Grafana would send them."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from grafana.__main__ import HOME
from grafana.texts import Language

FILES = sorted(HOME.glob("*/*.json"))
Json = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """A target of a panel."""

    board: str
    panel: Json
    target: Json
    day_grid: bool

    @property
    def name(self) -> str:
        return f"{self.board}: {self.panel['title']} {self.target['refId']}"

    @property
    def days(self) -> int:
        """Return the panel's time range: its own, or the dashboard's."""
        start = self.panel.get("timeFrom") or board(HOME / f"{self.board}.json")["time"]["from"]
        return int(start.removeprefix("now-").removesuffix("d")) if start.endswith("d") else 1

    def expression(self, app: str = ".*", at: float = 0, job: str = ".*") -> str:
        """Return the expression with the variables replaced; the time range ends at `at`, or now."""
        text: str = self.target["expr"]
        for variable, value in (
            ("$job", job),
            ("$instance", ".*"),
            ("$label", "name"),
            ("$value", ".*"),
            ("$appid", app),
            ("${__to:date:seconds}", f"{at or time.time():.0f}"),
            ("$__range", "30d"),
            ("$__rate_interval", "4m"),
        ):
            text = text.replace(variable, value)
        return text


@cache
def board(path: Path) -> Json:
    loaded: Json = json.loads(path.read_text("utf-8"))
    return loaded


def name_of(path: Path) -> str:
    return f"{path.parent.name}/{path.stem}"


def panels(path: Path) -> list[Json]:
    """Return all panels, except rows, including those in folded rows."""
    return [panel for panel in placed(board(path)) if panel["type"] != "row"]


def placed(loaded: Json) -> list[Json]:
    """Return the panels and rows in their order."""
    return [each for panel in loaded["panels"] for each in (panel, *panel.get("panels", ()))]


def asked(language: Language = Language.EN) -> Iterator[Asked]:
    """Yield every target of the dashboards of one language."""
    for path in FILES:
        if path.parent.name == language.value:
            for panel in panels(path):
                for target in panel["targets"]:
                    yield Asked(name_of(path), panel, target, panel.get("interval") == "1d")


def walk(node: Any, key: str = "") -> Any:
    """Yield every (key, value) below a node."""
    yield key, node
    for name, inner in node.items() if isinstance(node, dict) else ():
        yield from walk(inner, name)
    for inner in node if isinstance(node, list) else ():
        yield from walk(inner, key)
