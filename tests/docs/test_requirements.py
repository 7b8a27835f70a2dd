"""The pinned requirements are complete, and have a hash for every file and no address."""

import re
import tomllib

import pytest
from packaging.requirements import Requirement

from tests.docs.pages import ROOT

FILES = {name: (ROOT / "requirements" / name).read_text("utf-8") for name in ("run.txt", "build.txt")}
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
EXTRAS = PROJECT["project"]["optional-dependencies"]
NEEDED = {
    "run.txt": [*PROJECT["project"]["dependencies"], *EXTRAS["redis"], *EXTRAS["third-party"]],
    "build.txt": PROJECT["build-system"]["requires"],
}


def pins(name: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ;\\]+)", FILES[name], re.MULTILINE))


@pytest.mark.parametrize("name", FILES)
def test_every_requirement_has_hashes_and_no_address(name: str) -> None:
    assert "://" not in FILES[name]
    assert not re.search(r"^-", FILES[name], re.MULTILINE)
    for block in re.split(r"\n(?=\S)", FILES[name].strip()):
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", block), block


@pytest.mark.parametrize("name", FILES)
def test_they_are_what_the_project_asks_for(name: str) -> None:
    pinned = pins(name)
    for line in NEEDED[name]:
        wanted = Requirement(line)
        found = pinned[wanted.name.lower()]
        assert wanted.specifier.contains(found), f"{line}: {found} is pinned; run `make lock`"
