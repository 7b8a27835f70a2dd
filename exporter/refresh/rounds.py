"""Runs the rounds, one interval apart, and urgent calls between them."""

import math
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

from exporter.beijing import yesterday
from exporter.datasets.daily_trend import DAILY_TREND
from exporter.heartbeat import Heartbeat
from exporter.refresh.fetching import Fetcher
from exporter.refresh.plan import Ask, asks_before_the_round, round_asks, waits_for_credential
from exporter.refresh.queue import Queue
from exporter.refresh.round_settings import RoundSettings
from exporter.refresh.workers import Workers

_LEAST_SECONDS: Final = 5.0  # seconds: apps that become due together are asked together
_MOST_SECONDS: Final = 60.0  # seconds: the clock may change meanwhile
_CREDENTIAL_SECONDS: Final = 60.0  # seconds between two looks at refused credentials


class Rounds:
    """Keeps the ledger fresh. `run` is the body of a thread; the other methods may be called from any."""

    def __init__(self, fetcher: Fetcher) -> None:
        self.heartbeat = Heartbeat()
        self.next_round_at: float | None = None
        self._fetcher = fetcher
        self._ledger = fetcher.ledger
        self._log = fetcher.log
        self._clock = fetcher.clock
        self._stopping = fetcher.stopping
        self._workers = Workers(fetcher, self.heartbeat)
        self._ticker = Ticker()
        self._wake = threading.Event()
        self._queue: Queue | None = None  # the queue of the calls under way
        self._credentials_at = 0.0  # next look at refused credentials (monotonic)
        self._overran = False  # whether the last round took longer than its interval

    @property
    def settings(self) -> RoundSettings:
        """Return the settings in force."""
        return self._fetcher.settings

    @property
    def exhausted(self) -> bool:
        """Return whether hanging calls hold all threads."""
        return len(self._workers.hanging()) >= self.settings.concurrency

    def run(self) -> None:
        """Make rounds over all apps, one interval apart, until the exporter stops."""
        while not self._stopping.is_set():
            self._guarded(self.round)
            self._ticker.end_round(self.settings.interval)
            self._credentials_at = time.monotonic() + _CREDENTIAL_SECONDS
            while not self._stopping.is_set() and (left := self._ticker.left(self.settings.interval)) > 0:
                self._guarded(self._wait, left)

    def _guarded(self, work: Callable[..., object], *given: float) -> None:
        try:
            work(*given)
        except Exception as error:  # noqa: BLE001 - refreshing must not end for one bad moment
            self._log.error("round broke off", error=type(error).__name__, exc_info=True)
            self._stopping.wait(min(_LEAST_SECONDS, self.settings.interval))

    def round(self) -> float:
        """Ask for everything that is due; return the seconds that it took.

        Retries and follow-ups end with the interval.
        """
        start, now = time.monotonic(), self._clock()
        entries = self._ledger.entries()
        asks = round_asks(entries, now, self.settings, overran=self._overran)
        queue = self._ask_all(asks, start + self.settings.interval)
        seconds = time.monotonic() - start
        self._log_end(now, len(entries), queue, seconds)
        if queue.overran and not self._overran:
            self._log.warning(
                "rounds take longer than refresh.interval: raise it, refresh.requests_per_second or "
                "refresh.concurrency",
                calls=queue.calls,
                seconds=round(seconds, 1),
                calls_per_second=round(queue.calls / seconds, 1),
                interval=self.settings.interval,
            )
        self._overran = queue.overran
        self._fetcher.metrics.round_finished(seconds)
        return seconds

    def _wait(self, left: float) -> None:
        """Wait `left` seconds for the next round, with urgent calls before it."""
        self.next_round_at = self._clock() + left
        wait = min(left, self._until_next_try())
        self.heartbeat.expect(time.monotonic(), wait)
        if self._wake.wait(wait):
            self._wake.clear()
        elif wait == left:
            return
        if not self._stopping.is_set():
            self._ask_before_the_round(left)

    def _ask_before_the_round(self, left: float) -> None:
        start, now = time.monotonic(), self._clock()
        credentials = start >= self._credentials_at
        if credentials:
            self._credentials_at = start + _CREDENTIAL_SECONDS
        asks = self._asks_now(now, credentials=credentials)
        queue = self._ask_all(asks, start + left)
        if queue.calls:
            self._log_end(now, len({ask.appid for ask in asks}), queue, time.monotonic() - start)

    def reconfigure(self, settings: RoundSettings) -> None:
        """Replace the settings, and ask at once for apps that must not wait."""
        self._fetcher.settings = settings
        self.hasten()

    def hasten(self) -> None:
        """Ask at once for apps that must not wait."""
        if (queue := self._queue) is not None:
            for ask in self._asks_now(self._clock()):
                queue.join(ask)
        self._wake.set()

    def stop(self) -> None:
        """End the round and the waits; the transport ends the calls."""
        self._wake.set()
        if (queue := self._queue) is not None:
            queue.close()

    def _asks_now(self, now: float, *, credentials: bool = False) -> list[Ask]:
        return [
            ask
            for entry in self._ledger.entries()
            for ask in asks_before_the_round(entry, now, self.settings, credentials=credentials)
        ]

    def _ask_all(self, asks: Sequence[Ask], deadline: float) -> Queue:
        """Make calls and those that follow from them, except for apps with a hanging call."""
        hanging = self._workers.hanging()
        free = [ask for ask in asks if ask.appid not in hanging]
        queue = Queue(free, deadline)
        threads = min(self.settings.concurrency - len(hanging), len(free))
        if threads <= 0:
            return queue
        self._queue = queue
        if self._stopping.is_set():  # `stop` came before there was a queue to close
            queue.close()
        try:
            self._workers.run(queue, threads)
        finally:
            self._queue = None
        return queue

    def _until_next_try(self) -> float:
        """Return the seconds until an app is due, apart from the next round."""
        now, waits = self._clock(), []
        for entry in self._ledger.entries():
            for dataset in entry.names:
                health = entry.table(dataset).health
                if health.next_try is None:
                    continue
                if dataset == DAILY_TREND.name or not health.next_try.reached(now):
                    waits.append(health.next_try.left(now))
                if waits_for_credential(health, now):
                    waits.append(self._credentials_at - time.monotonic())
        return max(_LEAST_SECONDS, min(*waits, _MOST_SECONDS)) if waits else math.inf

    def _log_end(self, now: float, apps: int, queue: Queue, seconds: float) -> None:
        self._log.info(
            "round finished",
            newest_date=f"{yesterday(now)}",
            apps=apps,
            seconds=round(seconds, 3),
            **queue.counts,
        )


class Ticker:
    """The times of the rounds, for one thread; the first round begins at once."""

    def __init__(self, stopwatch: Callable[[], float] = time.monotonic) -> None:
        """Start the first interval; `stopwatch` is monotonic, in seconds."""
        self._stopwatch = stopwatch
        self._next = stopwatch()

    def end_round(self, interval: float) -> None:
        """End a round: the next one begins at the next multiple of `interval`, skipping missed starts."""
        missed = math.floor((self._stopwatch() - self._next) / interval)
        self._next += interval * (missed + 1)

    def left(self, interval: float) -> float:
        """Return the seconds until the next round, at most `interval`, which may have become shorter."""
        now = self._stopwatch()
        self._next = min(self._next, now + interval)
        return self._next - now
