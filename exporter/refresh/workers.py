"""The threads of a round: they take its calls one by one, and one whose call hangs for good is left alone."""

import threading
import time
from collections.abc import Callable
from typing import Final

from structlog.typing import FilteringBoundLogger

from exporter.heartbeat import Heartbeat
from exporter.refresh.fetching import Fetching, Tally
from exporter.refresh.hung_calls import HungCalls
from exporter.refresh.queue import Queue

_LOOK_SECONDS: Final = 1.0  # how often a round looks for calls that hang


class Workers:
    """Makes the calls of one round at a time."""

    def __init__(
        self,
        fetching: Fetching,
        call_hung: Callable[[int], None],
        heartbeat: Heartbeat,
        log: FilteringBoundLogger,
        clock: Callable[[], float],
    ) -> None:
        """`call_hung` is told how many calls hang, `heart` that the round is looked after."""
        self._fetching = fetching
        self._hung_calls = HungCalls(call_hung)
        self._heartbeat = heartbeat
        self._log = log
        self._clock = clock

    def hanging(self) -> set[str]:
        """The appids of calls that hang for good: they are not to be asked for."""
        return self._hung_calls.hanging()

    def ask_all(self, queue: Queue, tally: Tally, concurrency: int) -> None:
        """Return when the agenda is done with; so many calls are made at a time."""
        threads: list[threading.Thread] = []
        try:
            for number in range(concurrency):
                thread = threading.Thread(
                    target=self._work, args=(queue, tally), name=f"refresh-{number}", daemon=True
                )
                thread.start()
                threads.append(thread)
        except RuntimeError:  # the system gives no more threads: go on with those that there are
            if not threads:
                raise
            self._log.warning("fewer threads than refresh.concurrency", threads=len(threads))
        finally:
            for thread in threads:
                self._await(thread, queue)

    def _await(self, thread: threading.Thread, queue: Queue) -> None:
        """Wait for a thread of the round, but not for one whose call hangs for good."""
        while thread.is_alive() and not self._hung_calls.gave_up(thread):
            self._heartbeat.expect(time.monotonic(), _LOOK_SECONDS)
            thread.join(_LOOK_SECONDS)
            self._give_up_hung(queue)

    def _give_up_hung(self, queue: Queue) -> None:
        """Go on without calls that hang; their apps fail and are not asked until they return."""
        for ask in self._hung_calls.give_up(time.monotonic() - self._fetching.fleet.patience):
            self._log.error("call hangs, going on without it", appid=ask.appid, ref_date=f"{ask.day}")
            self._fetching.gave_up(ask, self._clock())
            queue.done(ask)

    def _work(self, queue: Queue, tally: Tally) -> None:
        while (ask := queue.take()) is not None:
            self._hung_calls.begin(ask, time.monotonic())
            try:
                self._fetching.answer(ask, queue, tally)
            except Exception as error:  # noqa: BLE001 - a fault of ours in one app must not stop the others
                self._log.error("internal fault", appid=ask.appid, error=type(error).__name__, exc_info=True)
            finally:
                given_up = self._hung_calls.end()
                if not given_up:
                    queue.done(ask)
            if given_up:  # long after its round
                return
