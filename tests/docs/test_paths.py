"""Files that the pages for contributors name are in the repository."""

from fnmatch import fnmatchcase
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, paths

MADE_LATER = {"dist/", "exporter/datasets/NAME.py", "docs/runbooks/NAME.md"}


def files_and_folders() -> set[str]:
    """Return every path of the repository after a slash, except installed, built or compiled files."""
    found = (path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*") if path.suffix != ".pyc")
    return {f"/{path}" for path in found if not path.startswith((".git/", ".venv/", "build/", "dist/"))}


@pytest.mark.parametrize("page", ["CONTRIBUTING.md", "docs/architecture.md"])
def test_every_path_that_a_page_for_contributors_names_is_there(page: str) -> None:
    named = paths(ROOT / page) - MADE_LATER
    there = files_and_folders()
    assert len(named) > 20
    assert [path for path in sorted(named) if not is_one_of(path, there)] == []


def test_a_path_may_leave_out_its_first_folders_and_a_module_its_ending(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("`plan.py`, `refresh/plan`, `refresh/`, `tests/*.yaml`, `/metrics`, `a.b`\n", "utf-8")
    assert paths(page) == {"plan.py", "refresh/plan", "refresh/", "tests/*.yaml"}
    there = {"/exporter/refresh", "/exporter/refresh/plan.py", "/tests/a.yaml"}
    assert all(is_one_of(path, there) for path in paths(page))
    assert not is_one_of("an.py", there)
    assert not is_one_of("fresh/plan", there)


def is_one_of(path: str, there: set[str]) -> bool:
    """Return whether a file or folder ends with the path, which may have `*` in it."""
    wanted = f"*/{path.rstrip('/')}"
    return any(fnmatchcase(found, wanted) or fnmatchcase(found, f"{wanted}.py") for found in there)
