"""Runs the rounds, one interval apart, and asks between them for the apps that are not to wait."""

import math
import threading
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Final, Protocol

from structlog.typing import FilteringBoundLogger

from exporter.beijing import yesterday
from exporter.heartbeat import Heartbeat
from exporter.refresh.datasets import awaited_asks, first_asks
from exporter.refresh.fetching import Fetching, Tally
from exporter.refresh.fleet import Fleet
from exporter.refresh.outcome import ATTEMPTS
from exporter.refresh.plan import Ask, due, missing
from exporter.refresh.queue import Queue
from exporter.refresh.schedule import Schedule
from exporter.refresh.workers import Workers
from exporter.store.entry import Entry
from exporter.store.ledger import Ledger

_LEAST_SECONDS: Final = 5.0  # between two looks for apps to ask again: those that come together go together
_MOST_SECONDS: Final = 60.0  # the clock may be set
_CREDENTIAL_SECONDS: Final = 60.0  # between two looks whether a refused credential has changed


class Observer(Protocol):
    """Is told how the rounds go."""

    def round_finished(self, seconds: float) -> None:
        """A round over all apps took so long."""

    def call_hung(self, hanging: int) -> None:
        """So many calls have been given up and still hold their threads."""


class Rounds:
    """Keeps the ledger fresh. `run` is the body of a thread; the other methods may be called from any."""

    def __init__(
        self,
        ledger: Ledger,
        fetching: Fetching,
        observer: Observer,
        log: FilteringBoundLogger,
        *,
        clock: Callable[[], float],
        stopping: threading.Event,
    ) -> None:
        self.heartbeat = Heartbeat()
        self._ledger = ledger
        self._fetching = fetching
        self._workers = Workers(fetching, observer.call_hung, self.heartbeat, log, clock)
        self._round_finished = observer.round_finished
        self._log = log
        self._clock = clock
        self._stopping = stopping
        self._schedule = Schedule()
        self._wake = threading.Event()
        self._queue: Queue | None = None
        self._look_at = 0.0  # when to look at refused credentials
        self._overran = False  # whether the last round was longer than its interval
        self.next_round_at: float | None = None

    @property
    def exhausted(self) -> bool:
        """Whether so many calls hang that no thread is left to ask with."""
        return len(self._workers.hanging()) >= self._fetching.fleet.concurrency

    @property
    def _interval(self) -> float:
        return self._fetching.fleet.policy.interval

    def run(self) -> None:
        """Rounds over all apps, one interval apart, until the exporter stops."""
        while not self._stopping.is_set():
            self._guarded(self.round)
            self._schedule.rest(self._interval)
            self._look_at = time.monotonic() + _CREDENTIAL_SECONDS
            while not self._stopping.is_set() and (left := self._schedule.left(self._interval)) > 0:
                self._guarded(self._wait, left)

    def _guarded(self, work: Callable[..., object], *given: float) -> None:
        try:
            work(*given)
        except Exception as error:  # noqa: BLE001 - refreshing must not end for one bad moment
            self._log.error("round broke off", error=type(error).__name__, exc_info=True)
            self._stopping.wait(min(_LEAST_SECONDS, self._interval))

    def round(self) -> float:
        """Ask for everything that is due; returns how many seconds that took.

        Retries and follow-ups end with the interval.
        """
        start, now = time.monotonic(), self._clock()
        entries = self._ledger.entries()
        asks = due(entries, now)
        asked = {ask.appid for ask in asks}
        others = [
            ask
            for entry in entries
            if entry.app.appid not in asked
            for ask in first_asks(entry, now, self._fetching.fleet.policy)
        ]
        queue = Queue(self._free([*self._in_order(asks, entries, now), *others]), start + self._interval)
        tally = self._ask_all(queue)
        seconds = time.monotonic() - start
        self._tell(now, len(entries), tally, seconds, paused=len(entries) - len(asks) + tally.skipped)
        self._tell_of_length(queue, tally, seconds)
        self._round_finished(seconds)
        return seconds

    def _wait(self, left: float) -> None:
        """Wait for the next round, `left` seconds away; ask if there is something to ask for before it."""
        self.next_round_at = self._clock() + left
        wait = min(left, self._until_next_try())
        self.heartbeat.expect(time.monotonic(), wait)
        if self._wake.wait(wait):
            self._wake.clear()
        elif wait == left:
            return
        if not self._stopping.is_set():
            self._ask_again(left)

    def _ask_again(self, left: float) -> None:
        """Ask for the apps that are not to wait for the next round; for those that failed, once each."""
        start, now = time.monotonic(), self._clock()
        entries = self._awaited(now)
        if start >= self._look_at:
            self._look_at = start + _CREDENTIAL_SECONDS
            entries += [each for each in self._ledger.entries() if _is_refused(each, now)]
        failing = {each.app.appid for each in entries if not each.health.up}
        asks = [
            replace(ask, attempt=ATTEMPTS) if ask.appid in failing else ask
            for ask in self._free(due(entries, now))
        ]
        asks += self._free(self._awaited_of_datasets({each.app.appid for each in entries}, now))
        tally = self._ask_all(Queue(asks, start + left))
        if len(asks) > tally.skipped:
            self._tell(now, len(entries), tally, time.monotonic() - start, paused=tally.skipped)

    def reconfigure(self, fleet: Fleet) -> None:
        """Ask with these from now on; apps that are awaited are asked at once."""
        self._fetching.fleet = fleet
        now = self._clock()
        if (queue := self._queue) is not None:
            for ask in due(self._awaited(now), now):
                queue.join(ask)
        self._wake.set()

    def stop(self) -> None:
        """End the round under way and the waiting; the calls are ended by their transport."""
        self._wake.set()
        if (queue := self._queue) is not None:
            queue.close()

    def _ask_all(self, queue: Queue) -> Tally:
        tally = Tally()
        threads = min(self._fetching.fleet.concurrency - len(self._workers.hanging()), queue.size)
        if threads <= 0:
            return tally
        self._queue = queue
        if self._stopping.is_set():  # told just before there was an agenda to close
            queue.close()
        try:
            self._workers.ask_all(queue, tally, threads)
        finally:
            self._queue = None
        return tally

    def _awaited(self, now: float) -> list[Entry]:
        """The apps that are not to wait for the next round."""
        return [entry for entry in self._ledger.entries() if entry.health.is_awaited(now)]

    def _awaited_of_datasets(self, asked: Collection[str], now: float) -> list[Ask]:
        """What is not to wait for the next round of apps that are not asked for their daily trend."""
        policy = self._fetching.fleet.policy
        if not policy.datasets:
            return []
        others = (entry for entry in self._ledger.entries() if entry.app.appid not in asked)
        return [ask for entry in others for ask in awaited_asks(entry, now, policy)]

    def _free(self, asks: Sequence[Ask]) -> list[Ask]:
        """Those of apps none of whose calls hangs."""
        hanging = self._workers.hanging()
        return [ask for ask in asks if ask.appid not in hanging]

    def _until_next_try(self) -> float:
        """Seconds until there is something to ask for, whether it is time for the next round or not."""
        now, entries = self._clock(), self._ledger.entries()
        waits = [each.health.next_try.left(now) for each in entries if each.health.next_try is not None]
        waits += [
            table.health.next_try.left(now)
            for each in entries
            for table in each.tables.values()
            if table.health.next_try is not None and not table.health.next_try.reached(now)
        ]
        if any(_is_refused(each, now) for each in entries):
            waits.append(self._look_at - time.monotonic())
        return max(_LEAST_SECONDS, min(*waits, _MOST_SECONDS)) if waits else math.inf

    def _in_order(self, asks: list[Ask], known_apps: Sequence[Entry], now: float) -> list[Ask]:
        """What is missing before what is known, where the last round was longer than its interval."""
        if not self._overran:
            return asks
        policy = self._fetching.fleet.policy
        entries = {entry.app.appid: entry for entry in known_apps}
        known = {ask.appid for ask in asks if entries[ask.appid].row(ask.day) is not None}
        others = [
            ask for appid in known if entries[appid].health.up for ask in missing(entries[appid], now, policy)
        ]
        return [
            *(ask for ask in asks if ask.appid not in known),
            *others,
            *(ask for ask in asks if ask.appid in known),
        ]

    def _tell(self, now: float, apps: int, tally: Tally, seconds: float, *, paused: int) -> None:
        self._log.info(
            "round finished",
            newest_date=f"{yesterday(now)}",
            apps=apps,
            paused=paused,
            seconds=round(seconds, 3),
            **tally.counts(),
        )

    def _tell_of_length(self, queue: Queue, tally: Tally, seconds: float) -> None:
        """One warning when rounds begin to take longer than their interval."""
        if queue.overran and not self._overran:
            calls = sum(tally.counts().values())
            self._log.warning(
                "rounds take longer than refresh.interval: raise it, refresh.requests_per_second or "
                "refresh.concurrency",
                calls=calls,
                seconds=round(seconds, 1),
                calls_per_second=round(calls / seconds, 1),
                interval=self._interval,
            )
        self._overran = queue.overran


def _is_refused(entry: Entry, now: float) -> bool:
    """Whether the app is paused until its credential changes."""
    return entry.health.fingerprint is not None and entry.health.paused(now)
