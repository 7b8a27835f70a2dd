"""The exporter accepts the configuration of the manifests, started as the pods start it."""

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import pytest
import yaml

from exporter import cli
from tests.deploy.kubernetes.manifests import EXAMPLES, NAME, ROOT, Json, Objects, read, render, selects
from tests.docs.pages import blocks

SHARDS = {"single": 1, "sharded": 4, "ha": 4}
REPLICAS = {"single": 1, "sharded": 1, "ha": 2}
"""Apps of each shard."""
REAL = {
    "not-a-real-key": "bm90LWEtcmVhbC1rZXktbm90LWEtcmVhbC1rZXktISE=",
    "not-a-real-secret": "0123456789abcdef0123456789abcdef",
    "not-a-real-secret-either": "0123456789abcdef0123456789abcdef",
}
"""A well-formed secret in place of the examples'."""
PAGES = ("docs/kubernetes.md", "docs/kubernetes.zh-CN.md")


def files(objects: Objects) -> Iterator[tuple[str, str]]:
    """Yield the files that a container finds, with the examples' Secrets."""
    secrets = {secret["metadata"]["name"]: secret["stringData"] for secret in read(*EXAMPLES).of("Secret")}
    for path, volume in objects.mounts.items():
        contents: Json = {}
        if "configMap" in volume:
            contents = objects.one("ConfigMap", volume["configMap"]["name"])["data"]
        elif "secret" in volume:
            contents = secrets[volume["secret"]["secretName"]]
            contents = {name: REAL.get(text, text) for name, text in contents.items()}
        for name, text in contents.items():
            yield f"{path}/{name}", text


def flags(objects: Objects) -> dict[str, str]:
    """Return the container's flags and their values."""
    return dict(word.split("=", 1) for word in objects.container["args"])


def lay_out(objects: Objects, folder: Path) -> Path:
    """Write the container's files below a folder; return the configuration's path."""
    for path, text in files(objects):
        place = folder.joinpath(path.removeprefix("/"))
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text, "utf-8")
        place.chmod(0o440)
    return folder.joinpath(flags(objects)["--config.file"].removeprefix("/"))


