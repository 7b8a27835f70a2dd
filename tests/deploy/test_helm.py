"""The Helm chart, rendered by Helm's own engine: the objects of the kustomize overlays, by values."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from helm_python.chart import Chart, lint
from helm_python.errors import HelmError

from exporter import __version__
from exporter.config import load
from tests.deploy.kubernetes.manifests import KUBERNETES, NAME, ROOT, Json, Objects, parse, read
from tests.deploy.kubernetes.test_schemas import OPERATORS, VERSIONS, refused
from tests.docs.pages import blocks

CHART = ROOT / "deploy" / "helm" / NAME
MONITORED = {name: {"enabled": True} for name in ("serviceMonitor", "prometheusRule", "dashboards")}
REDIS = {"url": "redis://wechat-redis:6379/0", "existingSecret": f"{NAME}-storage"}
PUSHED = {
    "ingress": {
        "enabled": True,
        "host": "wechat.example.com",
        "tlsSecret": "wechat-tls",
        "className": "nginx",
    }
}
VALUES: dict[str, Json] = {
    "defaults": {},
    "monitored": MONITORED,
    "redis": {"shards": 4, "replicas": 2, "redis": REDIS},
    "in memory": {
        "persistence": {"enabled": False},
        "existingSecret": "",
        "networkPolicy": {"enabled": False},
    },
    "everything": {
        **MONITORED,
        "shards": 2,
        "redis": REDIS,
        "proxy": {"http": "http://proxy:3128", "https": "http://proxy:3128", "noProxy": "wechat-redis"},
        "web": {"existingSecret": "web"},
        "ticketCallback": PUSHED,
        "imagePullSecrets": [{"name": "registry"}],
        "extraArgs": ["--log.format=json"],
        "extraEnv": [{"name": "TZ", "value": "Asia/Shanghai"}],
        "nodeSelector": {"kubernetes.io/arch": "arm64"},
        "tolerations": [{"key": "batch", "operator": "Exists"}],
    },
}


@pytest.fixture(scope="module")
def chart() -> Iterator[Chart]:
    with Chart.load(CHART) as chart:
        yield chart


def render(chart: Chart, values: Json) -> Objects:
    found = chart.render(values=values, name=NAME, namespace="wechat")
    texts = (text for name, text in sorted(found.items()) if not name.endswith("NOTES.txt"))
    return Objects(tuple(found for text in texts for found in parse(text).all))


@pytest.fixture(params=VALUES, scope="module")
def objects(request: pytest.FixtureRequest, chart: Chart) -> Objects:
    return render(chart, VALUES[request.param])


@pytest.mark.parametrize("values", VALUES.values(), ids=VALUES)
def test_helm_finds_nothing_to_complain_of(values: Json) -> None:
    report = lint(CHART, values, strict=True)
    found = [each for each in report["messages"] if each["error"] != "icon is recommended"]
    assert (found, report["errors"]) == ([], [])


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_takes_every_object(objects: Objects, version: str) -> None:
    ours = [found for found in objects.all if found["apiVersion"] != OPERATORS]
    assert [text for text in (refused(found, version) for found in ours) if text] == []
    names = [(found["kind"], found["metadata"]["name"]) for found in objects.all]
    assert len(set(names)) == len(names)


def test_the_chart_has_the_program_s_version(chart: Chart) -> None:
    assert chart.version == chart.metadata["appVersion"] == __version__


def test_the_exporter_takes_the_configuration(objects: Objects, tmp_path: Path) -> None:
    volumes = {mount["name"]: mount["mountPath"] for mount in objects.container["volumeMounts"]}
    for folder, keys in {"secrets": ["coffee-shop"], "storage": ["password", "encryption-key"]}.items():
        tmp_path.joinpath(folder).mkdir()
        for key in keys if folder in volumes else ["coffee-shop"]:
            text = "A" * 43 + "=" if key == "encryption-key" else "not-a-real-secret"
            tmp_path.joinpath(folder, key).write_text(text)
    tmp_path.joinpath("config.yaml").write_text(objects.one("ConfigMap")["data"]["config.yaml"], "utf-8")
    config = load(tmp_path / "config.yaml", {})
    assert [app.name for app in config.apps] == ["coffee-shop"]
    on_disk = bool(objects.workload["spec"].get("volumeClaimTemplates"))
    assert config.storage.url.startswith("sqlite:") == on_disk


def test_pods_are_as_confined_as_those_of_kustomize(objects: Objects) -> None:
    (deployment,) = read(KUBERNETES / "overlays" / "single" / "deployment.yaml").all
    theirs = Objects((deployment,))
    for key in ("securityContext", "automountServiceAccountToken", "enableServiceLinks"):
        assert objects.pod[key] == theirs.pod[key]
    for key in ("securityContext", "resources", "ports", "image"):
        assert objects.container[key] == theirs.container[key]


def test_every_mounted_volume_is_there(objects: Objects) -> None:
    assert {"/data", "/tmp"} <= objects.mounts.keys()  # raises KeyError for one that is not


def test_shards_and_replicas_make_the_pods(chart: Chart) -> None:
    objects = render(chart, VALUES["redis"])
    assert objects.workload["spec"]["replicas"] == 8
    assert {"--shard=auto", "--total-shards=4"} <= set(objects.container["args"])
    assert objects.of("PodDisruptionBudget")
    assert not render(chart, {}).of("PodDisruptionBudget")


def test_the_policy_is_that_of_kustomize_and_redis_is_let_in_where_it_is_used(chart: Chart) -> None:
    (theirs,) = read(KUBERNETES / "base" / "networkpolicy.yaml").all
    (redis,) = read(KUBERNETES / "overlays" / "ha" / "networkpolicy-redis.yaml").all
    ours = render(chart, {}).one("NetworkPolicy")["spec"]
    assert ours["egress"] == theirs["spec"]["egress"]
    assert ours["ingress"] == theirs["spec"]["ingress"]
    with_redis = render(chart, VALUES["redis"]).one("NetworkPolicy")["spec"]
    assert with_redis["egress"] == [*theirs["spec"]["egress"], *redis["spec"]["egress"]]


def test_rules_and_dashboards_are_those_of_the_repository(chart: Chart) -> None:
    objects = render(chart, MONITORED)
    (rules,) = read(ROOT / "prometheus" / "prometheusrule.yaml").all
    assert objects.one("PrometheusRule")["spec"] == rules["spec"]
    (theirs,) = read(KUBERNETES / "monitoring" / "servicemonitor.yaml").all
    ours = objects.one("ServiceMonitor")["spec"]
    assert (ours["jobLabel"], ours["endpoints"]) == (theirs["spec"]["jobLabel"], theirs["spec"]["endpoints"])
    boards = [each for each in objects.of("ConfigMap") if "grafana_dashboard" in each["metadata"]["labels"]]
    shown = {key: json.loads(text) for each in boards for key, text in each["data"].items()}
    for path in ROOT.joinpath("grafana", "dashboards").glob("*/*.json"):
        assert shown.pop(f"wechat-miniprogram-{path.stem}.{path.parent.name}.json") == json.loads(
            path.read_text("utf-8")
        )
    assert not shown


def test_only_the_ticket_s_path_is_reached_from_outside(chart: Chart) -> None:
    (ingress,) = render(chart, VALUES["everything"]).of("Ingress")
    ((rule,), (tls,)) = ingress["spec"]["rules"], ingress["spec"]["tls"]
    assert [each["path"] for each in rule["http"]["paths"]] == ["/wechat/ticket/"]
    assert tls == {"hosts": ["wechat.example.com"], "secretName": "wechat-tls"}


def test_a_proxy_is_in_the_environment(chart: Chart) -> None:
    environment = {
        each["name"]: each.get("value") for each in render(chart, VALUES["everything"]).container["env"]
    }
    assert environment["HTTPS_PROXY"] == "http://proxy:3128"
    assert environment["NO_PROXY"] == "wechat-redis"
    assert {each["name"] for each in render(chart, {}).container["env"]} == {"POD_NAME"}


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"replicas": 2}, "set redis.url"),
        ({"shards": 2, "ticketCallback": PUSHED}, "set redis.url"),
        ({"ticketCallback": {"ingress": {"enabled": True}}}, "host"),
        ({"replica": 2}, "replica"),
        ({"shards": 0}, "shards"),
        ({"config": {"storage": {"url": "memory://"}}}, "storage"),
        ({"redis": {"url": "redis://:password@redis:6379"}}, "url"),
    ],
)
def test_values_that_cannot_work_are_refused_with_the_reason(
    chart: Chart, values: dict[str, Any], message: str
) -> None:
    with pytest.raises(HelmError, match=message):
        render(chart, values)


@pytest.mark.parametrize("page", ["README.md", "README.zh-CN.md"])
def test_the_readme_alone_makes_pods_that_find_their_image_and_secret(page: str, chart: Chart) -> None:
    text = (ROOT / page).read_text("utf-8")
    (values,) = (block.text for block in blocks(ROOT / page) if block.text.startswith("image:"))
    objects = render(chart, yaml.safe_load(values))
    assert f"docker push {objects.container['image']}\n" in text
    config = yaml.safe_load(objects.one("ConfigMap")["data"]["config.yaml"])
    folder, key = config["apps"][0]["secret_file"].split("/")
    secret = objects.mounts[f"/etc/{NAME}/{folder}"]["secret"]["secretName"]
    assert f"create secret generic {secret} --from-file={key}=" in text
    assert [found["kind"] for found in objects.all if found["apiVersion"] == OPERATORS] == []
