"""The shipped files, one after the other."""

from pathlib import Path

import pytest

from tests.grafana.boards import FILES, Json, board, name_of


@pytest.fixture(params=FILES, ids=name_of)
def path(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


@pytest.fixture
def loaded(path: Path) -> Json:
    return board(path)
