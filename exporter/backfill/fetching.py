"""Asks WeChat for what the journal lacks, a call at a time in each thread, by the rules of `serve`."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from structlog.typing import FilteringBoundLogger

from exporter.apps import Apps
from exporter.backfill.fair_queue import FairQueue
from exporter.backfill.journal import Journal, JournalError
from exporter.backfill.periods import Span
from exporter.beijing import beijing_text
from exporter.config.apps import App
from exporter.datasets.dataset import Row
from exporter.refresh.plan import Ask
from exporter.refresh.retries import ATTEMPTS, Random, after_failure, retry_delay
from exporter.store.entry import Health
from exporter.store.interface import Store
from exporter.wechat.access import Access, attempt
from exporter.wechat.failures.failure import Action, Failure, Reason

PATIENCE: Final = 3
"""After so many dates in a row that failed, the app is left alone for this run."""
SILENCE: Final = 50
"""After so many calls in a row, of whatever app, that reached nobody, the run ends."""

_ENDS: Final = frozenset({Action.NEXT_DAY, Action.NEXT_MONTH, Action.SUSPEND, Action.SUSPEND_DAY})
_UNHEARD: Final = frozenset({Reason.NETWORK, Reason.TIMEOUT})


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which apps and dates are wanted, and since when (Unix time)."""

    apps: tuple[App, ...]
    span: Span
    now: float

    def calls(self, journal: Journal) -> int:
        """How many calls it takes to know them all, tokens and retries left aside."""
        counts = (journal.count(app.appid, self.span, self.now) for app in self.apps)
        return self.span.periods * len(self.apps) - sum(count.rows + count.empty for count in counts)


@dataclass(slots=True)
class Course:
    """How asking for one app goes: its health, dates missed by reason, and what ended it, if anything."""

    name: str
    health: Health = field(default_factory=Health)
    missed: Counter[Reason] = field(default_factory=Counter)
    failed_in_a_row: int = 0
    ended_by: Failure | None = None


def take_over(store: Store, journal: Journal, wanted: Wanted) -> None:
    """Copy the wanted rows that the exporter's storage holds and the journal lacks.

    Raises:
        StoreError: the storage cannot be read.
        JournalError: the journal cannot be written.
    """
    appids = [app.appid for app in wanted.apps]
    for appid, rows in store.load(journal.server, appids, journal.dataset):
        new = [
            (appid, held.row.ref_date, held.row, held.asked_at)
            for held in rows
            if wanted.span.first <= held.row.period.first <= wanted.span.last
            and not journal.knows(appid, held.row.ref_date, wanted.now)
        ]
        journal.keep(new)


def fetch(
    apps: Apps, wanted: Wanted, journal: Journal, answered: Callable[[], None], log: FilteringBoundLogger
) -> "Asking":
    """Ask WeChat for every wanted date that the journal lacks; afterwards `apps` is closed.

    Args:
        apps: the access to each app, and how many calls at a time.
        wanted: which of its apps and dates.
        journal: gets the answers.
        answered: is called after each one, from many threads.
        log: gets the apps that are left out.

    Returns:
        how it went.

    Raises:
        JournalError: an answer could not be kept.
        KeyboardInterrupt: Ctrl-C; what came until then is kept.
    """
    threads = min(apps.config.refresh.concurrency, wanted.calls(journal))
    queue = FairQueue(
        {app.appid: journal.unknown(app.appid, wanted.span, wanted.now) for app in wanted.apps},
        threads,
        time.monotonic,
    )
    courses = {app.appid: Course(app.name) for app in wanted.apps}
    asking = Asking(
        courses, apps.accesses, queue, journal, answered, log, clock=time.time, random=random.random
    )
    with ThreadPoolExecutor(max(1, threads), thread_name_prefix="backfill") as pool:
        try:
            for worker in [pool.submit(asking.work) for _ in range(threads)]:
                worker.result()
        finally:
            queue.close()
            apps.close()
    return asking


class Asking:
    """Makes the calls; safe to use from many threads. `courses`, by appid, show afterwards how it went."""

    def __init__(
        self,
        courses: Mapping[str, Course],
        accesses: Mapping[str, Access],
        queue: FairQueue,
        journal: Journal,
        answered: Callable[[], None],
        log: FilteringBoundLogger,
        *,
        clock: Callable[[], float],
        random: Random,
    ) -> None:
        self.courses = courses
        self.out_of_reach = False
        self._accesses = accesses
        self._queue = queue
        self._journal = journal
        self._answered = answered
        self._log = log
        self._clock = clock
        self._random = random
        self._lock = threading.Lock()
        self._unheard = 0

    def work(self) -> None:
        """Ask until there is nothing left; raises JournalError, which ends the other threads too."""
        try:
            while (ask := self._queue.take()) is not None:
                try:
                    self._answer(ask)
                finally:
                    self._queue.done(ask)
        except JournalError:  # another call would be lost as well
            self._queue.close()
            raise

    def _answer(self, ask: Ask) -> None:
        course = self.courses[ask.appid]
        if course.ended_by is not None:
            return
        dataset, asked_at = self._journal.dataset, self._clock()
        access, period = self._accesses[ask.appid], dataset.calendar.starting(ask.day)
        outcome = attempt(partial(access.fetch, dataset, period), self._log)
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
            self._queue.repeat(ask, pause)
        else:
            course.missed[problem.reason] += 1
            course.failed_in_a_row += not problem.reason.is_state
        if problem.action in _ENDS or course.failed_in_a_row >= PATIENCE:
            self._end(ask.appid, course, problem)
        if self._unheard >= SILENCE:
            self.out_of_reach = True
            self._queue.close()

    def _end(self, appid: str, course: Course, problem: Failure) -> None:
        if course.ended_by is not None:
            return
        course.ended_by = problem
        self._queue.stop(appid)
        until = course.health.resume_at if problem.action in _ENDS else None
        pause = {"go_on_after": beijing_text(until)} if until else {}
        self._log.warning(
            "app left out for now",
            appid=appid,
            name=course.name,
            reason=problem.reason.value,
            detail=problem.detail,
            advice=problem.advice,
            **pause,
        )
