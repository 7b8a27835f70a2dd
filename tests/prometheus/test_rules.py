"""The rule files: made from their tables, valid, tested both ways, each alert with its runbook."""

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml

from exporter.package_data import LOADER
from prometheus.__main__ import HOME, main
from prometheus.alerting import RUNBOOKS, Severity
from prometheus.recording import cohort_recordings, recordings, settled_recordings, shard_recordings
from prometheus.rulefiles import alerts_yaml, groups
from prometheus.thresholds import shipped
from tests.prometheus.servers import SMALL

ROOT = HOME.parent
RUNBOOK_FOLDER = ROOT / "docs" / "runbooks"
RULE_TESTS = sorted(HOME.joinpath("tests").glob("*.yaml"))
ALERTS = [alert for alerts in groups(shipped()).values() for alert in alerts]
WANTED = [
    "ExporterDown",
    "ReplicaDown",
    "ShardMissing",
    "ShardsDisagree",
    "ConfigReloadFailed",
    "StorageFailing",
    "CallsHang",
    "DataLate",
    "NeverAnyData",
    "AppRefreshFailing",
    "CredentialRefused",
    "IpNotAllowed",
    "PermissionMissing",
    "QuotaSpent",
    "AllAppsFailing",
    "RoundTooSlow",
    "TokenNotRenewed",
    "VisitorsDropped",
    "VisitorsSpiked",
    "NoVisitors",
    "VerifyTicketOld",
    "DiscoveryFailing",
    "AccountsVanished",
    "DatasetFailing",
    "WeeklyRowLate",
    "MonthlyRowLate",
    "RetentionDropped",
    "QuotaNearlySpent",
]


def rules(name: str) -> list[dict[str, Any]]:
    groups = yaml.load(HOME.joinpath(name).read_text("utf-8"), LOADER)["groups"]
    return [rule for group in groups for rule in group["rules"]]


def test_the_files_are_what_the_tables_make(tmp_path: Path) -> None:
    assert main(["--to", str(tmp_path)]) == 0
    for name in ("recording.yaml", "alerts.yaml", "prometheusrule.yaml"):
        made = tmp_path.joinpath(name).read_text("utf-8")
        assert made == HOME.joinpath(name).read_text("utf-8"), f"run python -m prometheus: {name} is old"


def test_every_alert_of_the_list_is_there_once() -> None:
    assert sorted(alert.name for alert in ALERTS) == sorted(WANTED)
    assert sorted(rule["alert"] for rule in rules("alerts.yaml")) == sorted(WANTED)


@pytest.mark.parametrize("rule", rules("alerts.yaml"), ids=lambda rule: rule["alert"])
def test_an_alert_has_all_that_its_reader_needs(rule: dict[str, Any]) -> None:
    assert rule["labels"] == {"severity": Severity(rule["labels"]["severity"]).value}
    notes = rule["annotations"]
    assert set(notes) == {"summary", "summary_zh", "description", "description_zh", "runbook_url"}
    assert notes["runbook_url"] == f"{RUNBOOKS}{rule['alert']}.md"
    for text in ("summary_zh", "description_zh"):
        assert re.search("[\u4e00-\u9fff]", notes[text])
    about_an_app = "wechat_miniprogram_exporter" not in rule["expr"] and "up{" not in rule["expr"]
    if about_an_app and rule["alert"] != "AllAppsFailing":
        assert "{{ $labels.name }}" in notes["summary"]
        assert "{{ $labels.name }}" in notes["summary_zh"]


def test_the_place_of_the_runbooks_is_set_once() -> None:
    assert "https://wiki.example/rb/DataLate.md" in alerts_yaml(shipped(), "https://wiki.example/rb/")
    assert RUNBOOKS not in alerts_yaml(shipped(), "https://wiki.example/rb/")


def test_every_expression_parses() -> None:
    recorded = (
        rule.expr
        for rule in (*recordings(), *settled_recordings(), *cohort_recordings(), *shard_recordings())
    )
    for expression in (*recorded, *(alert.expr for alert in ALERTS)):
        promql_parser.parse(expression)


def test_every_alert_has_its_runbook_and_every_runbook_its_alert() -> None:
    assert {path.stem for path in RUNBOOK_FOLDER.glob("*.md")} == set(WANTED)


@pytest.mark.parametrize("alert", ALERTS, ids=lambda alert: alert.name)
def test_a_runbook_answers_the_same_four_questions_in_both_languages(alert: Any) -> None:
    text = RUNBOOK_FOLDER.joinpath(f"{alert.name}.md").read_text("utf-8")
    headings = re.findall("^(#+ .*)$", text, re.MULTILINE)
    assert headings == [
        f"# {alert.name}",
        *("## Meaning", "## Impact", "## How to confirm", "## What to do"),
        *("# 中文", "## 含义", "## 影响", "## 如何确认", "## 如何处理"),
    ]
    for section in re.split("^## .*$", text, flags=re.MULTILINE)[1:]:
        assert len(section.strip()) > 15


