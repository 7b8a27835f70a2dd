"""The threads of a round: they take its calls one by one, and one whose call hangs for good is left alone."""

import threading
import time
from collections.abc import Callable
from typing import Final

from structlog.typing import FilteringBoundLogger

from exporter.heartbeat import Heart
from exporter.refresh.fetching import Asking, Tally
from exporter.refresh.hung_calls import Vigil
from exporter.refresh.queue import Agenda

_LOOK_SECONDS: Final = 1.0  # how often a round looks for calls that hang


class Crew:
    """Makes the calls of one round at a time."""

    def __init__(
        self,
        asking: Asking,
        call_hung: Callable[[int], None],
        heart: Heart,
        log: FilteringBoundLogger,
        clock: Callable[[], float],
    ) -> None:
        """`call_hung` is told how many calls hang, `heart` that the round is looked after."""
        self._asking = asking
        self._vigil = Vigil(call_hung)
        self._heart = heart
        self._log = log
        self._clock = clock

    def hanging(self) -> set[str]:
        """The appids of calls that hang for good: they are not to be asked for."""
        return self._vigil.hanging()

    def ask_all(self, agenda: Agenda, tally: Tally, concurrency: int) -> None:
        """Return when the agenda is done with; so many calls are made at a time."""
        threads: list[threading.Thread] = []
        try:
            for number in range(concurrency):
                thread = threading.Thread(
                    target=self._work, args=(agenda, tally), name=f"refresh-{number}", daemon=True
                )
                thread.start()
                threads.append(thread)
        except RuntimeError:  # the system gives no more threads: go on with those that there are
            if not threads:
                raise
            self._log.warning("fewer threads than refresh.concurrency", threads=len(threads))
        finally:
            for thread in threads:
                self._await(thread, agenda)

    def _await(self, thread: threading.Thread, agenda: Agenda) -> None:
        """Wait for a thread of the round, but not for one whose call hangs for good."""
        while thread.is_alive() and not self._vigil.gave_up(thread):
            self._heart.expect(time.monotonic(), _LOOK_SECONDS)
            thread.join(_LOOK_SECONDS)
            self._give_up_hung(agenda)

    def _give_up_hung(self, agenda: Agenda) -> None:
        """Go on without calls that hang; their apps fail and are not asked until they return."""
        for ask in self._vigil.give_up(time.monotonic() - self._asking.fleet.patience):
            self._log.error("call hangs, going on without it", appid=ask.appid, ref_date=f"{ask.day}")
            self._asking.gave_up(ask, self._clock())
            agenda.done(ask)

    def _work(self, agenda: Agenda, tally: Tally) -> None:
        while (ask := agenda.take()) is not None:
            self._vigil.begin(ask, time.monotonic())
            try:
                self._asking.answer(ask, agenda, tally)
            except Exception as error:  # noqa: BLE001 - a fault of ours in one app must not stop the others
                self._log.error("internal fault", appid=ask.appid, error=type(error).__name__, exc_info=True)
            finally:
                given_up = self._vigil.end()
                if not given_up:
                    agenda.done(ask)
            if given_up:  # long after its round
                return
