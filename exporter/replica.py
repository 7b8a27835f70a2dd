"""What an exporter shares with others that have the same apps: nothing, or a storage and so its work."""

import threading
from collections.abc import Callable, Collection
from contextlib import suppress
from typing import Final

from structlog.typing import FilteringBoundLogger

from exporter.config.settings import Config
from exporter.refresh.duty import OwnDuty, SharedDuty
from exporter.refresh.exchange import Exchange
from exporter.refresh.platforms import Turn
from exporter.refresh.rhythm import OwnRhythm, SharedRhythm
from exporter.shards import Shard
from exporter.store.interface import Store, StoreError
from exporter.store.ledger import Ledger
from exporter.store.shared import SharedStore, is_shared
from exporter.wechat.pool import WAITS, longest_patience

DutyChanged = Callable[[bool], None]
"""Is told whether this exporter asks WeChat, at the start and whenever that changes."""

_TURN_SECONDS: Final = 60.0


class Alone:
    """Always asks WeChat itself; its tokens are its own."""

    ailment: str | None = None
    trouble: str = ""
    takes_turn: Turn | None = None
    waits_at_most: float = 0.0

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self.duty = OwnDuty()
        self.rhythm = OwnRhythm(clock)

    def names_of(self, shard: Shard) -> Callable[[str], bool]:
        """Which of a platform's accounts to ask the names of: other shards ask for theirs."""
        return shard.owns

    def configure(self, config: Config) -> None:
        """Nothing depends on the configuration."""

    def restore(self, ledger: Ledger, appids: Collection[str]) -> None:
        """Take over what the storage has of these apps; raises StoreError."""
        ledger.restore((appid, rows) for appid, rows in self._store.load() if appid in appids)

    def keep_step(
        self, ledger: Ledger, changed: DutyChanged, able: Callable[[], bool], log: FilteringBoundLogger
    ) -> list[threading.Thread]:
        """The threads that keep it in step with others."""
        del ledger, able, log
        changed(True)  # noqa: FBT003 - its one word
        return []

    def leave(self) -> None:
        """Nobody waits for it to leave."""


class Together:
    """One of several with one storage: of those with the same shard, one asks WeChat at a time."""

    def __init__(
        self,
        store: SharedStore,
        shard: Shard,
        interval: float,
        clock: Callable[[], float],
        stopping: threading.Event,
    ) -> None:
        """The first of a fleet sets the beat now; raises StoreError where the storage does not answer."""
        self._store = store
        self._clock = clock
        self._stopping = stopping
        self._exchange: Exchange | None = None
        self.waits_at_most = 0.0  # seconds, for a token that another exporter fetches
        self._phase = store.phase(clock() % interval / interval)
        self._since = store.mark()
        self.duty = SharedDuty(store, f"shard-{shard.number}-of-{shard.total}")
        self.rhythm = SharedRhythm(self._phase, clock)

    @property
    def ailment(self) -> str | None:
        """Why it cannot go on by itself."""
        stuck = self._exchange is not None and self._exchange.stuck
        return "the exchange with other exporters has stopped" if stuck else None

    @property
    def trouble(self) -> str:
        """Why the storage does not answer; empty while it does."""
        return "" if self._exchange is None else self._exchange.trouble

    def names_of(self, shard: Shard) -> Callable[[str], bool]:
        """Which of a platform's accounts to ask the names of: all, as they are shared."""
        del shard
        return lambda _: True

    def configure(self, config: Config) -> None:
        """Take a configuration over."""
        self.duty.interval = config.refresh.interval
        self.waits_at_most = WAITS * longest_patience(config)

    def takes_turn(self, work: str) -> bool:
        """Whether this exporter may do some work that one of the fleet has to do, for the next minute."""
        try:
            return self._store.take(work, self.duty.holder, _TURN_SECONDS)
        except StoreError:
            return False  # what is found could not be shared: what is known has to do

    def restore(self, ledger: Ledger, appids: Collection[str]) -> None:
        """Take over what the storage has of these apps; raises StoreError."""
        ledger.restore_shared(self._store.states(appids), self._clock())

    def keep_step(
        self, ledger: Ledger, changed: DutyChanged, able: Callable[[], bool], log: FilteringBoundLogger
    ) -> list[threading.Thread]:
        """The threads that keep it in step with others; `able`: whether it could ask WeChat now."""
        self.duty.able = able
        self._exchange = Exchange(
            self._store, ledger, self.duty, changed, log, phase=self._phase, since=self._since
        )
        return [
            threading.Thread(target=self._exchange.run, args=(self._stopping,), name="exchange", daemon=True)
        ]

    def leave(self) -> None:
        """Let another one take over now, after all that this one has found was stored."""
        with suppress(StoreError):  # then the lease ends by itself
            self.duty.leave()


def open_replica(
    store: Store, shard: Shard, interval: float, clock: Callable[[], float], stopping: threading.Event
) -> Alone | Together:
    """What goes with the storage; raises StoreError where it does not answer."""
    return Together(store, shard, interval, clock, stopping) if is_shared(store) else Alone(store, clock)
