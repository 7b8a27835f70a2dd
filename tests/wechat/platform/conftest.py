"""A platform of the simulated WeChat, and exporters that share one storage."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from exporter.beijing import yesterday
from exporter.config.apps import App
from exporter.config.platforms import Platform, TicketFile
from exporter.config.secret import Secret
from exporter.config.token_types import ThirdParty
from exporter.datasets.dataset import Row
from exporter.simulator.fleet import fake_appid, fleet
from exporter.simulator.platforms import PlatformDesk
from exporter.simulator.server import Conditions, Simulator
from exporter.store.interface import StoreError
from exporter.store.memory import MemoryStore
from exporter.wechat.access import Access, choose_access
from exporter.wechat.client import Client
from exporter.wechat.failures.failure import Failure
from exporter.wechat.platform.open_platform import OpenPlatform
from tests.wechat.conftest import PLATFORM
from tests.wechat.lines import Clock, daily_trend, opened, outcome


class Vault(MemoryStore):
    """A storage that can break."""

    broken = False

    def put(self, key: str, expected: str | None, new: str) -> bool:
        if self.broken:
            raise StoreError("cannot write storage: No space left on device")
        return super().put(key, expected, new)

    def wipe(self) -> None:
        self._credentials.clear()


@dataclass
class Scene:
    sim: Simulator
    client: Client
    clock: Clock
    ticket: Path
    vault: Vault

    @property
    def desk(self) -> PlatformDesk:
        return self.sim.platforms["main"]

    def platform(self, secret: str = PLATFORM.secret) -> OpenPlatform:
        """Return the platform of an exporter that has just started."""
        settings = Platform("main", PLATFORM.component_appid, Secret(secret), TicketFile(self.ticket))
        return OpenPlatform(settings, self.client, self.vault)

    def access(
        self, platform: OpenPlatform | None = None, number: int = 1, start: Secret | None = None
    ) -> Access:
        app = App(fake_appid(number), "app", (), ThirdParty("main", start))
        return choose_access(app, self.client, {"main": platform or self.platform()})

    def accesses(self, *platforms: OpenPlatform) -> list[Access]:
        """Return all accounts' accesses, by these platforms in turn."""
        return [self.access(platforms[n % len(platforms)], n) for n in range(1, len(self.desk.accounts) + 1)]

    def ask(self, access: Access) -> Row | Failure:
        return outcome(lambda: daily_trend(access, yesterday(self.clock())))

    def refused(self, access: Access) -> Failure:
        problem = self.ask(access)
        assert isinstance(problem, Failure)
        return problem

    def works(self, *accesses: Access) -> bool:
        """Return whether all of them get their row."""
        return all(isinstance(self.ask(access), Row) for access in accesses)


@pytest.fixture
def vault() -> Vault:
    return Vault()


@pytest.fixture
def scene(tmp_path: Path, clock: Clock, vault: Vault) -> Iterator[Scene]:
    conditions = Conditions(time_source=clock, always_published=True)
    with (
        Simulator(fleet(12, seed=1), conditions, platforms=[PLATFORM]) as sim,
        opened(sim.base_url, clock=clock) as client,
    ):
        ticket = tmp_path / "ticket"
        ticket.write_text(sim.new_ticket("main"))
        yield Scene(sim, client, clock, ticket, vault)
