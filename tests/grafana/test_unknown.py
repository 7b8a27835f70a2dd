"""An empty Prometheus, or one whose exporter is down: nothing is told that is not known."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.grafana.boards import asked
from tests.prometheus.servers import Database, prometheus

TOLD = {"en/fleet: Exporters scraped A", "en/exporter: Exporters scraped A"}
"""The only numbers that there are without an exporter: 0, which is red."""


@pytest.fixture
def empty(program: Callable[[str], str], free_port: Callable[[], int], tmp_path: Path) -> Iterator[Database]:
    config = tmp_path / "prometheus.yaml"
    config.write_text("global: {}\n", "utf-8")
    with prometheus(program("prometheus"), free_port(), config, tmp_path / "tsdb") as database:
        yield database


def test_without_an_exporter_every_number_is_absent_but_that_of_the_exporters(empty: Database) -> None:
    told = {}
    for target in asked():
        if target.target["instant"]:
            for series in empty.instant(target.expression()):
                told[target.name] = float(series["value"][1])
    assert told == dict.fromkeys(TOLD, 0)