def test_check_has_nothing_against_it(
    objects: Objects, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = lay_out(objects, tmp_path)
    shards = [f"{flag}={value}" for flag, value in flags(objects).items() if "shard" in flag]
    monkeypatch.setenv("POD_NAME", f"{NAME}-{objects.workload['spec']['replicas'] - 1}")
    code = cli.main(["check", f"--config.file={config}", *shards])
    output = capsys.readouterr()
    assert (code, output.err) == (0, "")
    assert f"{config}: OK" in output.out


def test_the_key_of_the_examples_is_none_and_check_says_so(
    rendered: Callable[[str], Objects], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    objects = rendered("ha")
    config = lay_out(objects, tmp_path)
    example = read(*EXAMPLES).one("Secret", f"{NAME}-storage")["stringData"]["encryption-key"]
    config.parent.joinpath("storage", "encryption-key").write_text(example, "utf-8")
    assert cli.main(["check", f"--config.file={config}"]) == 2
    assert "encryption_key_file: 'storage/encryption-key' does not hold a key" in capsys.readouterr().err


def test_the_exporter_has_the_flags_that_it_is_started_with(objects: Objects) -> None:
    given = cli._parser("serve").parse_args(objects.container["args"])
    mounts = {PurePosixPath(path) for path, volume in objects.mounts.items() if "configMap" in volume}
    assert PurePosixPath(given.config_file).parent in mounts


@pytest.mark.parametrize("overlay", SHARDS)
def test_every_shard_has_its_replicas(overlay: str, rendered: Callable[[str], Objects]) -> None:
    objects = rendered(overlay)
    assert int(flags(objects).get("--total-shards", 1)) == SHARDS[overlay]
    assert objects.workload["spec"]["replicas"] == SHARDS[overlay] * REPLICAS[overlay]
    if SHARDS[overlay] > 1:
        assert flags(objects)["--shard"] == "auto"
        (name,) = objects.container["env"]
        assert name["valueFrom"]["fieldRef"]["fieldPath"] == "metadata.name"


def test_rows_are_kept_where_the_overlay_says(rendered: Callable[[str], Objects]) -> None:
    def storage(overlay: str) -> Any:
        objects = rendered(overlay)
        text = dict(files(objects))[flags(objects)["--config.file"]]
        return yaml.safe_load(text)["storage"]

    assert storage("single") == storage("sharded") == {"url": "sqlite:////data/exporter.db"}
    service = read(*EXAMPLES).one("Service", "wechat-redis")
    (port,) = service["spec"]["ports"]
    assert storage("ha") == {
        "url": f"redis://{service['metadata']['name']}:{port['port']}/0",
        "password_file": "storage/password",
        "encryption_key_file": "storage/encryption-key",
    }


def test_a_change_of_the_configuration_changes_its_name(objects: Objects) -> None:
    """Check the hash in the name, by which new pods replace the old ones."""
    folder = str(PurePosixPath(flags(objects)["--config.file"]).parent)
    name = objects.mounts[folder]["configMap"]["name"]
    assert re.fullmatch(rf"{NAME}-[a-z0-9]{{10}}", name)
    assert "subPath" not in str(objects.container["volumeMounts"])  # those files are never renewed


def test_secrets_are_no_part_of_what_is_applied(objects: Objects) -> None:
    """Check this, as the examples would otherwise replace the real ones."""
    assert not objects.of("Secret")


def test_the_network_lets_in_prometheus_and_out_what_the_exporter_asks(objects: Objects) -> None:
    policy = objects.one("NetworkPolicy")["spec"]
    assert set(policy["policyTypes"]) == {"Ingress", "Egress"}
    (entrance,) = policy["ingress"]
    assert [port["port"] for port in entrance["ports"]] == [objects.container["ports"][0]["containerPort"]]
    names, wechat = policy["egress"]
    assert {(port["protocol"], port["port"]) for port in names["ports"]} == {("UDP", 53), ("TCP", 53)}
    assert [port["port"] for port in wechat["ports"]] == [443]
    inner = {address for to in wechat["to"] for address in to["ipBlock"]["except"]}
    assert {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "fc00::/7"} <= inner


def test_the_network_lets_the_exporter_and_its_redis_meet(rendered: Callable[[str], Objects]) -> None:
    objects, redis = rendered("ha"), read(*EXAMPLES)
    (out,) = objects.one("NetworkPolicy", f"{NAME}-redis")["spec"]["egress"]
    (into,) = redis.one("NetworkPolicy", "wechat-redis")["spec"]["ingress"]
    assert selects(redis.pod_labels, out["to"][0]["podSelector"])
    assert selects(objects.pod_labels, into["from"][0]["podSelector"])
    assert [port["port"] for port in (*out["ports"], *into["ports"])] == [6379, 6379]


@pytest.mark.parametrize("page", PAGES)
def test_the_overlay_of_one_s_own_in_the_docs_renders(
    page: str, program: Callable[[str], str], tmp_path: Path
) -> None:
    (text,) = (b.text for b in blocks(ROOT / page) if "kind: Kustomization" in b.text)
    shipped = os.path.relpath(ROOT / "deploy", tmp_path.resolve())
    text = text.replace("wechat-miniprogram-exporter/deploy", shipped)
    text = text.replace("resources:", "bases:")  # what the oldest kubectl calls folders
    tmp_path.joinpath("kustomization.yaml").write_text(text, "utf-8")
    tmp_path.joinpath("config.yaml").write_text("apps: []\n", "utf-8")
    objects = render(program("kubectl"), tmp_path)
    assert dict(files(objects))[flags(objects)["--config.file"]] == "apps: []\n"
    assert objects.container["image"] == "registry.example.com/wechat-miniprogram-exporter:1.0.0"
    assert {found["metadata"]["namespace"] for found in objects.all} == {"wechat"}


@pytest.mark.parametrize("page", PAGES)
def test_patches_in_the_docs_replace_what_is_there(page: str, rendered: Callable[[str], Objects]) -> None:
    """Apply the patches here, as the oldest kubectl does not support them."""
    texts = [block.text for block in blocks(ROOT / page) if block.text.startswith("patches:")]
    patches = [patch for text in texts for patch in yaml.safe_load(text)["patches"]]
    found = {
        (patch["target"]["kind"], step["path"]): step["value"]
        for patch in patches
        for step in yaml.safe_load(patch["patch"])
    }
    assert len(found) == 3
    for (kind, path), value in found.items():
        old: Any = rendered("single" if kind == "Deployment" else "ha").one(kind)
        for key in path.split("/")[1:]:
            old = old[int(key) if isinstance(old, list) else key]
        assert type(old) is type(value)
        if path.endswith("/resources"):
            assert old.keys() == value.keys()
        if path.endswith("/args/2"):
            flag, _, shards = value.partition("=")
            assert old.startswith(f"{flag}=")
            assert found[kind, "/spec/replicas"] == int(shards) * REPLICAS["ha"]
