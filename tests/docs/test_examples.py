"""The examples in the docs work: configurations load, PromQL parses, figures are the demo's."""

import argparse
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
import yaml

from exporter.beijing import DAY_SECONDS, midnight, yesterday
from exporter.cli import main
from exporter.commands.demo import welcome
from exporter.config import load
from exporter.config.datasets import DatasetSettings
from exporter.config.settings import MAIN_FILE
from exporter.datasets.catalogue import CATALOGUE
from exporter.datasets.daily_trend import FIELDS
from exporter.datasets.enabled import enabled
from exporter.datasets.metrics import newest_metrics
from exporter.exposition.app_families import families_of
from exporter.exposition.dataset_families import DatasetFamilies, QuotaFamilies
from exporter.exposition.family import NAMESPACE
from exporter.exposition.telemetry import Telemetry
from exporter.flags import DEMO_ADDRESS
from exporter.simulator.daily_figures import row
from exporter.simulator.dataset_bodies import body
from exporter.simulator.fleet import SimApp, demo_fleet
from exporter.simulator.server import Conditions, Simulator
from tests.docs.pages import ROOT, Block, blocks, markdown_files

ENVIRONMENT = {"TOKEN_SERVICE_KEY": "not-a-real-key", "COMPONENT_APPSECRET": "not-a-real-secret"}
SECRET_FILE = re.compile(r"(secret|password|ca|cert|encryption_key|key)_file: *([\w./-]+)")
KEY = "bm90LWEtcmVhbC1rZXktbm90LWEtcmVhbC1rZXktISE="
SAMPLE = re.compile(r'^(wechat_miniprogram_\w+)\{appid="(\w+)",name="([^"]+)"(.*)\} (\S+)$')


def found(language: str) -> Iterator[tuple[str, Block]]:
    for path in markdown_files():
        for block in blocks(path):
            if block.language == language:
                yield str(path.relative_to(ROOT)), block


def configurations() -> list[tuple[str, str]]:
    """Return the YAML blocks that begin with a key of the configuration file."""
    keys = tuple(f"{key}:" for key in MAIN_FILE.keys)
    return [(page, block.text) for page, block in found("yaml") if block.text.startswith(keys)]


def queries() -> list[tuple[str, str]]:
    return [(page, block.text) for page, block in found("promql")]


@pytest.mark.parametrize(("page", "text"), configurations())
def test_a_configuration_in_the_docs_loads(page: str, text: str, tmp_path: Path) -> None:
    del page
    (tmp_path / "config.yaml").write_text(text, "utf-8")
    for kind, name in SECRET_FILE.findall(text):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(KEY if kind == "encryption_key" else "not-a-real-secret\n")
    config = load(tmp_path / "config.yaml", ENVIRONMENT)
    assert config.apps or config.platforms


