"""Makes one call of a round, records its result, and queues what follows from it."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol

from structlog.typing import FilteringBoundLogger

from exporter.datasets.catalogue import BY_NAME
from exporter.datasets.dataset import Row
from exporter.datasets.quota import QUOTA
from exporter.refresh.outcomes import FetchResult, entry_after, is_revised, with_freed
from exporter.refresh.plan import Ask, asks_after, first_asks, is_refused
from exporter.refresh.queue import Queue
from exporter.refresh.retries import ATTEMPTS, Random, retry_delay
from exporter.refresh.round_settings import RoundSettings
from exporter.refresh.state_log import StateLog, about_dataset
from exporter.store.entry import Entry, HeldQuota, HeldRow
from exporter.store.ledger import Ledger
from exporter.wechat.access import Access, failure_of
from exporter.wechat.failures.errcodes import failure
from exporter.wechat.failures.failure import Failure, Reason

_HANGS = "the call hangs: is it the look-up of a name, or a file on a disk that does not answer?"


class RoundMetrics(Protocol):
    """The metrics of the rounds."""

    def round_finished(self, seconds: float) -> None:
        """Record how long a round over all apps took."""

    def calls_hang(self, count: int) -> None:
        """Record the number of calls that hang and still hold their threads."""

    def row_revised(self) -> None:
        """Count a row whose figures WeChat has changed."""

    def points_dropped(self, count: int) -> None:
        """Count points that a row had over its dataset's cap."""


@dataclass(slots=True)
class Fetcher:
    """Fetches one period of one app at a time, from any thread; `settings` may be replaced."""

    settings: RoundSettings
    ledger: Ledger
    metrics: RoundMetrics
    log: FilteringBoundLogger
    clock: Callable[[], float]
    random: Random
    stopping: threading.Event
    _states: StateLog = field(init=False)

    def __post_init__(self) -> None:
        self._states = StateLog(self.log)

    def fetch(self, ask: Ask, queue: Queue) -> str:
        """Make a call, record the answer, and queue further asks.

        Return `rows`, `quotas` or a reason; `paused` for an app that must not be asked; else ''.
        """
        settings, entry = self.settings, self.ledger.get(ask.appid)
        access = settings.accesses.get(ask.appid)
        if entry is None or access is None or (ask.fallback and entry.rows):
            return ""
        if not self._may_ask(ask, entry, access):
            if ask.starts_app and ask.attempt < ATTEMPTS:  # a round's, not a look at the credential
                self._queue_datasets(ask, queue)
            return "paused" if ask.starts_app else ""
        began = self.clock()
        outcome: HeldRow | HeldQuota | Failure
        try:
            if ask.dataset == QUOTA:
                outcome = HeldQuota(access.quota(ask.label), began)
            else:
                row = access.fetch(BY_NAME[ask.dataset], ask.period)
                outcome = HeldRow(self._known(ask, row, began), began)
        except Exception as error:  # noqa: BLE001 - logged there, so that one app's trouble stays its own
            outcome = failure_of(error, self.log)
        result = self._result(ask, access, outcome, began)
        if self.stopping.is_set():
            return ""
        if self.settings.accesses.get(ask.appid) is not access or _is_outdated(result, access):
            queue.add(replace(ask, attempt=ask.attempt + 1))  # the answer belongs to an old configuration
            return ""
        self._record(result, settings)
        self._go_on(result, queue)
        return result.kind

    def give_up(self, ask: Ask) -> None:
        """Record a call that hangs beyond its deadline."""
        if (access := self.settings.accesses.get(ask.appid)) is not None:
            timeout = failure(Reason.TIMEOUT, _HANGS)
            self._record(self._result(ask, access, timeout, self.clock()), self.settings)

    def _may_ask(self, ask: Ask, entry: Entry, access: Access) -> bool:
        """Return whether no pause forbids the call; a changed credential ends a pause."""
        now, health = self.clock(), entry.table(ask.dataset).health
        if not ask.starts_app and is_refused(entry, now):
            return False
        if not health.paused(now):
            return True
        if health.fingerprint is None or access.fingerprint() in (health.fingerprint, b""):
            return False
        self.ledger.update(ask.appid, lambda known: with_freed(known, ask.dataset))
        return True

    def _result(
        self, ask: Ask, access: Access, outcome: HeldRow | HeldQuota | Failure, began: float
    ) -> FetchResult:
        credential = None
        if isinstance(outcome, Failure) and outcome.action.refuses:
            credential = access.fingerprint() if outcome.credential is None else outcome.credential
        return FetchResult(ask, outcome, began, self.clock(), access.token_expires_at, credential)

    def _known(self, ask: Ask, row: Row, began: float) -> Row:
        """Return a row without the points that WeChat could not know at the time of the call."""
        if row.dropped:
            self.metrics.points_dropped(row.dropped)
            self.log.warning(
                "row has more than is kept",
                appid=ask.appid,
                dataset=ask.dataset,
                ref_date=f"{ask.day}",
                kept=len(row.points),
                dropped=row.dropped,
            )
        return BY_NAME[ask.dataset].selection.known(row, began)

    def _record(self, result: FetchResult, settings: RoundSettings) -> None:
        """Update the app's entry, unless a reload has removed the app or changed the server."""
        ask, outcome = result.ask, result.outcome
        held = outcome if isinstance(outcome, HeldRow) else None
        changed = self.ledger.update(
            ask.appid,
            lambda entry: entry_after(entry, result, settings, self.random),
            held,
            settings.server,
            ask.dataset,
        )
        if changed is None:
            return
        before, after = changed
        if held is not None:
            old, new = (each.table(ask.dataset).held(held.row.period) for each in changed)
            if old is not None and new is not None and is_revised(old.row, new.row):
                self.metrics.row_revised()
                self.log.info("row revised", **about_dataset(after, ask.dataset), ref_date=f"{ask.day}")
        self._states.answered(before, after, ask.dataset, result.failure)

    def _go_on(self, result: FetchResult, queue: Queue) -> None:
        """Queue the asks that follow from an answer: a retry, other periods, other datasets.

        Datasets have no more attempts left than the daily trend: where it has failed, they may fail too.
        """
        ask, problem = result.ask, result.failure
        delay = None if problem is None else retry_delay(problem, ask.attempt, self.random)
        if delay is not None:
            queue.add(replace(ask, attempt=ask.attempt + 1), delay)
            return
        if result.is_of_date and (entry := self.ledger.get(ask.appid)) is not None:
            for each in asks_after(ask, entry, self.clock(), self.settings):
                queue.follow(each)
        if ask.starts_app and (problem is None or not problem.refuses_account):
            self._queue_datasets(ask, queue)

    def _queue_datasets(self, ask: Ask, queue: Queue) -> None:
        if (entry := self.ledger.get(ask.appid)) is not None:
            for each in first_asks(entry, self.clock(), self.settings):
                queue.follow(replace(each, attempt=ask.attempt))


def _is_outdated(result: FetchResult, access: Access) -> bool:
    """Return whether the refused credential has been replaced meanwhile; False after the last attempt."""
    if result.credential is None or result.ask.attempt >= ATTEMPTS:
        return False
    return access.fingerprint() not in (result.credential, b"")
