"""What every panel and every recording rule shows of a simulated past, to compare one past with another."""

import re
from collections.abc import Iterable

from exporter.beijing import DAY_SECONDS, midnight
from prometheus.expressions import on_show, per_date
from prometheus.recording import recordings
from tests.grafana.boards import Asked
from tests.prometheus.corrected import DATE, NOW
from tests.prometheus.servers import Database, Series

LONG = re.compile(r"_by_(week|month)_|_retain_")
"""What has rows of weeks, months or cohorts; of dates there are those of a week."""
Answers = dict[str, list[tuple[list[tuple[str, str]], list[tuple[float, float]]]]]
"""What each panel and rule shows: series' labels, and their values by time."""


def answers(found: list[Series]) -> list[tuple[list[tuple[str, str]], list[tuple[float, float]]]]:
    """Return each series' labels but those of where it was scraped, and its values."""
    places = {"cluster", "namespace", "instance"}
    return sorted(
        (
            sorted((name, text) for name, text in series["metric"].items() if name not in places),
            [(at, round(float(value), 9)) for at, value in series.get("values", [series.get("value")])],
        )
        for series in found
    )


def everything(database: Database, targets: Iterable[Asked]) -> Answers:
    """Return what every target and every recording rule shows."""
    instant = {rule.record: rule.expr for rule in recordings()}
    instant["table"] = on_show("visit_pv")
    ranged = {"bar": per_date("visit_pv")}
    for target in targets:
        (instant if target.target["instant"] else ranged)[target.name] = target.expression(at=NOW)
    found = {name: answers(database.instant(expression, NOW)) for name, expression in instant.items()}
    for name, expression in ranged.items():
        start = midnight(DATE) - (70 if LONG.search(expression) else 9) * DAY_SECONDS
        found[name] = answers(database.ranged(expression, start, midnight(DATE) + DAY_SECONDS, DAY_SECONDS))
    return found
