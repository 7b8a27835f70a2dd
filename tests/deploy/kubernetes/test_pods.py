"""The pods: without rights, watched, with memory as measured, and kept apart."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from exporter import __version__
from exporter.capacity import estimate
from exporter.config import load
from exporter.flags import DEFAULT_ADDRESS
from tests.deploy.kubernetes.manifests import EXAMPLES, KUBERNETES, NAME, Json, Objects, read, selects, size

USER = 65532
TABLE_OF_MEMORY = re.compile(r"^\| ([\d,]+) \| ([\d,]+) \| (\d+[MG]i) \| (\d+[MG]i) \|$", re.MULTILINE)
ROOMY = 2_000
"""The number of mini programs in the comment beside the memory request."""


def unrestricted(pod: Json) -> list[str]:
    """Return the pod's violations of Kubernetes' restricted profile, and a few more."""
    security = pod["securityContext"]
    found = []
    if security["runAsNonRoot"] is not True or security["runAsUser"] == 0:
        found.append("may be root")
    if security["seccompProfile"] != {"type": "RuntimeDefault"}:
        found.append("seccomp")
    if {"hostNetwork", "hostPID", "hostIPC"} & pod.keys():
        found.append("host")
    kinds = {kind for volume in pod["volumes"] for kind in volume if kind != "name"}
    if not kinds <= {"configMap", "secret", "emptyDir", "persistentVolumeClaim"}:
        found.append("volumes")
    for container in pod["containers"]:
        if container["securityContext"] != {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }:
            found.append(container["name"])
        if any("hostPort" in port for port in container["ports"]):
            found.append("host port")
    return found


def test_a_pod_has_no_rights(objects: Objects) -> None:
    assert unrestricted(objects.pod) == []
    assert objects.pod["automountServiceAccountToken"] is False
    account = objects.one("ServiceAccount", objects.pod["serviceAccountName"])
    assert account["automountServiceAccountToken"] is False
    assert not objects.of("Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding")


def test_the_redis_to_try_has_none_either() -> None:
    objects = read(KUBERNETES / "examples" / "redis.yaml")
    assert unrestricted(objects.pod) == []
    assert objects.pod["automountServiceAccountToken"] is False


def test_the_user_is_the_image_s_and_may_read_and_write_its_volumes(objects: Objects) -> None:
    security = objects.pod["securityContext"]
    assert [security[key] for key in ("runAsUser", "runAsGroup", "fsGroup")] == [USER] * 3
    assert f"USER {USER}:{USER}" in KUBERNETES.parents[1].joinpath("Dockerfile").read_text("utf-8")
    for volume in objects.mounts.values():
        if "secret" in volume:
            assert volume["secret"]["defaultMode"] == 0o440
    assert {"/data", "/tmp"} <= objects.mounts.keys()


def test_the_image_is_this_version(objects: Objects) -> None:
    assert objects.container["image"] == f"{NAME}:{__version__}"


def test_probes_ask_where_the_exporter_listens(objects: Objects) -> None:
    (port,) = objects.container["ports"]
    assert f":{port['containerPort']}" == DEFAULT_ADDRESS
    asked = {
        kind: objects.container[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")
    }
    assert asked == {
        "startup": {"path": "/-/healthy", "port": port["name"]},
        "liveness": {"path": "/-/healthy", "port": port["name"]},
        "readiness": {"path": "/-/ready", "port": port["name"]},
    }


def test_it_may_take_the_time_to_stop_that_it_needs(objects: Objects) -> None:
    assert objects.pod["terminationGracePeriodSeconds"] > 5


def test_the_memory_asked_for_is_what_so_many_mini_programs_take(objects: Objects, tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("apps: [{appid: wx0123456789abcdef, secret: not-a-real-secret}]")
    needed = estimate(load(config, {}), ROOMY).resident_bytes
    resources = objects.container["resources"]
    assert needed <= size(resources["requests"]["memory"])
    assert size(resources["limits"]["memory"]) >= 2 * needed
    assert "cpu" not in resources["limits"]
    assert f"{ROOMY:,} with room" in KUBERNETES.joinpath("overlays/single/deployment.yaml").read_text("utf-8")


@pytest.mark.parametrize("page", ["kubernetes.md", "kubernetes.zh-CN.md"])
def test_the_memory_in_the_docs_is_the_measured_one(page: str) -> None:
    rows = TABLE_OF_MEMORY.findall(KUBERNETES.parents[1].joinpath("docs", page).read_text("utf-8"))
    assert len(rows) >= 3
    for nine_dates, one_date, request, limit in rows:
        for apps, kib in ((nine_dates, 9), (one_date, 4.4)):
            assert 60e6 + int(apps.replace(",", "")) * kib * 1024 <= size(request)
        assert size(limit) == 2 * size(request)


def test_both_kinds_of_workload_have_the_same_pods(rendered: Callable[[str], Objects]) -> None:
    single, sharded = (dict(rendered(overlay).pod) for overlay in ("single", "sharded"))
    containers = [dict(pod.pop("containers")[0]) for pod in (single, sharded)]
    for pod in (single, sharded):
        pod["volumes"] = [volume for volume in pod["volumes"] if "secret" in volume or "emptyDir" in volume]
    assert single == sharded
    for container in containers:
        container.pop("args")
    assert [entry["name"] for entry in containers[1].pop("env")] == ["POD_NAME"]
    assert containers[0] == containers[1]


def test_a_single_exporter_s_file_is_never_open_twice(rendered: Callable[[str], Objects]) -> None:
    objects = rendered("single")
    spec = objects.one("Deployment")["spec"]
    assert (spec["replicas"], spec["strategy"]) == (1, {"type": "Recreate"})
    assert (
        objects.mounts["/data"]["persistentVolumeClaim"]["claimName"]
        == objects.one("PersistentVolumeClaim")["metadata"]["name"]
    )
    assert not objects.of(
        "PodDisruptionBudget"
    )  # with one replica it would stand in the way of every node's drain


def test_each_shard_has_a_disk_of_its_own(rendered: Callable[[str], Objects]) -> None:
    objects = rendered("sharded")
    (claim,) = objects.one("StatefulSet")["spec"]["volumeClaimTemplates"]
    assert objects.mounts["/data"] == claim
    assert claim["spec"]["accessModes"] == ["ReadWriteOnce"]


def test_replicas_keep_apart_and_need_no_disk(rendered: Callable[[str], Objects]) -> None:
    objects = rendered("ha")
    assert "volumeClaimTemplates" not in objects.one("StatefulSet")["spec"]
    assert "emptyDir" in objects.mounts["/data"]
    spreads = objects.pod["topologySpreadConstraints"]
    assert {spread["topologyKey"] for spread in spreads} == {
        "kubernetes.io/hostname",
        "topology.kubernetes.io/zone",
    }
    (apart,) = objects.pod["affinity"]["podAntiAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    for term in (*spreads, apart["podAffinityTerm"]):
        assert selects(objects.pod_labels, term["labelSelector"])


@pytest.mark.parametrize("overlay", ["sharded", "ha"])
def test_one_pod_at_a_time_is_taken_away(overlay: str, rendered: Callable[[str], Objects]) -> None:
    objects = rendered(overlay)
    workload = objects.one("StatefulSet")["spec"]
    assert workload["podManagementPolicy"] == "Parallel"
    assert workload.get("updateStrategy", {"type": "RollingUpdate"}) == {"type": "RollingUpdate"}
    budget = objects.one("PodDisruptionBudget")["spec"]
    assert budget["maxUnavailable"] == 1
    assert selects(objects.pod_labels, budget["selector"])


def test_every_selector_finds_its_pods(objects: Objects) -> None:
    assert selects(objects.pod_labels, objects.workload["spec"]["selector"])
    service = objects.one("Service")
    assert service["spec"]["selector"].items() <= objects.pod_labels.items()
    assert objects.workload["spec"].get("serviceName", NAME) == service["metadata"]["name"]
    for policy in objects.of("NetworkPolicy"):
        assert selects(objects.pod_labels, policy["spec"]["podSelector"])


def test_secrets_of_the_examples_look_fake() -> None:
    for secret in read(*EXAMPLES).of("Secret"):
        assert "data" not in secret
        for name, value in secret["stringData"].items():
            assert value.startswith(("not-a-real", "bm90LWEtcmVhbC")), name  # the latter in Base64
