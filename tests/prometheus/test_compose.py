"""The compose files: their mounts exist, and the programs accept their settings."""

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml

from exporter import __version__
from exporter.cli import _parser
from grafana.__main__ import HOME as DASHBOARDS
from prometheus.alerting import JOBS

DEPLOY = DASHBOARDS.parents[1] / "deploy"
NAMES = ("compose.yaml", "compose.production.yaml")
CONFIGS = {"compose.yaml": "prometheus.demo.yaml", "compose.production.yaml": "prometheus.yaml"}
PORT = "10950"


def services(name: str) -> dict[str, dict[str, Any]]:
    document: dict[str, dict[str, Any]] = yaml.safe_load(DEPLOY.joinpath(name).read_text("utf-8"))["services"]
    return document


def mounts(service: dict[str, Any]) -> dict[str, str]:
    """Map the container's paths to the host's paths or the volumes."""
    found = {}
    for document in service.get("volumes", ()):
        host, inside = re.fullmatch(r"((?:\$\{[^}]*\})?[^:]*):([^:]+)(?::ro)?", document).groups()  # type: ignore[union-attr]
        found[inside] = host
    return found


@pytest.mark.parametrize("name", NAMES)
def test_every_image_has_a_version(name: str) -> None:
    past = {"history", "blocks"} if name == "compose.yaml" else set()
    assert set(services(name)) == {"exporter", "prometheus", "alertmanager", "grafana"} | past
    for service in services(name).values():
        assert re.search(r":v?\d+\.\d+\.\d+$", service["image"])


@pytest.mark.parametrize("name", NAMES)
def test_the_exporter_s_image_is_this_version(name: str) -> None:
    assert services(name)["exporter"]["image"].endswith(f":{__version__}")


@pytest.mark.parametrize("name", NAMES)
def test_every_mounted_path_and_volume_is_there(name: str) -> None:
    document = yaml.safe_load(DEPLOY.joinpath(name).read_text("utf-8"))
    for service in document["services"].values():
        for host in mounts(service).values():
            if host.startswith("."):
                assert (DEPLOY / host).resolve().exists(), host
            elif not host.startswith("${"):
                assert host in document["volumes"]


@pytest.mark.parametrize("name", NAMES)
def test_the_exporter_understands_its_command_line(name: str) -> None:
    service = services(name)["exporter"]
    command, *words = service["command"]
    flags = _parser(command).parse_args(words)
    assert flags.listen_addresses == [f":{PORT}"]
    assert service["ports"] == [f"127.0.0.1:{PORT}:{PORT}"]
    if name == "compose.production.yaml":
        assert flags.config_file in mounts(service)


@pytest.mark.parametrize("name", NAMES)
def test_prometheus_scrapes_the_exporter_and_keeps_a_year(name: str) -> None:
    service = services(name)["prometheus"]
    assert any(word.startswith("--storage.tsdb.retention.time=400d") for word in service["command"])
    found = mounts(service)
    assert found["/etc/prometheus/prometheus.yaml"] == f"./{CONFIGS[name]}"
    assert "--config.file=/etc/prometheus/prometheus.yaml" in service["command"]
    config = yaml.safe_load(DEPLOY.joinpath(CONFIGS[name]).read_text("utf-8"))
    assert {f"/etc/prometheus/{rules}" for rules in config["rule_files"]} <= set(found)
    (job,) = config["scrape_configs"]
    assert re.fullmatch(re.search('"(.*)"', JOBS)[1], job["job_name"])  # type: ignore[index]
    assert job["static_configs"][0]["targets"] == [f"exporter:{PORT}"]
    assert config["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] == ["alertmanager:9093"]


@pytest.mark.parametrize("name", NAMES)
def test_grafana_finds_what_provisioning_names(name: str) -> None:
    service = services(name)["grafana"]
    found = mounts(service)
    assert (DEPLOY / found["/etc/grafana/dashboards"]).resolve() == DASHBOARDS
    home = service["environment"].get("GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH")
    if home:
        assert DASHBOARDS.joinpath(home.removeprefix("/etc/grafana/dashboards/")).exists()
    provisioning = (DEPLOY / found["/etc/grafana/provisioning"]).resolve()
    document = yaml.safe_load(provisioning.joinpath("dashboards/wechat-miniprogram.yaml").read_text("utf-8"))
    for provider in document["providers"]:
        inside = Path(provider["options"]["path"]).relative_to("/etc/grafana/dashboards")
        assert list(DASHBOARDS.joinpath(inside).glob("*.json"))


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_open_to_the_network(name: str) -> None:
    for service in services(name).values():
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:")


def test_the_demo_s_past_dates_get_the_labels_of_its_scrapes_and_end_where_prometheus_looks() -> None:
    document = services("compose.yaml")
    (script,) = document["history"]["command"]
    words = shlex.split(re.search(r"exporter backfill (.*?) \|\|", script.replace("\\\n", " "), re.DOTALL)[1])  # type: ignore[index]
    flags = _parser("backfill").parse_args(words)
    (job,) = yaml.safe_load(DEPLOY.joinpath("prometheus.demo.yaml").read_text("utf-8"))["scrape_configs"]
    (target,) = job["static_configs"][0]["targets"]
    assert flags.labels == [f"job={job['job_name']}", f"instance={target}"]
    volume = mounts(document["history"])["/data"]  # the image's working directory
    assert mounts(document["blocks"])["/history"] == volume
    (script,) = document["blocks"]["command"]
    assert f"/history/{flags.output} /prometheus" in script
    assert mounts(document["blocks"])["/prometheus"] == mounts(document["prometheus"])["/prometheus"]
    assert document["blocks"]["image"] == document["prometheus"]["image"]


def test_the_rules_of_a_configuration_stand_beside_it() -> None:
    example = yaml.safe_load(DEPLOY.parent.joinpath("prometheus/prometheus.example.yaml").read_text("utf-8"))
    for rules in example["rule_files"]:
        assert DEPLOY.parent.joinpath("prometheus", rules).exists()
