"""The threads of a round, which make its calls one by one; a thread whose call hangs is abandoned.

A call may hang beyond its deadline: in a DNS lookup, or in a file. A hanging thread cannot be ended, and
threads of concurrent.futures would delay the end of the program. So the round continues without it, and its
app is not asked for until the thread returns: there are never more such threads than `concurrency`.
"""

import threading
import time
from dataclasses import dataclass
from typing import Final

from exporter.heartbeat import Heartbeat
from exporter.refresh.fetching import Fetcher
from exporter.refresh.plan import Ask
from exporter.refresh.queue import Queue

_LOOK_SECONDS: Final = 1.0  # seconds between two looks for hanging calls


@dataclass(slots=True)
class _Call:
    ask: Ask
    begun: float  # monotonic
    hangs: bool = False


class Workers:
    """Makes the calls of one round at a time; `heartbeat` shows that the round is alive."""

    def __init__(self, fetcher: Fetcher, heartbeat: Heartbeat) -> None:
        self._fetcher = fetcher
        self._heartbeat = heartbeat
        self._log = fetcher.log
        self._lock = threading.Lock()
        self._calls: dict[threading.Thread, _Call] = {}

    def hanging(self) -> set[str]:
        """Return the appids of hanging calls, for which no call must be made."""
        with self._lock:
            return {call.ask.appid for call in self._calls.values() if call.hangs}

    def run(self, queue: Queue, concurrency: int) -> None:
        """Make the calls of a queue, `concurrency` at a time; return once all are made or given up."""
        threads: list[threading.Thread] = []
        try:
            for number in range(concurrency):
                thread = threading.Thread(
                    target=self._work, args=(queue,), name=f"refresh-{number}", daemon=True
                )
                thread.start()
                threads.append(thread)
        except RuntimeError:  # the system refuses more threads: continue with those that run
            if not threads:
                raise
            self._log.warning("fewer threads than refresh.concurrency", threads=len(threads))
        finally:
            for thread in threads:
                while thread.is_alive() and not self._hangs(thread):
                    self._heartbeat.expect(time.monotonic(), _LOOK_SECONDS)
                    thread.join(_LOOK_SECONDS)
                    self._give_up(queue)

    def _work(self, queue: Queue) -> None:
        thread = threading.current_thread()
        while (ask := queue.take()) is not None:
            call = _Call(ask, time.monotonic())
            with self._lock:
                self._calls[thread] = call
            kind = ""
            try:
                kind = self._fetcher.fetch(ask, queue)
            except Exception as error:  # noqa: BLE001 - a fault of ours in one app must not stop the others
                self._log.error("internal fault", appid=ask.appid, error=type(error).__name__, exc_info=True)
            with self._lock:
                del self._calls[thread]
            if call.hangs:  # the call has returned long after its round
                self._show_hanging()
                return
            queue.done(ask, kind)

    def _hangs(self, thread: threading.Thread) -> bool:
        with self._lock:
            return thread in self._calls and self._calls[thread].hangs

    def _give_up(self, queue: Queue) -> None:
        """Continue without hanging calls; their apps fail, and get no call until these return."""
        before = time.monotonic() - self._fetcher.settings.hangs_after
        with self._lock:
            hung = [call for call in self._calls.values() if call.begun < before and not call.hangs]
            for call in hung:
                call.hangs = True
        for call in hung:
            ask = call.ask
            self._log.error("call hangs, going on without it", appid=ask.appid, ref_date=f"{ask.day}")
            self._fetcher.give_up(ask)
            queue.done(ask)
        if hung:
            self._show_hanging()

    def _show_hanging(self) -> None:
        with self._lock:
            self._fetcher.metrics.calls_hang(sum(call.hangs for call in self._calls.values()))
