from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.typing import FilteringBoundLogger

from exporter.simulator.fleet import DEMO_PLATFORM, fleet
from exporter.simulator.server import Conditions, Simulator
from tests.discovery.scenes import Scene
from tests.wechat.lines import Clock, opened


@pytest.fixture
def apps() -> int:
    return 3


@pytest.fixture
def scene(tmp_path: Path, apps: int, log: FilteringBoundLogger) -> Iterator[Scene]:
    clock = Clock()
    with (
        Simulator(fleet(apps, seed=1), Conditions(time_source=clock), platforms=[DEMO_PLATFORM]) as sim,
        opened(sim.base_url, clock=clock) as client,
    ):
        ticket = tmp_path / "ticket"
        ticket.write_text(sim.new_ticket("main"))
        yield Scene(sim, client, clock, ticket, log)
