"""Runs the rounds on a steady rhythm, each with its own threads."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from structlog.typing import FilteringBoundLogger

from exporter.heart import Heart
from exporter.refresh.agenda import Agenda
from exporter.refresh.asking import Asking, Tally
from exporter.refresh.crew import Crew, Fleet
from exporter.refresh.plan import due
from exporter.refresh.schedule import Schedule
from exporter.store.entry import Entry
from exporter.store.ledger import Ledger
from exporter.trend import yesterday


class Observer(Protocol):
    """Is told how the rounds go."""

    def round_finished(self, seconds: float) -> None:
        """A round over all apps took so long."""

    def call_hung(self, hanging: int) -> None:
        """So many calls have been given up and still hold their threads."""


class Worker:
    """Keeps the ledger fresh. `run` is the body of a thread; the other methods may be called from any."""

    def __init__(
        self,
        ledger: Ledger,
        asking: Asking,
        fleet: Fleet,
        observer: Observer,
        log: FilteringBoundLogger,
        *,
        clock: Callable[[], float],
        stopping: threading.Event,
    ) -> None:
        self.heart = Heart()
        self._ledger = ledger
        self._crew = Crew(asking, fleet, observer.call_hung, self.heart, log, clock)
        self._round_finished = observer.round_finished
        self._log = log
        self._clock = clock
        self._stopping = stopping
        self._schedule = Schedule()
        self._wake = threading.Event()
        self._agenda: Agenda | None = None
        self.next_round_at: float | None = None

    @property
    def exhausted(self) -> bool:
        """Whether so many calls hang that no thread is left to ask with."""
        return len(self._crew.hanging()) >= self._crew.fleet.concurrency

    def run(self) -> None:
        """Rounds on a steady rhythm; between them, what a reload brought."""
        while not self._stopping.is_set():
            interval = self._crew.fleet.interval
            took = self._guarded_round(self._ledger.entries(), interval)
            if took is not None:
                self._round_finished(took)
            self._schedule.rest(interval)
            while (
                not self._stopping.is_set() and (left := self._schedule.left(self._crew.fleet.interval)) > 0
            ):
                self.heart.expect(time.monotonic(), left)
                self.next_round_at = self._clock() + left
                if self._wake.wait(left) and not self._stopping.is_set():
                    self._wake.clear()
                    self._guarded_round(self._awaited(), left)

    def _guarded_round(self, entries: Sequence[Entry], seconds: float) -> float | None:
        """A round after which, whatever happened, there will be another; None where none was finished."""
        try:
            return self.round(entries, seconds)
        except Exception as error:  # noqa: BLE001 - refreshing must not end for one bad moment
            self._log.error("round broke off", error=type(error).__name__, exc_info=True)
            return None

    def round(self, entries: Sequence[Entry], seconds: float) -> float:
        """Ask for everything that is due among these.

        Args:
            entries: the apps to look at.
            seconds: after so long, retries and follow-ups are left to the next round.

        Returns:
            how long it took, in seconds.
        """
        start = time.monotonic()
        now = self._clock()
        hanging = self._crew.hanging()
        asks = due([self._resumed(each, now) for each in entries if each.app.appid not in hanging], now)
        tally = Tally()
        threads = min(self._crew.fleet.concurrency - len(hanging), len(asks))
        if threads > 0:
            self._ask_all(Agenda(asks, start + seconds), tally, threads)
        took = time.monotonic() - start
        if entries:
            self._log.info(
                "round finished",
                newest_date=f"{yesterday(now)}",
                apps=len(entries),
                paused=len(entries) - len(asks),
                seconds=round(took, 3),
                **tally.counts(),
            )
        return took

    def reconfigure(self, fleet: Fleet) -> None:
        """Ask with these from now on; apps new to the ledger are asked at once."""
        self._crew.fleet = fleet
        if (agenda := self._agenda) is not None:
            for ask in due(self._awaited(), self._clock()):
                agenda.join(ask)
        self._wake.set()

    def stop(self) -> None:
        """End the round under way and the waiting; the calls are ended by their transport."""
        self._wake.set()
        if (agenda := self._agenda) is not None:
            agenda.close()

    def _ask_all(self, agenda: Agenda, tally: Tally, threads: int) -> None:
        self._agenda = agenda
        if self._stopping.is_set():  # told just before there was an agenda to close
            agenda.close()
        try:
            self._crew.ask_all(agenda, tally, threads)
        finally:
            self._agenda = None

    def _awaited(self) -> list[Entry]:
        """The apps that are not to wait for the next round."""
        return [entry for entry in self._ledger.entries() if entry.health.awaited]

    def _resumed(self, entry: Entry, now: float) -> Entry:
        """The entry, free to be asked again where its credential has changed since WeChat refused it."""
        health = entry.health
        way = self._crew.fleet.ways.get(entry.app.appid)
        if way is None or health.fingerprint is None or health.resume_at is None or health.resume_at <= now:
            return entry
        if way.fingerprint() in (health.fingerprint, b""):
            return entry
        health = replace(health, resume_at=None, strikes=0, fingerprint=None)
        changed = self._ledger.update(entry.app.appid, lambda known: replace(known, health=health))
        return changed[1] if changed else entry
