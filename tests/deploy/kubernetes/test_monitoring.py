"""The objects for Prometheus' operator and Grafana's sidecar."""

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from exporter.package_data import LOADER
from prometheus import rulefiles
from prometheus.alerting import JOBS
from prometheus.thresholds import shipped
from tests.deploy.kubernetes.manifests import NAME, ROOT, Json, Objects, selects
from tests.docs.pages import blocks
from tests.grafana.boards import FILES

MONITORING = "monitoring.coreos.com/v1"
JOB = re.compile(re.search('"(.*)"', JOBS)[1])  # type: ignore[index]


def dashboards(objects: Objects) -> list[Json]:
    return [
        found
        for found in objects.of("ConfigMap")
        if "grafana_dashboard" in found["metadata"].get("labels", {})
    ]


def promtool(program: Callable[[str], str], *words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([program("promtool"), *words], capture_output=True, text=True, check=False)


def test_promtool_has_nothing_against_the_rules(
    objects: Objects, program: Callable[[str], str], tmp_path: Path
) -> None:
    rule = objects.one("PrometheusRule")
    assert rule["apiVersion"] == MONITORING
    path = tmp_path / "rules.yaml"
    path.write_text(yaml.safe_dump(rule["spec"], allow_unicode=True), "utf-8")
    output = promtool(program, "check", "rules", "--lint=all", "--lint-fatal", path)
    assert output.returncode == 0, output.stdout + output.stderr


def test_the_rules_are_those_of_the_rule_files(objects: Objects) -> None:
    def groups(name: str) -> list[Any]:
        found: list[Any] = yaml.load(ROOT.joinpath("prometheus", name).read_bytes(), LOADER)["groups"]
        return found

    output = objects.one("PrometheusRule")["spec"]["groups"]
    assert output == groups("recording.yaml") + groups("alerts.yaml")
    assert [rule["alert"] for group in output for rule in group["rules"] if "alert" in rule] == [
        alert.name for alert in (each for alerts in rulefiles.groups(shipped()).values() for each in alerts)
    ]


def test_the_rules_have_the_fields_and_types_of_the_custom_resource(objects: Objects) -> None:
    for group in objects.one("PrometheusRule")["spec"]["groups"]:
        assert group.keys() <= {"name", "interval", "rules"}
        for rule in group["rules"]:
            assert rule.keys() <= {
                "record",
                "alert",
                "expr",
                "for",
                "keep_firing_for",
                "labels",
                "annotations",
            }
            assert ("record" in rule) != ("alert" in rule)
            texts = [*rule.get("labels", {}).values(), *rule.get("annotations", {}).values(), rule["expr"]]
            assert all(isinstance(text, str) for text in texts)


def test_the_monitor_finds_the_service_and_its_port(objects: Objects) -> None:
    monitor, service = objects.one("ServiceMonitor"), objects.one("Service")
    assert monitor["apiVersion"] == MONITORING
    assert monitor["spec"].keys() == {"jobLabel", "selector", "endpoints"}
    assert selects(service["metadata"]["labels"], monitor["spec"]["selector"])
    (endpoint,) = monitor["spec"]["endpoints"]
    assert endpoint["port"] in {port["name"] for port in service["spec"]["ports"]}
    assert endpoint["interval"] == "60s"
    ports = {port["name"]: port["containerPort"] for port in objects.container["ports"]}
    assert service["spec"]["ports"][0]["port"] == ports[service["spec"]["ports"][0]["targetPort"]]


def test_the_job_is_one_that_the_alerts_look_for(objects: Objects) -> None:
    label = objects.one("ServiceMonitor")["spec"]["jobLabel"]
    assert JOB.fullmatch(objects.one("Service")["metadata"]["labels"][label])


def test_the_monitor_distinguishes_pods_by_their_names(
    rendered: Callable[[str], Objects], program: Callable[[str], str], tmp_path: Path
) -> None:
    (endpoint,) = rendered("ha").one("ServiceMonitor")["spec"]["endpoints"]
    (rule,) = endpoint["relabelings"]
    job = {
        "job_name": NAME,
        "scrape_interval": endpoint["interval"],
        "scrape_timeout": endpoint["scrapeTimeout"],
        "relabel_configs": [{re.sub("([A-Z])", r"_\1", key).lower(): value for key, value in rule.items()}],
        "static_configs": [pod(rendered("ha"), number) for number in range(2)],
    }
    labels = targets(program, job, tmp_path)
    assert {found["instance"] for found in labels} == {f"wechat-miniprogram/{NAME}-{n}" for n in range(2)}


def test_pods_are_scraped_before_they_are_ready(objects: Objects) -> None:
    spec = objects.one("Service")["spec"]
    assert (spec["clusterIP"], spec["publishNotReadyAddresses"]) == ("None", True)


def test_grafana_gets_every_dashboard_under_a_name_of_its_own(objects: Objects) -> None:
    found = [(name, text) for each in dashboards(objects) for name, text in each["data"].items()]
    assert len({name for name, _ in found}) == len(found) == len(FILES)
    assert all(name.endswith(".json") for name, _ in found)
    shipped = sorted(path.read_text("utf-8") for path in FILES)
    assert sorted(text for _, text in found) == shipped


def test_the_sidecar_finds_the_dashboards_and_their_folder(objects: Objects) -> None:
    output = yaml.safe_load(
        ROOT.joinpath("grafana/provisioning/dashboards/wechat-miniprogram.yaml").read_bytes()
    )
    folders = {provider["folder"] for provider in output["providers"]}
    assert {found["metadata"]["annotations"]["grafana_folder"] for found in dashboards(objects)} == folders
    assert {found["metadata"]["labels"]["grafana_dashboard"] for found in dashboards(objects)} == {"1"}


def test_a_dashboard_fits_into_its_config_map(objects: Objects) -> None:
    for found in dashboards(objects):
        assert sum(len(text.encode()) for text in found["data"].values()) < 1024 * 1024 // 2


@pytest.mark.parametrize("page", ["docs/kubernetes.md", "docs/kubernetes.zh-CN.md"])
def test_without_the_operator_the_scrape_configuration_in_the_docs_finds_the_pods(
    page: str, program: Callable[[str], str], rendered: Callable[[str], Objects], tmp_path: Path
) -> None:
    (text,) = (block.text for block in blocks(ROOT / page) if block.text.startswith("scrape_configs:"))
    (job,) = yaml.safe_load(text)["scrape_configs"]
    assert JOB.fullmatch(job["job_name"])
    assert job.pop("kubernetes_sd_configs") == [{"role": "pod", "namespaces": {"names": ["wechat"]}}]
    other = pod(rendered("ha"), 1)
    other["labels"]["__meta_kubernetes_pod_container_port_name"] = "other"
    job["static_configs"] = [pod(rendered("ha"), 0), other]  # what the discovery would tell of them
    labels = [found for found in targets(program, job, tmp_path) if found]
    assert [(found["job"], found["instance"]) for found in labels] == [(NAME, f"wechat-miniprogram/{NAME}-0")]


def pod(objects: Objects, number: int) -> Json:
    """Return a pod's discovered labels."""
    labels = {
        f"__meta_kubernetes_pod_label_{re.sub('[^a-z]', '_', name)}": value
        for name, value in objects.pod_labels.items()
    }
    workload = objects.workload["metadata"]
    (port,) = objects.container["ports"]
    labels |= {
        "__meta_kubernetes_namespace": workload["namespace"],
        "__meta_kubernetes_pod_name": f"{workload['name']}-{number}",
        "__meta_kubernetes_pod_container_port_name": port["name"],
    }
    return {"targets": [f"192.0.2.{number}:{port['containerPort']}"], "labels": labels}


def targets(program: Callable[[str], str], job: Json, folder: Path) -> list[dict[str, str]]:
    """Return the labels of each target after relabelling; an empty list if it was dropped."""
    path = folder / "prometheus.yaml"
    path.write_text(json.dumps({"scrape_configs": [job]}), "utf-8")
    output = promtool(program, "check", "service-discovery", "--timeout=1s", path, job["job_name"])
    assert output.returncode == 0, output.stdout + output.stderr
    return [found["labels"] or {} for found in json.loads(output.stdout)]
