"""Keeps an exporter in step with the others of its fleet, through the storage that they share."""

import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from structlog.typing import FilteringBoundLogger

from exporter.heart import Heart
from exporter.refresh.duty import SharedDuty
from exporter.store.interface import StoreError
from exporter.store.ledger import Ledger
from exporter.store.shared import SharedStore

_STEP_SECONDS: Final = 1.0
_LONGEST_STEP: Final = 60.0  # a fleet's rows may have to be read again
_AGREE_SECONDS: Final = 60.0  # a proxy may have several servers answer in turns
_AT_ONCE: Final = 2000  # apps compared between two renewals of the duty


class Exchange:
    """Renews the duty and takes over what others have found out. `run` is the body of a thread."""

    def __init__(
        self,
        store: SharedStore,
        ledger: Ledger,
        duty: SharedDuty,
        duty_changed: Callable[[bool], None],
        log: FilteringBoundLogger,
        *,
        phase: float,
        since: int,
        stopwatch: Callable[[], float] = time.monotonic,
    ) -> None:
        """A fleet's exchange.

        Args:
            store: what the fleet shares.
            ledger: what this exporter knows.
            duty: whether it asks WeChat.
            duty_changed: is told so whenever that changes.
            log: where changes are told.
            phase: of the fleet's rounds, should the storage forget it.
            since: up to where the storage's news are known.
            stopwatch: seconds that never jump.
        """
        self._store = store
        self._ledger = ledger
        self._duty = duty
        self._duty_changed = duty_changed
        self._log = log
        self._stopwatch = stopwatch
        self._phase = phase
        self._since: int | None = since  # None: the storage may have lost something
        self._mine: bool | None = None
        self.trouble = ""  # why the storage does not answer, if so
        self._told: set[str] = set()  # reasons of an outage
        self._suspect = False  # the storage may have lost something
        self._agreed_at = -math.inf
        self._heart = Heart()

    @property
    def stuck(self) -> bool:
        """Whether it should have been heard of."""
        return self._heart.late(self._stopwatch())

    def run(self, stopping: threading.Event) -> None:
        """One step a second until the exporter stops."""
        while not stopping.is_set():
            self._heart.expect(self._stopwatch(), _LONGEST_STEP)
            try:
                self.step()
            except Exception as error:  # noqa: BLE001 - a fleet must not fall apart for one bad moment
                self._log.error("internal fault", error=type(error).__name__, exc_info=True)
            stopping.wait(_STEP_SECONDS)

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
            self.trouble = str(error)
            if _reason(self.trouble) not in self._told:  # another reason is another thing to do
                self._told.add(_reason(self.trouble))
                self._log.error("shared storage fails, going on from memory", error=self.trouble)
        else:
            if self.trouble:
                self._log.info("shared storage works again")
            self.trouble = ""
            self._told.clear()

    def _follow(self) -> None:
        """Take over the news; everything, and give what is lacking, where something may have been lost."""
        self._suspect = self._store.lost() or self._suspect
        if self._suspect and self._stopwatch() >= self._agreed_at + _AGREE_SECONDS:
            self._since = None
        since, appids = self._store.news(self._since or 0)
        if self._since is None or since < self._since:
            self._agree()
        else:
            known = [each for each in appids if self._ledger.get(each)]
            for some in self._in_turns(known):
                self._ledger.adopt(self._store.states(some))
        self._since = since

    def _agree(self) -> None:
        self._suspect, self._agreed_at = False, self._stopwatch()
        self._store.phase(self._phase)
        known = [entry.app.appid for entry in self._ledger.entries()]
        for some in self._in_turns(known):
            self._ledger.agree(some, dict(self._store.states(some)))

    def _in_turns(self, appids: Sequence[str]) -> Iterator[Sequence[str]]:
        """Some of them at a time; in between the duty is renewed."""
        for at in range(0, len(appids), _AT_ONCE):
            yield appids[at : at + _AT_ONCE]
            self._duty.renew()
            self._heart.expect(self._stopwatch(), _LONGEST_STEP)


def _reason(text: str) -> str:
    """Why it fails, whether in reading or in writing."""
    return text.partition(" storage ")[2] or text
