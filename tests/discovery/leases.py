"""Leases in memory, on a clock that is moved; they can be away."""

from dataclasses import dataclass, field

from exporter.store.interface import StoreError
from tests.wechat.lines import Clock


@dataclass
class Leases:
    clock: Clock
    held: dict[str, tuple[str, float]] = field(default_factory=dict)
    away: bool = False
    calls: int = 0

    def take(self, duty: str, holder: str, seconds: float) -> bool:
        self.calls += 1
        if self.away:
            raise StoreError("cannot write storage redis://cache/0: Connection refused")
        now = self.clock()
        held_by, until = self.held.get(duty, (holder, now))
        if held_by != holder and now < until:
            return False
        self.held[duty] = holder, now + seconds
        return True

    def leave(self, duty: str, holder: str) -> None:
        if self.away:
            raise StoreError("cannot write storage redis://cache/0: Connection refused")
        if self.held.get(duty, ("", 0))[0] == holder:
            del self.held[duty]
