"""Wheel and sdist: reproducible, with all that a machine needs."""

import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest
import requests
from packaging.metadata import Metadata

from exporter import __version__
from tests.docs.pages import ROOT

SCRIPT = "wechat-miniprogram-exporter"


def pythons() -> list[str]:
    """Return the supported interpreters that are installed here."""
    names = (f"python3.{minor}" for minor in range(11, 20))
    return [
        name
        for name in names
        if shutil.which(name) and not subprocess.call([name, "-c", ""], stderr=subprocess.DEVNULL)
    ]


class Built(NamedTuple):
    """The files that `hatchling build` makes."""

    wheel: Path
    sdist: Path


def build(source: Path, folder: Path) -> Built:
    command = [sys.executable, "-m", "hatchling", "build", "--directory", str(folder)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    ((wheel,), (sdist,)) = (list(folder.glob(pattern)) for pattern in ("*.whl", "*.tar.gz"))
    return Built(wheel, sdist)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build(ROOT, tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def metadata(built: Built) -> Metadata:
    with zipfile.ZipFile(built.wheel) as wheel:
        (name,) = (name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
        return Metadata.from_email(wheel.read(name), validate=True)


def test_another_place_time_and_umask_give_the_same_bytes(built: Built, tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        with tarfile.open(built.sdist) as archive:
            archive.extractall(tmp_path, filter="data")
        (source,) = tmp_path.iterdir()
        for path in source.rglob("*"):
            os.utime(path, (1, 1))
        again = build(source, tmp_path / "dist")
    finally:
        os.umask(before)
    assert again.wheel.read_bytes() == built.wheel.read_bytes()
    assert again.sdist.read_bytes() == built.sdist.read_bytes()


def test_the_wheel_has_the_program_its_types_and_its_licence_and_nothing_else(built: Built) -> None:
    with zipfile.ZipFile(built.wheel) as wheel:
        names = set(wheel.namelist())
    shipped = (path for path in (ROOT / "exporter").rglob("*") if path.is_file() and path.suffix != ".pyc")
    assert {str(path.relative_to(ROOT)) for path in shipped} <= names
    assert "exporter/py.typed" in names
    assert {name.split("/")[0] for name in names} == {
        "exporter",
        f"wechat_miniprogram_exporter-{__version__}.dist-info",
    }
    assert any(name.endswith("licenses/LICENSE") for name in names)


def test_the_metadata_is_valid_and_says_what_a_visitor_of_the_index_looks_for(metadata: Metadata) -> None:
    assert metadata.name == SCRIPT
    assert str(metadata.version) == __version__
    assert metadata.license_expression == "Apache-2.0"
    assert metadata.summary
    assert metadata.description_content_type == "text/markdown"
    assert {"Homepage", "Documentation", "Changelog", "Issues"} <= set(metadata.project_urls or {})


def test_every_link_of_the_long_description_leads_somewhere_from_an_index(metadata: Metadata) -> None:
    text = metadata.description or ""
    found = re.findall(r"\]\(([^)\s]+)\)", text)
    assert [link for link in found if not link.startswith("https://")] == []
    home = (metadata.project_urls or {})["Homepage"]
    ours = [link.removeprefix(home) for link in found if link.startswith(f"{home}/")]
    assert "/raw/main/docs/pictures/status.png" in ours
    for link in ours:
        path = re.sub(r"^/(blob|raw)/main/|#.*", "", link)
        assert (ROOT / path).exists(), link


def test_the_readme_names_the_wheel(built: Built) -> None:
    for page in ("README.md", "README.zh-CN.md"):
        assert f"pip install {built.wheel.name} " in (ROOT / page).read_text("utf-8")


def test_the_changelog_has_the_version() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text("utf-8")
    assert re.search(rf"^## \[{re.escape(__version__)}\] - \d{{4}}-\d\d-\d\d$", changelog, re.MULTILINE)


@pytest.mark.parametrize(
    "path",
    [
        "deploy/compose.yaml",
        "deploy/compose.production.yaml",
        "deploy/kubernetes/overlays/single/deployment.yaml",
        "deploy/kubernetes/overlays/sharded/statefulset.yaml",
    ],
)
def test_deployments_name_the_image_of_this_version(path: str) -> None:
    images = re.findall(rf"image: {SCRIPT}:(\S+)", (ROOT / path).read_text("utf-8"))
    assert set(images) == {__version__}


@pytest.mark.parametrize("python", pythons())
def test_installed_from_the_wheel_the_demo_shows_figures_within_thirty_seconds(
    python: str, built: Built, free_port: Callable[[], int], tmp_path: Path
) -> None:
    venv = tmp_path / "venv"
    uv = [sys.executable, "-m", "uv"]
    subprocess.run([*uv, "venv", "--quiet", "--python", python, venv], check=True)
    install = [
        *uv,
        "pip",
        "install",
        "--quiet",
        "--compile-bytecode",
        "--python",
        f"{venv}/bin/python",
        str(built.wheel),
    ]
    installed = subprocess.run(install, check=False, capture_output=True, text=True)
    if installed.returncode and os.environ.get("WECHAT_EXPORTER_REQUIRE_REAL") != "1":
        pytest.skip(f"no package index can be reached: {installed.stderr[-200:]}")
    assert installed.returncode == 0, installed.stderr
    address = f"127.0.0.1:{free_port()}"
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    command = [f"{venv}/bin/{SCRIPT}", "demo", f"--web.listen-address={address}"]
    demo = subprocess.Popen(command, cwd=tmp_path, env=environ)
    try:
        until(lambda: "wechat_miniprogram_daily_visit_pv{" in requests.get(f"http://{address}/metrics").text)
    finally:
        demo.terminate()
        assert demo.wait(15) == 0


def until(shown: Callable[[], bool]) -> None:
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            if shown():
                return
        except requests.ConnectionError:
            pass
        time.sleep(0.1)
    pytest.fail("nothing is shown after 30 s")
