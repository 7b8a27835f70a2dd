"""A platform with its stand-in WeChat, and the watch over it on a clock that stands still."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from exporter.config.settings import Discovery, Platform, Secret, TicketCallback, TicketFile
from exporter.refresh.platforms import PlatformWatch, Turn
from exporter.refresh.search import Search
from exporter.simulator.fleet import DEMO_PLATFORM
from exporter.simulator.server import Simulator
from exporter.store.memory import MemoryStore
from exporter.wechat.line import Line
from exporter.wechat.third_party import OpenPlatform, open_platforms
from tests.wechat.lines import Clock


@dataclass
class Gauges:
    tickets: list[float] = field(default_factory=list)
    found: list[tuple[int, int]] = field(default_factory=list)

    def ticket(self, platform: str, received_at: float) -> None:
        self.tickets.append(received_at)

    def discovered(self, platform: str, apps: int, without_token: int, at: float) -> None:
        self.found.append((apps, without_token))


@dataclass
class Scene:
    sim: Simulator
    line: Line
    clock: Clock
    ticket: Path
    log: FilteringBoundLogger
    source: TicketCallback | None = None
    vault: MemoryStore = field(default_factory=MemoryStore)
    gauges: Gauges = field(default_factory=Gauges)
    shown: list[int] = field(default_factory=list)

    def platform(self) -> OpenPlatform:
        settings = Platform(
            "main",
            DEMO_PLATFORM.component_appid,
            Secret(DEMO_PLATFORM.secret),
            self.source or TicketFile(self.ticket),
            Discovery(3600.0),
        )
        return open_platforms([settings], self.line, self.vault)["main"]

    def watch(self, turn: Turn | None = None, names: Callable[[str], bool] = lambda _: True) -> PlatformWatch:
        watch = PlatformWatch(
            self.vault,
            lambda: self.shown.append(len(watch.apps())),
            self.gauges,
            self.log,
            clock=self.clock,
            stopping=threading.Event(),
            turn=turn,
            names=names,
        )
        watch.configure({"main": self.platform()})
        return watch

    def turn(self, watch: PlatformWatch) -> Search:
        search = watch._searches["main"]
        search.go_on()
        return search
