"""After a rename, a new pod, two replicas and a correction, everything shows the corrected figure, once."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from prometheus.__main__ import HOME
from prometheus.expressions import REF_DATE, by_date, daily, on_show, per_date
from tests.grafana.boards import asked
from tests.prometheus.answers import Answers, everything
from tests.prometheus.corrected import CASES, CORRECTED, PLAIN, history
from tests.prometheus.databases import ShownIn

WITHOUT_ANSWER = re.compile(
    r"en/exporter: (?!Data age|Since a row|Access tokens|Mini programs A|Failing A)"  # the process' own
    r"|en/fleet: (Exporters scraped|Failing mini|Mini programs without|Alerts firing|Top risers|Top fallers)"
    r"|en/fleet: .* (D|per date A)$"  # 30 days before, and dates gone by
    r"|en/mini-program: (Why it fails|Alerts firing)"
    r"|en/audience: Stickiness A|en/pages: Top|Sources.* C$"  # rows of a week or month before
    r"|en/retention: All: .* cohort|Retention curve, .* [B-H]$"  # without rules; days not asked for
)


@pytest.fixture(scope="module")
def wanted(
    shown_in: ShownIn,
    program: Callable[[str], str],
    free_port: Callable[[], int],
    tmp_path_factory: pytest.TempPathFactory,
) -> Answers:
    """Return what an exporter shows that has had the present name and figures all the time."""
    with shown_in(program, free_port, history(PLAIN), tmp_path_factory.mktemp("plain")) as database:
        return everything(database, asked())


def test_every_panel_has_an_answer_that_a_correction_can_change(wanted: Answers) -> None:
    panels = {name: found for name, found in wanted.items() if name.startswith("en/")}
    assert len(panels) > 150
    assert [name for name, found in panels.items() if not found and not WITHOUT_ANSWER.search(name)] == []
    for name in ("bar", "table"):
        assert {value for _, values in wanted[name] for _, value in values} == {CORRECTED}


@pytest.mark.parametrize("case", CASES)
def test_no_panel_and_no_rule_shows_the_old_figure_or_the_old_name(
    case: str,
    wanted: Answers,
    shown_in: ShownIn,
    program: Callable[[str], str],
    free_port: Callable[[], int],
    tmp_path: Path,
) -> None:
    with shown_in(program, free_port, history(CASES[case]), tmp_path) as database:
        found = everything(database, asked())
    assert {name: shown for name, shown in found.items() if shown != wanted[name]} == {}


def test_without_the_family_by_date_a_correction_is_shown_as_well(
    shown_in: ShownIn, program: Callable[[str], str], free_port: Callable[[], int], tmp_path: Path
) -> None:
    """Show a day's newest rows alone, as `history_days: 1` does."""
    found = []
    for name, shown in (("plain", PLAIN), ("corrected", CASES["two replicas, renamed one by one"])):
        past = history(shown)
        past.lines = [line for line in past.lines if "_by_" not in line[0]]
        folder = tmp_path / name
        folder.mkdir()
        with shown_in(program, free_port, past, folder) as database:
            found.append(everything(database, asked()))
    assert {name: shown for name, shown in found[1].items() if shown != found[0][name]} == {}


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
