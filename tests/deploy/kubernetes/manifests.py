"""Kubernetes objects, rendered by kubectl as an operator would, and functions to inspect them."""

import re
import subprocess
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from exporter.package_data import LOADER

ROOT = Path(__file__).parents[3]
KUBERNETES = ROOT / "deploy" / "kubernetes"
OVERLAYS = ("single", "sharded", "ha")
EXAMPLES = sorted(KUBERNETES.joinpath("examples").glob("*.yaml"))
NAME = "wechat-miniprogram-exporter"
WORKLOADS = ("Deployment", "StatefulSet")
Json = dict[str, Any]
_UNITS = {"Ki": 2**10, "Mi": 2**20, "Gi": 2**30}


class Objects(NamedTuple):
    """The objects that `kubectl apply` would send."""

    all: tuple[Json, ...]

    def of(self, *kinds: str) -> list[Json]:
        return [found for found in self.all if found["kind"] in kinds]

    def one(self, kind: str, name: str = NAME) -> Json:
        (found,) = (found for found in self.of(kind) if found["metadata"]["name"] == name)
        return found

    @property
    def workload(self) -> Json:
        (found,) = self.of(*WORKLOADS)
        return found

    @property
    def pod(self) -> Json:
        """Return the pods' specification."""
        found: Json = self.workload["spec"]["template"]["spec"]
        return found

    @property
    def container(self) -> Json:
        (found,) = self.pod["containers"]
        return dict(found)

    @property
    def pod_labels(self) -> dict[str, str]:
        return dict(self.workload["spec"]["template"]["metadata"]["labels"])

    @property
    def mounts(self) -> dict[str, Json]:
        """Return the volumes by the paths that they are mounted at."""
        volumes = {volume["name"]: volume for volume in self.pod["volumes"]}
        claims = self.workload["spec"].get("volumeClaimTemplates", ())
        volumes |= {claim["metadata"]["name"]: claim for claim in claims}
        return {mount["mountPath"]: volumes[mount["name"]] for mount in self.container["volumeMounts"]}


def render(kubectl: str, folder: Path) -> Objects:
    output = subprocess.run([kubectl, "kustomize", folder], capture_output=True, check=False)
    assert output.returncode == 0, output.stderr
    return parse(output.stdout)


def read(*paths: Path) -> Objects:
    return Objects(tuple(found for path in paths for found in parse(path.read_bytes()).all))


def parse(text: bytes | str) -> Objects:
    """Parse all documents of a text, except empty ones."""
    return Objects(tuple(found for found in yaml.load_all(text, LOADER) if found))


def selects(labels: Json, selector: Json) -> bool:
    """Return whether a selector's `matchLabels` match labels."""
    return bool(selector["matchLabels"]) and selector["matchLabels"].items() <= labels.items()


def size(quantity: str) -> int:
    """Return the bytes of a quantity such as 128Mi."""
    number, unit = re.fullmatch(r"(\d+)([KMG]i)", quantity).groups()  # type: ignore[union-attr]
    return int(number) * _UNITS[unit]
