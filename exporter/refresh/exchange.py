"""Keeps an exporter in step with the others of its fleet, through the storage that they share."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from structlog.typing import FilteringBoundLogger

from exporter.heart import Heart
from exporter.refresh.duty import SharedDuty
from exporter.store.interface import StoreError
from exporter.store.ledger import Ledger
from exporter.store.shared import Shared, SharedStore

_STEP_SECONDS: Final = 1.0
_LONGEST_STEP: Final = 60.0  # a fleet's rows may have to be read again


class Exchange:
    """Renews the duty and takes over what others have found out. `run` is the body of a thread."""

    def __init__(
        self,
        store: SharedStore,
        ledger: Ledger,
        duty: SharedDuty,
        duty_changed: Callable[[bool], None],
        log: FilteringBoundLogger,
        stopwatch: Callable[[], float] = time.monotonic,
    ) -> None:
        """`duty_changed` is told whether this exporter asks WeChat, whenever that changes."""
        self._store = store
        self._ledger = ledger
        self._duty = duty
        self._duty_changed = duty_changed
        self._log = log
        self._stopwatch = stopwatch
        self._since: int | None = None  # what was seen of the storage; None: it may have lost something
        self._mine: bool | None = None
        self._away = False
        self._heart = Heart()

    @property
    def stuck(self) -> bool:
        """Whether it should have been heard of."""
        return self._heart.late(self._stopwatch())

    def run(self, stopping: threading.Event) -> None:
        """One step a second until the exporter stops; then the duty is given back."""
        while not stopping.is_set():
            self._heart.expect(self._stopwatch(), _LONGEST_STEP)
            try:
                self.step()
            except Exception as error:  # noqa: BLE001 - a fleet must not fall apart for one bad moment
                self._log.error("internal fault", error=type(error).__name__, exc_info=True)
            stopping.wait(_STEP_SECONDS)
        try:
            self._duty.leave()
        except StoreError as error:
            self._log.debug("duty not given back, its lease ends", error=str(error))

    def step(self) -> None:
        """Look at the storage once."""
        self._store.probe()
        try:
            self._look()
        finally:
            if self._duty.mine != self._mine:
                self._mine = self._duty.mine
                self._log.info("asking WeChat" if self._mine else "another exporter asks WeChat")
                self._duty_changed(self._mine)

    def _look(self) -> None:
        try:
            self._duty.renew()
            self._follow()
        except StoreError as error:
            self._since = None
            if not self._away:
                self._log.error("shared storage fails, going on from memory", error=str(error))
            self._away = True
        else:
            if self._away:
                self._log.info("shared storage works again")
            self._away = False

    def _follow(self) -> None:
        """Take over the news; everything, and give what is lacking, where something may have been lost."""
        since, appids = self._store.news(self._since or 0)
        if self._since is None or since < self._since:
            known = [entry.app.appid for entry in self._ledger.entries()]
            self._ledger.agree(dict(self._renewing(self._store.states(known))))
        else:
            known = [each for each in appids if self._ledger.get(each)]
            self._ledger.adopt(self._renewing(self._store.states(known)))
        self._since = since

    def _renewing(self, kept: Iterable[tuple[str, Shared]]) -> Iterator[tuple[str, Shared]]:
        """The same; the duty is renewed meanwhile, as a whole fleet's rows may outlast its lease."""
        renewed_at = self._stopwatch()
        for each in kept:
            if self._stopwatch() >= renewed_at + _STEP_SECONDS:
                self._duty.renew()
                renewed_at = self._stopwatch()
            yield each