def test_an_alert_is_tested_both_firing_and_silent() -> None:
    cases = {
        (case["alertname"], bool(case["exp_alerts"]))
        for path in RULE_TESTS
        for test in yaml.load(path.read_text("utf-8"), LOADER)["tests"]
        for case in test.get("alert_rule_test", ())
    }
    assert cases == {(alert, fires) for alert in WANTED for fires in (True, False)}


def expected_notes(path: Path) -> Iterator[tuple[str, str]]:
    """Yield the annotations that promtool compares with what the rules make of their templates."""
    for test in yaml.load(path.read_text("utf-8"), LOADER)["tests"]:
        for case in test.get("alert_rule_test", ()):
            for fired in case["exp_alerts"]:
                yield from fired["exp_annotations"].items()


@pytest.mark.parametrize("path", RULE_TESTS, ids=lambda path: path.stem)
def test_what_an_operator_reads_has_no_stray_space_and_no_word_of_the_other_language(path: Path) -> None:
    for key, text in expected_notes(path):
        assert text == text.strip(), text
        assert not re.search(r"  | [.,:;]", text), text
        if key.endswith("_zh"):
            assert not re.search(r"[：，。、；（）] | [：，。、；（）]|[,;.:] |errcode", text), text
        else:
            assert not re.search("[：，。、；（）]", text), text


@pytest.mark.parametrize("path", RULE_TESTS, ids=lambda path: path.stem)
def test_promtool_finds_each_alert_where_it_is_expected(path: Path, program: Callable[[str], str]) -> None:
    output = subprocess.run(
        [program("promtool"), "test", "rules", str(path)],
        env={**os.environ, **SMALL},
        capture_output=True,
        text=True,
        check=False,
    )
    assert output.returncode == 0, output.stdout + output.stderr


def test_promtool_has_nothing_against_the_rules(program: Callable[[str], str]) -> None:
    files = [str(HOME / name) for name in ("recording.yaml", "alerts.yaml")]
    output = subprocess.run(
        [program("promtool"), "check", "rules", "--lint=all", "--lint-fatal", *files],
        capture_output=True,
        text=True,
        check=False,
    )
    assert output.returncode == 0, output.stdout + output.stderr


def test_promtool_takes_the_example_configuration(program: Callable[[str], str]) -> None:
    output = subprocess.run(
        [program("promtool"), "check", "config", str(HOME / "prometheus.example.yaml")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert output.returncode == 0, output.stdout + output.stderr


def test_own_thresholds_need_only_what_differs(tmp_path: Path) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text("VisitorsDropped: {below: 0.3, for: 1h}\nDataLate: {hours: 63}\n", "utf-8")
    assert main(["--to", str(tmp_path), "--thresholds", str(mine)]) == 0
    groups = yaml.safe_load(tmp_path.joinpath("alerts.yaml").read_text("utf-8"))["groups"]
    made = {rule["alert"]: rule for group in groups for rule in group["rules"]}
    assert "< 0.3" in made["VisitorsDropped"]["expr"]
    assert ">= 100)" in made["VisitorsDropped"]["expr"]
    assert made["VisitorsDropped"]["for"] == "1h"
    assert "63 * 3600" in made["DataLate"]["expr"]


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("DataLat: {hours: 63}", "no alert 'DataLat'"),
        ("DataLate: {hour: 63}", "DataLate has no 'hour', only for, keep, hours"),
        ("DataLate: {hours: noon}", "DataLate.hours is 'noon', not a number"),
        ("DataLate: {for: 5}", "DataLate.for is 5, not a duration"),
        ("DataLate: 63", "DataLate is 63, not a table"),
        ("[1]", "found no table"),
    ],
)
def test_a_threshold_that_cannot_be_is_refused_with_what_is_allowed(
    text: str, output: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text(text, "utf-8")
    with pytest.raises(SystemExit):
        main(["--to", str(tmp_path), "--thresholds", str(mine)])
    assert output in capsys.readouterr().err


@pytest.mark.parametrize("alert", ["ExporterDown", "ReplicaDown"])
def test_what_wakes_an_operator_can_be_read(alert: str) -> None:
    (rule,) = (rule for rule in rules("alerts.yaml") if rule["alert"] == alert)
    assert len(rule["expr"].strip().splitlines()) <= 6