def test_there_are_configurations_to_load() -> None:
    assert {"README.md", "README.zh-CN.md", "docs/configuration.md"} <= {page for page, _ in configurations()}


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_the_scrape_configuration_is_one_for_prometheus(
    page: str, tmp_path: Path, program: Callable[[str], str]
) -> None:
    texts = [block.text for block in blocks(ROOT / page) if block.text.startswith("scrape_configs:")]
    (tmp_path / "prometheus.yml").write_text(texts[0])
    for name in ("recording.yaml", "alerts.yaml"):
        shutil.copy(ROOT / "prometheus" / name, tmp_path)
    checked = subprocess.run(
        [program("promtool"), "check", "config", tmp_path / "prometheus.yml"],
        capture_output=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout


def test_the_errors_shown_are_the_errors_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("config.yaml").write_text(
        "refresh:\n  interval: 10\napps:\n  - appid: wx12\n    secret: not-a-real-secret\n"
    )
    shown = next(
        block.text
        for block in blocks(ROOT / "docs/configuration.md")
        if block.text.startswith("config.yaml:")
    )
    with pytest.raises(Exception, match="not an appid") as refused:
        load(Path("config.yaml"), os.environ)
    assert f"{refused.value}\n" == shown


ALL_FAMILIES = families_of(
    [
        *(
            DatasetFamilies(each, (date(2026, 11, 16),))
            for each in enabled(DatasetSettings(dataset.name) for dataset in CATALOGUE[1:])
        ),
        QuotaFamilies(since=0),
    ]
)


@pytest.mark.parametrize(("page", "text"), queries())
def test_an_expression_in_the_docs_parses(page: str, text: str) -> None:
    del page
    pytest.importorskip("promql_parser").parse(text)


@pytest.mark.parametrize(("page", "text"), queries())
def test_an_expression_in_the_docs_asks_for_metrics_that_exist(page: str, text: str) -> None:
    del page
    asked = set(re.findall(r"\bwechat_miniprogram_\w+", text))
    assert asked
    own = Telemetry(lambda: 0.0).render(openmetrics=False).decode()
    assert asked <= {family.metric for family in ALL_FAMILIES} | set(
        re.findall(r"^# TYPE (\S+)", own, re.MULTILINE)
    )


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_the_samples_shown_are_the_demos(page: str) -> None:
    apps = {app.appid: app for app in demo_fleet()}
    names = {family.metric for family in ALL_FAMILIES}
    text = next(block.text for block in blocks(ROOT / page) if block.text.startswith("wechat_miniprogram_"))
    stamp = re.search(r"daily_ref_date_timestamp_seconds\{.*\} (\d+)", text)
    assert stamp
    newest = yesterday(int(stamp[1]) + DAY_SECONDS)
    for line in text.splitlines():
        sample = SAMPLE.fullmatch(line)
        assert sample, line
        metric, appid, name, more, value = sample.groups()
        assert metric in names
        assert apps[appid].name == name
        day = re.search(r'ref_date="(.*)"', more)
        figures = row(appid, date.fromisoformat(day[1]) if day else newest, apps[appid].size)
        for field in FIELDS:
            if metric.endswith((f"_daily_{field.metric}", f"_by_date_{field.metric}")):
                assert value == str(figures[field.name])
        found = figure_of_dataset(metric, more, apps[appid], newest)
        assert value == found or found is None, line


def figure_of_dataset(metric: str, labels: str, app: SimApp, newest: date) -> str | None:
    """Return the demo's value in a family of a dataset's newest figures; None for other families."""
    for dataset in CATALOGUE:
        for each in newest_metrics(dataset):
            if metric != f"{NAMESPACE}_{each.name}" or each.field is None:
                continue
            day = re.search(r'day="(\d+)"', labels)
            period = dataset.calendar.earlier(dataset.calendar.newest(newest), int(day[1]) if day else 0)
            shown = dataset.read(body(app, dataset, period, lambda each: each.last <= newest), period)
            assert shown is not None
            return next(
                f"{point.values[each.field]}"
                for point in shown.points
                if all(f'"{label}"' in labels for label in point.labels if label)
            )
    return None


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_the_demo_prints_what_the_readme_shows(page: str) -> None:
    shown = next(block.text for block in blocks(ROOT / page) if block.text.startswith("The demo is running"))
    flags = argparse.Namespace(listen_addresses=[DEMO_ADDRESS], telemetry_path="/metrics")
    wechat = re.search(r"stand-in WeChat +(\S+)", shown)
    assert wechat
    assert welcome(flags, wechat[1]) == shown


@pytest.mark.parametrize(
    ("page", "locale", "second"), [("README.md", "C", "flower-stall"), ("README.zh-CN.md", "zh_CN", "花店")]
)
def test_check_prints_what_the_readme_shows(
    page: str,
    locale: str,
    second: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    apps = {app.appid: app for app in demo_fleet()}
    texts = [block.text for block in blocks(ROOT / page)]
    config = yaml.safe_load(next(text for text in texts if text.startswith("apps:")))
    shown = next(text for text in texts if text.startswith("config.yaml: OK"))
    good, refused = re.findall(r"\((\w+)\): (?:OK|FAILED)", shown)
    del config["apps"][0]["secret_file"]
    config["apps"][0] |= {"appid": good, "secret": apps[good].secret}
    config["apps"].append({"appid": refused, "name": second, "secret": apps[refused].secret})
    day = re.search(r"OK, (\S+):", shown)
    assert day
    now = float(midnight(date.fromisoformat(day[1])) + DAY_SECONDS * 3 // 2)  # noon of the next day
    monkeypatch.setattr(time, "time", lambda: now)
    monkeypatch.setenv("LC_ALL", locale)
    monkeypatch.chdir(tmp_path)
    with Simulator(demo_fleet(), Conditions(time_source=lambda: now)) as wechat:
        config |= {"wechat": {"base_url": wechat.base_url}, "storage": {"url": "memory://"}}
        Path("config.yaml").write_text(yaml.safe_dump(config), "utf-8")
        assert main(["check", "--online"]) == 1
    wanted = re.escape(shown).replace("…", ".*").replace(re.escape("203.0.113.7"), re.escape("127.0.0.1"))
    assert re.fullmatch(wanted, capsys.readouterr().out)


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_the_readme_is_short(page: str) -> None:
    assert len((ROOT / page).read_text("utf-8").splitlines()) <= 250


def test_no_example_has_what_looks_like_a_real_secret() -> None:
    for path in markdown_files():
        assert not re.search(r"\b[0-9a-f]{32}\b", path.read_text("utf-8")), path
