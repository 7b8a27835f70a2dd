"""The image, built by buildah and run with a read-only root, without a shell, as nobody in particular.

The base image is Debian's Python under the name that the Dockerfile has; it is kept in buildah's storage.
"""

import json
import os
import signal
import subprocess
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from exporter.simulator.fleet import config_yaml, fleet
from exporter.simulator.server import Conditions, Simulator

ROOT = Path(__file__).parents[2]
IMAGE = "wechat-miniprogram-exporter:tested"
ENVIRONMENT = {**os.environ, "BUILDAH_ISOLATION": "chroot", "STORAGE_DRIVER": "vfs"}
PROGRAM = "/opt/exporter/bin/wechat-miniprogram-exporter"
HOSTS = ("/etc/ssl/certs", "/etc/pip.conf")  # how this machine reaches its package index
START = """
set -e
mount --bind "$0" "$0" && mount -o remount,ro,bind "$0"
mount -t tmpfs -o uid=65532,mode=0700 tmpfs "$0/data"
exec chroot --userspec=65532:65532 "$@"
"""


class Buildah:
    def __init__(self, path: str) -> None:
        self._path = path

    def __call__(self, *words: str | Path) -> str:
        done = subprocess.run(
            [self._path, *words], env=ENVIRONMENT, cwd=ROOT, capture_output=True, check=False, text=True
        )
        assert done.returncode == 0, f"{words}: {done.stderr[-3000:]}"
        return done.stdout.strip()


def make_base(buildah: Buildah, mmdebstrap: str, folder: Path) -> str:
    """Make the base image of this machine's Debian, unpacked only; return its Python's version."""
    codename = next(
        line.split("=")[1]
        for line in Path("/etc/os-release").read_text("utf-8").splitlines()
        if line.startswith("VERSION_CODENAME=")
    )
    packages = "--include=base-files,dash,coreutils,ca-certificates,python3,python3-pip,python3-venv"
    link = '--extract-hook=ln -s python3 "$1/usr/bin/python"'
    archive = folder / "base.tar"
    subprocess.run(
        [mmdebstrap, "--quiet", "--variant=extract", packages, link, codename, archive], check=True
    )
    with tarfile.open(archive) as tree:
        version = tree.getmember("./usr/bin/python3").linkname.removeprefix("python")
    container = buildah("from", "scratch")
    buildah("add", "--quiet", container, archive, "/")
    buildah("commit", "--quiet", "--rm", container, base_name(version))
    return version


def base_name(version: str) -> str:
    return f"docker.io/library/python:{version}-slim-trixie"


def known_base(buildah: Buildah) -> str | None:
    images = json.loads(buildah("images", "--json") or "[]")
    names = [name for image in images for name in image.get("names") or ()]
    versions = [name.partition("python:")[2].partition("-")[0] for name in names if "python:" in name]
    return versions[0] if versions else None


@pytest.fixture(scope="module")
def buildah(program: Callable[[str], str]) -> Buildah:
    path = program("buildah")
    if os.geteuid() != 0:
        pytest.skip("not root: buildah's chroot isolation needs it here")
    return Buildah(path)


@pytest.fixture(scope="module")
def config(
    buildah: Buildah, program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """Build the image; what it says of itself."""
    version = known_base(buildah) or make_base(
        buildah, program("mmdebstrap"), tmp_path_factory.mktemp("base")
    )
    mounts = [f"--volume={path}:{path}:ro" for path in HOSTS if Path(path).exists()]
    python = f"--build-arg=PYTHON_VERSION={version}"
    buildah("build", "--format=docker", "--pull-never", "--network=host", python, *mounts, "-t", IMAGE, ".")
    document: dict[str, Any] = json.loads(buildah("inspect", "--type=image", IMAGE))["Docker"]["config"]
    return document


@pytest.fixture
def root(buildah: Buildah, config: dict[str, Any]) -> Iterator[Path]:
    """Yield the image's files, in a container of their own, without any shell."""
    container = buildah("from", "--pull-never", IMAGE)
    try:
        tree = Path(buildah("mount", container))
        for shell in ("bin/sh", "bin/dash", "bin/bash"):
            (tree / shell).unlink(missing_ok=True)
        yield tree
    finally:
        buildah("rm", container)


def chroot(root: Path, config: dict[str, Any], *words: str) -> list[str]:
    environment = ["/usr/bin/env", "-i", *config["Env"]]
    return ["unshare", "--mount", "sh", "-c", START, str(root), str(root), *environment, *words]


def test_the_image_says_who_it_is_and_how_it_is_looked_after(config: dict[str, Any]) -> None:
    assert config["User"] == "65532:65532"
    assert config["Entrypoint"] == [PROGRAM]
    assert config["Healthcheck"]["Test"] == ["CMD", PROGRAM, "healthcheck"]
    assert config["Labels"]["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert list(config["Volumes"]) == ["/data"]


def test_it_serves_with_a_read_only_root_and_no_shell(
    root: Path, config: dict[str, Any], free_port: Callable[[], int]
) -> None:
    assert not list((root / "opt/exporter").rglob("pip"))
    address = f"--web.listen-address=127.0.0.1:{free_port()}"
    with Simulator(fleet(3, seed=1), Conditions(always_published=True)) as wechat:
        settings = config_yaml(wechat.apps, wechat.base_url).replace(
            "memory://", "sqlite:///data/exporter.db"
        )
        file = root / config["Cmd"][0].removeprefix("--config.file=").lstrip("/")
        file.write_text(settings, "utf-8")
        process = subprocess.Popen(chroot(root, config, *config["Entrypoint"], *config["Cmd"], address))
        try:
            page = _metrics(address.partition("=")[2])
            status = Path(f"/proc/{process.pid}/status").read_text()
            health = subprocess.run(chroot(root, config, PROGRAM, "healthcheck", address), check=False)
            process.send_signal(signal.SIGTERM)
            assert process.wait(10) == 0
        finally:
            process.kill()
            process.wait(10)
    assert page.count("wechat_miniprogram_daily_visit_pv{") == 3
    assert "wechat_miniprogram_exporter_storage_errors_total 0.0" in page
    assert "Uid:\t65532\t65532" in status
    assert health.returncode == 0


def _metrics(address: str) -> str:
    end = time.monotonic() + 20
    while True:
        try:
            if requests.get(f"http://{address}/-/ready", timeout=5).ok:
                return requests.get(f"http://{address}/metrics", timeout=5).text
        except requests.ConnectionError:
            pass
        assert time.monotonic() < end, "not ready in time"
        time.sleep(0.1)
