"""After a rename, a new pod, two replicas and a correction, everything shows the corrected figure, once."""

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pytest

from exporter.beijing import DAY_SECONDS, midnight
from exporter.datasets.daily_trend import FIELDS
from exporter.exposition.app_families import INFO, LAST_SUCCESS, UP
from prometheus.__main__ import HOME
from prometheus.expressions import REF_DATE, by_date, daily, on_show, per_date
from prometheus.recording import recordings, settled_recordings
from tests.grafana.boards import asked
from tests.prometheus.history import History
from tests.prometheus.servers import Database
from tests.prometheus.test_history import in_prometheus

DATE = date(2025, 1, 6)
START = midnight(DATE) + DAY_SECONDS + 8 * 3600
NOW = START + 10 * 3600
CORRECTED, BEFORE = 990, 1000
"""Every figure: as WeChat has it now, and as it was."""


@dataclass(frozen=True)
class Shown:
    """A series' labels, the minutes in which it is there, and since which one it has the correction."""

    name: str
    instance: str
    since: int = 0
    until: int = 600
    corrected: int = 177
    rounds: int = 0
    """The minute of the hour in which this exporter asks."""

    def figure(self, minute: int) -> int:
        return CORRECTED if minute >= self.corrected else BEFORE

    def success(self, minute: int) -> int:
        return START + 60 * ((minute - self.rounds) // 60 * 60 + self.rounds)


NEVER = 10_000
CASES = {
    "renamed": (Shown("old", "a", until=120), Shown("new", "a", since=121)),
    "another pod": (Shown("new", "a", until=120), Shown("new", "b", since=119)),
    "another pod and name after a gap": (Shown("old", "a", until=120), Shown("new", "b", since=150)),
    "two replicas": (
        Shown("new", "a", corrected=NEVER, rounds=30),
        Shown("new", "b", corrected=590, rounds=50),
    ),
    "two replicas, renamed one by one": (
        Shown("old", "a", corrected=NEVER, rounds=30),
        Shown("new", "b", corrected=590, rounds=50),
    ),
}


def history(shown: tuple[Shown, ...]) -> History:
    """Return both families and the health of one app."""
    past = History()
    for each in shown:
        labels = f'appid="wxa",name="{each.name}",job="wechat-miniprogram",instance="{each.instance}"'
        dated = f'{labels},ref_date="{DATE}"'
        for minute in range(each.since, each.until + 1):
            values = {
                **dict.fromkeys((field.metric for field in FIELDS), each.figure(minute)),
                REF_DATE: midnight(DATE),
            }
            at = START + 60 * minute
            for metric, value in values.items():
                past.lines.append((f"{daily(metric)}{{{labels}}}", value, at))
                past.lines.append((f"{by_date(metric)}{{{dated}}}", value, at))
            past.lines.append((f"{UP.metric}{{{labels}}}", 1, at))
            past.lines.append((f"{INFO.metric}{{{labels}}}", 1, at))
            past.lines.append((f"{LAST_SUCCESS.metric}{{{labels}}}", each.success(minute), at))
    return past


def answers(database: Database, expression: str, *, instant: bool) -> Iterator[tuple[str, float]]:
    """Yield each series' name and values, at the time or in the month before."""
    if instant:
        for series in database.instant(expression, NOW):
            yield series["metric"].get("name", "new"), float(series["value"][1])
        return
    start = midnight(DATE) - 20 * DAY_SECONDS
    for series in database.ranged(expression, start, start + 25 * DAY_SECONDS, DAY_SECONDS):
        for _, value in series["values"]:
            yield series["metric"].get("name", "new"), float(value)


@pytest.mark.parametrize("case", CASES)
def test_no_panel_and_no_rule_shows_the_old_figure_or_the_old_name(
    case: str, program: Callable[[str], str], free_port: Callable[[], int], tmp_path: Path
) -> None:
    with in_prometheus(program, free_port, history(CASES[case]), tmp_path) as database:
        found = {
            rule.record: set(answers(database, rule.expr, instant=True))
            for rule in (*recordings(), *settled_recordings())
        }
        for target in asked():
            if target.board != "en/exporter":
                instant = target.target["instant"]
                found[target.name] = set(answers(database, target.expression(at=NOW), instant=instant))
        found["bar"] = set(answers(database, per_date("visit_pv"), instant=False))
        found["table"] = set(answers(database, on_show("visit_pv"), instant=True))
    values = {value for past in found.values() for _, value in past}
    assert CORRECTED in values
    assert {what for what, past in found.items() if BEFORE in {value for _, value in past}} == set()
    assert {what for what, past in found.items() if "old" in {name for name, _ in past}} == set()
    assert found["bar"] == found["table"] == {("new", CORRECTED)}


def test_promtool_finds_the_newest_value_of_a_renamed_app(
    program: Callable[[str], str], tmp_path: Path
) -> None:
    """Evaluate without the exporter's health, in promtool's time."""
    stamps = "-115200x120 stale", "-115200x2000"
    figures = "1000x120 stale", "1000x177 990x2000"
    inputs = [
        {"series": f'{metric}{{job="j",instance="i",appid="wxa",name="{name}"{date}}}', "values": values}
        for date, metrics in (
            ("", (daily("visit_pv"), daily(REF_DATE))),
            (',ref_date="1969-12-31"', (by_date("visit_pv"), by_date(REF_DATE))),
        )
        for metric, kinds in zip(metrics, (figures, stamps), strict=True)
        for name, values in zip(("old", "new"), kinds, strict=True)
    ]
    newest = "app:wechat_miniprogram_visit_pv:newest"
    at_midnight = per_date("visit_pv").replace("time()", "-115200")  # promtool asks at no time before 0
    cases = [
        {"expr": newest, "labels": f'{newest}{{appid="wxa",name="new"}}'},
        {"expr": on_show("visit_pv"), "labels": '{appid="wxa",ref_date="1969-12-31"}'},
        {"expr": at_midnight.replace("offset -10d", ""), "labels": '{appid="wxa"}'},
    ]
    past = {
        "rule_files": [str(HOME / "recording.yaml")],
        "evaluation_interval": "1m",
        "tests": [
            {
                "interval": "1m",
                "input_series": inputs,
                "promql_expr_test": [
                    {
                        "expr": each["expr"],
                        "eval_time": "4h",
                        "exp_samples": [{"labels": each["labels"], "value": 990}],
                    }
                    for each in cases
                ],
            }
        ],
    }
    path = tmp_path / "corrections.yaml"
    path.write_text(json.dumps(past), "utf-8")
    found = subprocess.run(
        [program("promtool"), "test", "rules", str(path)], capture_output=True, text=True, check=False
    )
    assert found.returncode == 0, found.stdout + found.stderr
