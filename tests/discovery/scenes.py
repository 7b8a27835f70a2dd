"""A platform with its stand-in WeChat, and the watch over it on a clock that stands still."""

import threading
from dataclasses import dataclass, field
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from exporter.config.platforms import Discovery, Platform, TicketCallback, TicketFile
from exporter.config.secret import Secret
from exporter.discovery.account_search import AccountSearch
from exporter.discovery.platform_state import PlatformState
from exporter.discovery.platform_watch import PlatformWatch
from exporter.simulator.fleet import DEMO_PLATFORM
from exporter.simulator.server import Simulator
from exporter.store.memory import MemoryStore
from exporter.wechat.client import Client
from exporter.wechat.credential_vault import Leases
from exporter.wechat.platform.open_platform import OpenPlatform
from tests.wechat.lines import Clock


@dataclass
class Scene:
    sim: Simulator
    client: Client
    clock: Clock
    ticket: Path
    log: FilteringBoundLogger
    source: TicketCallback | None = None
    secret: str = DEMO_PLATFORM.secret
    secret_file: Path | None = None
    discovery: Discovery = field(default_factory=lambda: Discovery(3600.0))
    vault: MemoryStore = field(default_factory=MemoryStore)
    shown: list[PlatformState] = field(default_factory=list)

    def platform(self) -> OpenPlatform:
        settings = Platform(
            "main",
            DEMO_PLATFORM.component_appid,
            Secret(self.secret) if self.secret_file is None else Secret(path=self.secret_file),
            self.source or TicketFile(self.ticket),
            self.discovery,
        )
        return OpenPlatform(settings, self.client, self.vault)

    def watch(self, leases: Leases | None = None) -> PlatformWatch:
        watch = PlatformWatch(self.log, self.shown.extend, stopping=threading.Event(), leases=leases)
        watch.configure({"main": self.platform()})
        return watch

    def turn(self, watch: PlatformWatch) -> bool:
        """Continue the search once; return whether that changed anything."""
        return self.search(watch).go_on()

    def search(self, watch: PlatformWatch) -> AccountSearch:
        (search,) = watch._searches()
        return search
