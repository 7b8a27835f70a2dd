"""Asks WeChat for past dates, one call at a time in each thread, by the rules that `serve` follows."""

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from structlog.typing import FilteringBoundLogger

from exporter.backfill.journal import Journal, JournalError
from exporter.backfill.lanes import Lanes
from exporter.refresh.outcome import ATTEMPTS, Random, after_failure, retry_delay
from exporter.refresh.plan import Ask
from exporter.store.entry import Health
from exporter.trend import Row, beijing_text
from exporter.wechat.access import Access, fetch_row
from exporter.wechat.failures.failure import Action, Failure, Reason

PATIENCE: Final = 3
"""After so many dates in a row that failed, the app is left alone for this run."""
SILENCE: Final = 50
"""After so many calls in a row, of whatever app, that reached nobody, the run ends."""

_ENDS: Final = frozenset({Action.NEXT_DAY, Action.NEXT_MONTH, Action.SUSPEND, Action.SUSPEND_DAY})
_UNHEARD: Final = frozenset({Reason.NETWORK, Reason.TIMEOUT})


@dataclass(slots=True)
class Course:
    """How asking for one app goes: its health, dates missed by reason, and what ended it, if anything."""

    name: str
    health: Health = field(default_factory=Health)
    missed: Counter[Reason] = field(default_factory=Counter)
    failed_in_a_row: int = 0
    ended_by: Failure | None = None


class Asking:
    """The work of all threads; `courses` tells afterwards how it went, app by app."""

    def __init__(
        self,
        courses: Mapping[str, Course],
        accesses: Mapping[str, Access],
        lanes: Lanes,
        journal: Journal,
        answered: Callable[[], None],
        log: FilteringBoundLogger,
        *,
        clock: Callable[[], float],
        random: Random,
    ) -> None:
        self.courses = courses
        self.out_of_reach = False
        self.fault: JournalError | None = None
        self._accesses = accesses
        self._lanes = lanes
        self._journal = journal
        self._answered = answered
        self._log = log
        self._clock = clock
        self._random = random
        self._lock = threading.Lock()
        self._unheard = 0

    def work(self) -> None:
        """Ask until there is nothing left; the body of each thread."""
        try:
            while (ask := self._lanes.take()) is not None:
                try:
                    self._answer(ask)
                finally:
                    self._lanes.done(ask)
        except JournalError as error:  # another call would be lost as well
            self.fault = error
            self._lanes.close()

    def _answer(self, ask: Ask) -> None:
        course = self.courses[ask.appid]
        if course.ended_by is not None:
            return
        dataset, asked_at = self._journal.dataset, self._clock()
        period = dataset.calendar.starting(ask.day)
        outcome = fetch_row(self._accesses[ask.appid], dataset, period, self._log)
        if isinstance(outcome, Row):
            outcome = dataset.selection.known(outcome, asked_at)
        if isinstance(outcome, Row) or outcome.reason is Reason.EMPTY:
            row = outcome if isinstance(outcome, Row) else None
            self._journal.keep([(ask.appid, ask.day, row, asked_at)])
            with self._lock:
                course.failed_in_a_row = self._unheard = 0
            self._answered()
        else:
            with self._lock:
                self._failed(ask, course, outcome)

    def _failed(self, ask: Ask, course: Course, problem: Failure) -> None:
        now = self._clock()
        course.health = after_failure(course.health, problem, now, now, self._random)
        self._unheard = self._unheard + 1 if problem.reason in _UNHEARD else 0
        pause = retry_delay(problem, ask.attempt, self._random)
        if pause is None and problem.action is Action.RENEW_TOKEN and ask.attempt < ATTEMPTS:
            pause = (course.health.resume_at or now) - now  # another program may be at the same token
        if pause is not None:
            self._lanes.repeat(ask, pause)
        else:
            course.missed[problem.reason] += 1
            course.failed_in_a_row += not problem.reason.is_state
        if problem.action in _ENDS or course.failed_in_a_row >= PATIENCE:
            self._end(ask.appid, course, problem)
        if self._unheard >= SILENCE:
            self.out_of_reach = True
            self._lanes.close()

    def _end(self, appid: str, course: Course, problem: Failure) -> None:
        if course.ended_by is not None:
            return
        course.ended_by = problem
        self._lanes.stop(appid)
        until = course.health.resume_at if problem.action in _ENDS else None
        pause = {"go_on_after": beijing_text(until)} if until else {}
        self._log.warning(
            "app left out for now",
            appid=appid,
            name=course.name,
            reason=problem.reason.value,
            detail=problem.detail,
            advice=problem.advice.en,
            **pause,
        )
