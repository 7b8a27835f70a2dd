"""GitHub's workflows match its schemas, as a mistake would show only at a release."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.docs.pages import ROOT

GITHUB = ROOT / ".github"
WORKFLOWS = sorted(GITHUB.glob("workflows/*.yaml"))
FORMS = sorted(path for path in GITHUB.glob("ISSUE_TEMPLATE/*.yml") if path.name != "config.yml")
SCHEMAS = {
    "vendor.github-workflows": WORKFLOWS,
    "vendor.github-issue-forms": FORMS,
    "vendor.github-issue-config": [GITHUB / "ISSUE_TEMPLATE" / "config.yml"],
    "vendor.dependabot": [GITHUB / "dependabot.yml"],
}


@pytest.mark.parametrize(("schema", "paths"), SCHEMAS.items(), ids=SCHEMAS)
def test_github_s_schemas_accept_every_workflow(schema: str, paths: list[Path]) -> None:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *map(str, paths)]
    output = subprocess.run(command, capture_output=True, check=False, text=True)
    assert output.returncode == 0, output.stdout + output.stderr


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_has_a_version_and_every_target_is_in_the_makefile(path: Path) -> None:
    text = path.read_text("utf-8")
    for action in re.findall(r"uses: (\S+)", text):
        assert action.startswith("./.github/") or re.search(r"@v\d+(\.\d+\.\d+)?$", action), action
    targets = set(re.findall(r"^([a-z-]+):", ROOT.joinpath("Makefile").read_text("utf-8"), re.MULTILINE))
    for words in re.findall(r"run: make (.+)", text):
        assert set(words.split()) <= targets


def test_every_supported_python_is_tested() -> None:
    project = tomllib.loads(ROOT.joinpath("pyproject.toml").read_text("utf-8"))["project"]
    supported = re.findall(r":: (3\.\d+)", " ".join(project["classifiers"]))
    jobs = yaml.safe_load(GITHUB.joinpath("workflows", "tests.yaml").read_text("utf-8"))["jobs"]
    assert jobs["fast"]["strategy"]["matrix"]["python"] == supported
