"""Fetches the dates that the journal lacks, one call at a time per thread, by the rules of `serve`."""

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
"""Failed dates in a row after which this run skips the app."""
SILENCE: Final = 50
"""Calls in a row, of any app, that reached nobody and after which the run ends."""

_ENDS: Final = frozenset({Action.NEXT_DAY, Action.NEXT_MONTH, Action.SUSPEND, Action.SUSPEND_DAY})
_UNHEARD: Final = frozenset({Reason.NETWORK, Reason.TIMEOUT})


@dataclass(frozen=True, slots=True)
class BackfillScope:
    """The apps and dates to fetch; `now` is the Unix time at which the run began."""

    apps: tuple[App, ...]
    span: Span
    now: float

    def calls(self, journal: Journal) -> int:
        """Return the number of calls that the journal still lacks, without tokens and retries."""
        counts = (journal.count(app.appid, self.span, self.now) for app in self.apps)
        return self.span.periods * len(self.apps) - sum(count.rows + count.empty for count in counts)


@dataclass(slots=True)
class AppOutcome:
    """How fetching went for an app: its health, missed dates by reason, and the failure that ended it."""

    name: str
    health: Health = field(default_factory=Health)
    missed: Counter[Reason] = field(default_factory=Counter)
    failed_in_a_row: int = 0
    ended_by: Failure | None = None


def take_over(store: Store, journal: Journal, scope: BackfillScope) -> None:
    """Copy rows of the scope that the journal lacks from the exporter's storage; raise StoreError."""
    appids = [app.appid for app in scope.apps]
    for appid, rows in store.load(journal.server, appids, journal.dataset):
        new = [
            (appid, held.row.ref_date, held.row, held.asked_at)
            for held in rows
            if scope.span.first <= held.row.period.first <= scope.span.last
            and not journal.knows(appid, held.row.ref_date, scope.now)
        ]
        journal.keep(new)


def fetch(
    apps: Apps,
    scope: BackfillScope,
    journal: Journal,
    answered: Callable[[], None],
    log: FilteringBoundLogger,
) -> "BackfillFetcher":
    """Ask WeChat for every date in the scope that the journal lacks, then close `apps`.

    The journal keeps the answers; `answered` is called after each, from many threads. The returned fetcher
    has the outcome of each app.

    Raises:
        JournalError: the journal cannot keep an answer.
        KeyboardInterrupt: Ctrl-C; the journal keeps the answers so far.
    """
    threads = min(apps.config.refresh.concurrency, scope.calls(journal))
    queue = FairQueue(
        {app.appid: journal.unknown(app.appid, scope.span, scope.now) for app in scope.apps},
        threads,
        time.monotonic,
    )
    outcomes = {app.appid: AppOutcome(app.name) for app in scope.apps}
    fetcher = BackfillFetcher(outcomes, apps.accesses, queue, journal, answered, log)
    with ThreadPoolExecutor(max(1, threads), thread_name_prefix="backfill") as pool:
        try:
            for worker in [pool.submit(fetcher.work) for _ in range(threads)]:
                worker.result()
        finally:
            queue.close()
            apps.close()
    return fetcher


@dataclass(slots=True, eq=False)
class BackfillFetcher:
    """Makes the calls from many threads; `outcomes` and `accesses` are by appid."""

    outcomes: Mapping[str, AppOutcome]
    accesses: Mapping[str, Access]
    queue: FairQueue
    journal: Journal
    answered: Callable[[], None]
    log: FilteringBoundLogger
    clock: Callable[[], float] = time.time
    random: Random = random.random
    out_of_reach: bool = False
    _unheard: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def work(self) -> None:
        """Ask until nothing is left; a JournalError ends the other threads too."""
        try:
            while (ask := self.queue.take()) is not None:
                try:
                    self._answer(ask)
                finally:
                    self.queue.done(ask)
        except JournalError:  # the journal would lose the next answer too
            self.queue.close()
            raise

    def _answer(self, ask: Ask) -> None:
        outcome = self.outcomes[ask.appid]
        if outcome.ended_by is not None:
            return
        dataset, asked_at = self.journal.dataset, self.clock()
        access, period = self.accesses[ask.appid], dataset.calendar.starting(ask.day)
        answer = attempt(partial(access.fetch, dataset, period), self.log)
        if isinstance(answer, Row):
            answer = dataset.selection.known(answer, asked_at)
        if isinstance(answer, Row) or answer.reason is Reason.EMPTY:
            row = answer if isinstance(answer, Row) else None
            self.journal.keep([(ask.appid, ask.day, row, asked_at)])
            with self._lock:
                outcome.failed_in_a_row = self._unheard = 0
            self.answered()
        else:
            with self._lock:
                self._failed(ask, outcome, answer)

    def _failed(self, ask: Ask, outcome: AppOutcome, problem: Failure) -> None:
        now = self.clock()
        outcome.health = after_failure(outcome.health, problem, now, now, self.random)
        self._unheard = self._unheard + 1 if problem.reason in _UNHEARD else 0
        pause = retry_delay(problem, ask.attempt, self.random)
        if pause is None and problem.action is Action.RENEW_TOKEN and ask.attempt < ATTEMPTS:
            pause = (outcome.health.resume_at or now) - now  # another program may hold the same token
        if pause is not None:
            self.queue.repeat(ask, pause)
        else:
            outcome.missed[problem.reason] += 1
            outcome.failed_in_a_row += not problem.reason.is_state
        if problem.action in _ENDS or outcome.failed_in_a_row >= PATIENCE:
            self._end(ask.appid, outcome, problem)
        if self._unheard >= SILENCE:
            self.out_of_reach = True
            self.queue.close()

    def _end(self, appid: str, outcome: AppOutcome, problem: Failure) -> None:
        if outcome.ended_by is not None:
            return
        outcome.ended_by = problem
        self.queue.stop(appid)
        until = outcome.health.resume_at if problem.action in _ENDS else None
        pause = {"go_on_after": beijing_text(until)} if until else {}
        self.log.warning(
            "app left out for now",
            appid=appid,
            name=outcome.name,
            reason=problem.reason.value,
            detail=problem.detail,
            advice=problem.advice,
            **pause,
        )
