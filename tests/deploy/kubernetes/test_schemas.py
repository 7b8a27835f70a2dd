"""All objects are valid by Kubernetes' schemas, and small enough to apply."""

import json
from pathlib import Path

import pytest
from kubernetes_validate.utils import ValidationError, latest_version, validate

from tests.deploy.kubernetes.manifests import EXAMPLES, KUBERNETES, OVERLAYS, Json, Objects, read

OLDEST = "1.27"  # since then a disruption budget may let pods go that are not ready
VERSIONS = (OLDEST, latest_version())
OPERATORS = "monitoring.coreos.com/v1"  # no part of Kubernetes: see test_monitoring.py


def refused(found: Json, version: str) -> str:
    try:
        validate(found, version, strict=True)
    except ValidationError as error:
        return f"{found['kind']} {found['metadata']['name']}: {error.message}"
    return ""


@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_takes_every_object(objects: Objects, version: str) -> None:
    ours = [found for found in objects.all if found["apiVersion"] != OPERATORS]
    assert len(ours) == len(objects.all) - 2
    assert [text for text in (refused(found, version) for found in ours) if text] == []


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
@pytest.mark.parametrize("version", VERSIONS)
def test_kubernetes_takes_every_example(path: Path, version: str) -> None:
    assert [text for text in (refused(found, version) for found in read(path).all) if text] == []


def test_a_misspelt_key_would_be_found() -> None:
    (account,) = read(KUBERNETES / "base" / "serviceaccount.yaml").all
    assert refused(account, OLDEST) == ""
    assert "automountServiceAccountTokens" in refused({**account, "automountServiceAccountTokens": 0}, OLDEST)


def test_every_object_is_small_enough_for_kubectl_apply(objects: Objects) -> None:
    """Check the sizes: apply stores the object in an annotation of 256 KiB; a ConfigMap may have 1 MiB."""
    for found in objects.all:
        size = len(json.dumps(found, ensure_ascii=False).encode())
        assert size < 256 * 1024 * 9 // 10, found["metadata"]["name"]


def test_every_object_is_in_the_namespace_and_named_once(objects: Objects) -> None:
    names = [(found["kind"], found["metadata"]["name"]) for found in objects.all]
    assert len(set(names)) == len(names)
    (namespace,) = read(KUBERNETES / "examples" / "namespace.yaml").all
    assert {found["metadata"]["namespace"] for found in objects.all} == {namespace["metadata"]["name"]}


def test_the_oldest_version_is_the_one_in_the_docs() -> None:
    for page in ("kubernetes.md", "kubernetes.zh-CN.md"):
        assert f"Kubernetes {OLDEST}" in KUBERNETES.parents[1].joinpath("docs", page).read_text("utf-8")


def test_every_folder_with_an_overlay_is_tested() -> None:
    assert {path.name for path in KUBERNETES.joinpath("overlays").iterdir()} == set(OVERLAYS)
