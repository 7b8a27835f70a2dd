"""Makes one call of a round and writes down what came of it."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from structlog.typing import FilteringBoundLogger

from exporter.beijing import beijing_text
from exporter.datasets.catalogue import BY_NAME
from exporter.datasets.daily_trend import DAILY_TREND
from exporter.datasets.dataset import Row
from exporter.datasets.quota import QUOTA
from exporter.refresh.datasets import dataset_asks, first_asks, is_paused
from exporter.refresh.fleet import Fleet
from exporter.refresh.outcome import (
    ATTEMPTS,
    Random,
    after_failure,
    after_older_row,
    after_row,
    concerns_account,
    concerns_app,
    concerns_date,
    retry_delay,
)
from exporter.refresh.plan import Ask, follow_ups
from exporter.refresh.queue import Queue
from exporter.store.entry import Entry, Health, HeldQuota, HeldRow, Vacant, with_vacant
from exporter.store.ledger import Ledger
from exporter.wechat.access import Access, fetch_quota, fetch_row
from exporter.wechat.failures.errcodes import failure
from exporter.wechat.failures.failure import Failure, Reason


class Tally:
    """Counts a round's answers by kind, from all its threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()
        self.skipped = 0
        """How many apps were not asked for, as they are paused."""

    def add(self, kind: str) -> None:
        """One more answer of that kind: `rows` or a reason."""
        with self._lock:
            self._counts[kind] += 1

    def skip(self) -> None:
        """One app is paused."""
        with self._lock:
            self.skipped += 1

    def counts(self) -> dict[str, int]:
        """How many of each kind, rows first."""
        return {"rows": 0, **dict(sorted(self._counts.items()))}


class Fetching:
    """Asks for one app and date at a time; safe to use from many threads. `fleet` may be swapped."""

    def __init__(
        self,
        fleet: Fleet,
        ledger: Ledger,
        row_revised: Callable[[], None],
        log: FilteringBoundLogger,
        *,
        clock: Callable[[], float],
        random: Random,
        stopping: threading.Event,
    ) -> None:
        self.fleet = fleet
        self._ledger = ledger
        self._row_revised = row_revised
        self._log = log
        self._clock = clock
        self._random = random
        self._stopping = stopping
        self._told: set[tuple[str, str]] = set()  # apps and datasets of which the log has something

    def answer(self, ask: Ask, queue: Queue, tally: Tally) -> None:
        """Make one call, write down what came, and add what follows from it to the agenda."""
        entry, access = self._ledger.get(ask.appid), self.fleet.accesses.get(ask.appid)
        if entry is None or access is None or (ask.fallback and entry.rows):
            return
        if not self._may_be_asked(ask, entry, access):
            if ask.newest and ask.dataset == DAILY_TREND.name:
                tally.skip()
                self._ask_datasets(ask, queue, None)
            return
        began, server = self._clock(), self.fleet.policy.server
        outcome = self._fetch(ask, access)
        if self._stopping.is_set():
            return
        if self.fleet.accesses.get(ask.appid) is not access or _is_outdated(ask, outcome, access):
            queue.add(replace(ask, attempt=ask.attempt + 1))  # an answer to what is in force no more
            return
        again = retry_delay(outcome, ask.attempt, self._random) if isinstance(outcome, Failure) else None
        if isinstance(outcome, Row):
            tally.add("rows")
            self._row_came(ask, access, outcome, began, server)
        elif isinstance(outcome, HeldQuota):
            tally.add("quotas")
            self._quota_came(ask, access, outcome, began, server)
        else:
            tally.add(outcome.reason.value)
            self._call_failed(ask, access, outcome, began, server)
        if again is not None:
            queue.add(replace(ask, attempt=ask.attempt + 1), again)
        else:
            self._go_on(ask, queue, outcome if isinstance(outcome, Failure) else None)

    def _go_on(self, ask: Ask, queue: Queue, problem: Failure | None) -> None:
        """Add to the agenda what follows from the last answer to an ask."""
        if ask.dataset != QUOTA and (problem is None or concerns_date(problem)):
            self._follow_up(ask, queue)
        if ask.newest and ask.dataset == DAILY_TREND.name:
            self._ask_datasets(ask, queue, problem)

    def gave_up(self, ask: Ask, began: float) -> None:
        """Write down that a call, made at `began`, hangs where no deadline reaches it."""
        detail = "the call hangs: is it the look-up of a name, or a file on a disk that does not answer?"
        if (access := self.fleet.accesses.get(ask.appid)) is not None:
            self._call_failed(ask, access, failure(Reason.TIMEOUT, detail), began, self.fleet.policy.server)

    def _may_be_asked(self, ask: Ask, entry: Entry, access: Access) -> bool:
        """Whether the app is not paused; a credential that has changed since then ends the pause."""
        if ask.dataset != DAILY_TREND.name and is_paused(entry, self._clock()):
            return False
        table = entry.table(ask.dataset)
        health = table.health
        if not health.paused(self._clock()):
            return True
        if (ask.dataset == DAILY_TREND.name and not ask.newest) or health.fingerprint is None:
            return False
        if access.fingerprint() in (health.fingerprint, b""):
            return False
        freed = replace(health, next_try=None, strikes=0, fingerprint=None)
        self._ledger.update(
            ask.appid,
            lambda known: known.with_table(ask.dataset, replace(known.table(ask.dataset), health=freed)),
        )
        return True

    def _fetch(self, ask: Ask, access: Access) -> Row | HeldQuota | Failure:
        if ask.dataset == QUOTA:
            began = self._clock()
            figures = fetch_quota(access, ask.label, self._log)
            return figures if isinstance(figures, Failure) else HeldQuota(figures, began)
        dataset = BY_NAME[ask.dataset]
        return fetch_row(access, dataset, dataset.calendar.starting(ask.day), self._log)

    def _quota_came(self, ask: Ask, access: Access, held: HeldQuota, began: float, server: str) -> None:
        now = self._clock()

        def change(entry: Entry) -> Entry:
            table = entry.table(QUOTA)
            entry = replace(
                entry,
                quotas={**entry.quotas, ask.label: held},
                token_expires_at=access.token_expires_at,
            )
            return entry.with_table(QUOTA, replace(table, health=after_row(table.health, began, now)))

        if changed := self._ledger.update(ask.appid, change, server=server):
            self._tell_change(*changed, None, QUOTA)

    def _row_came(self, ask: Ask, access: Access, row: Row, began: float, server: str) -> None:
        now, name = self._clock(), ask.dataset
        if row.dropped:
            about = {"appid": ask.appid, "dataset": name, "ref_date": f"{ask.day}"}
            self._log.warning("row has more than is kept", **about, kept=len(row.points), dropped=row.dropped)
        row = BY_NAME[name].selection.known(row, began)
        lacks = ask.label and all(point.labels[0] != ask.label for point in row.points)

        def change(entry: Entry) -> Entry:
            table = entry.table(name)
            health = table.health
            health = after_row(health, began, now) if ask.newest else after_older_row(health, now)
            vacant = tuple(each for each in table.vacant if each.day != ask.day)
            if lacks:
                vacant = self._with_vacant(table.vacant, ask, now)
            entry = replace(entry, token_expires_at=access.token_expires_at)
            return entry.with_table(name, replace(table, health=health, vacant=vacant))

        changed = self._ledger.update(ask.appid, change, HeldRow(row, began), server, name)
        if changed is None:
            return
        before, after = changed
        known, held = before.table(name).held(row.period), after.table(name).held(row.period)
        if known is not None and held is not None and _is_revised(known.row, held.row):
            self._row_revised()
            self._log.info("row revised", **_about(after, name), ref_date=f"{ask.day}")
        self._tell_change(before, after, None, name)

    def _call_failed(self, ask: Ask, access: Access, problem: Failure, began: float, server: str) -> None:
        now, name = self._clock(), ask.dataset
        fingerprint = _credential(problem, access) if problem.action.refuses else None

        def failed(health: Health) -> Health:
            after = after_failure(health, problem, began, now, self._random, self.fleet.policy.interval)
            return health if after is health else replace(after, fingerprint=fingerprint)

        def change(entry: Entry) -> Entry:
            table = entry.table(name)
            health, vacant = table.health, table.vacant
            if ask.newest or concerns_app(problem):
                health = failed(health)
            if concerns_date(problem) and not (ask.newest and name == DAILY_TREND.name):
                vacant = self._with_vacant(vacant, ask, now)
            entry = replace(entry, token_expires_at=access.token_expires_at)
            entry = entry.with_table(name, replace(table, health=health, vacant=vacant))
            if name != DAILY_TREND.name and concerns_account(problem) and problem.action.pauses:
                return replace(entry, health=failed(entry.health))
            return entry

        changed = self._ledger.update(ask.appid, change, server=server)
        if changed is not None:
            self._tell_change(*changed, problem, name)

    def _with_vacant(self, vacant: tuple[Vacant, ...], ask: Ask, now: float) -> tuple[Vacant, ...]:
        enabled = self._ledger.datasets.get(ask.dataset)
        keep_days = self._ledger.keep_days if enabled is None else enabled.keep_days
        return with_vacant(vacant, ask.day, now, keep_days)

    def _follow_up(self, ask: Ask, queue: Queue) -> None:
        """Once an answer is there: the dataset's periods that are missing or to be asked for again."""
        entry, now = self._ledger.get(ask.appid), self._clock()
        if entry is None:
            return
        enabled = self._ledger.datasets.get(ask.dataset)
        if enabled is not None:
            more = dataset_asks(entry, enabled, now, self.fleet.policy.interval)
        else:
            more = follow_ups(entry, now, self.fleet.policy) if ask.newest else []
        for each in more:
            queue.follow(each)

    def _ask_datasets(self, ask: Ask, queue: Queue, problem: Failure | None) -> None:
        """Once the daily trend was asked for: the other datasets, unless WeChat refuses the account.

        Where the daily trend's answer did not arrive, theirs may not either: they are asked for once each.
        """
        entry = self._ledger.get(ask.appid)
        if entry is None or (problem is not None and concerns_account(problem)):
            return
        attempt = ask.attempt if problem is not None and not concerns_date(problem) else 1
        for each in first_asks(entry, self._clock(), self.fleet.policy):
            queue.follow(replace(each, attempt=attempt))

    def _tell_change(self, before: Entry, after: Entry, problem: Failure | None, dataset: str) -> None:
        """One log line where a dataset's state has changed, or was not told by this process yet."""
        old, health = before.table(dataset).health, after.table(dataset).health
        same = (old.reason, old.errcode) == (health.reason, health.errcode)
        if same and (after.app.appid, dataset) in self._told:
            return
        self._told.add((after.app.appid, dataset))
        about = _about(after, dataset)
        what = "app" if dataset == DAILY_TREND.name else "dataset"
        if problem is not None and not health.up:
            until = {} if health.next_try is None else {"next_try": beijing_text(health.next_try.at)}
            pause = {"paused_until": beijing_text(health.resume_at)} if health.resume_at else until
            self._log.warning(
                f"{what} failing",
                **about,
                reason=health.reason,
                detail=health.detail,
                advice=problem.outlook.en,
                **pause,
            )
        elif not old.up:
            self._log.info(f"{what} recovered", **about, was=old.reason)
        else:
            self._log.debug(f"{what} state", **about, state=health.reason or "ok")


def _about(entry: Entry, dataset: str) -> dict[str, str]:
    """What a log line names: the app, and the dataset unless it is the daily trend."""
    named = {} if dataset == DAILY_TREND.name else {"dataset": dataset}
    return {"appid": entry.app.appid, "name": entry.app.name, **named}


def _is_revised(old: Row, new: Row) -> bool:
    """Whether WeChat has changed a figure that it gave before; points that come and go are none."""
    before = {point.labels: point.values for point in old.points}
    return any(before.get(point.labels, point.values) != point.values for point in new.points)


def _is_outdated(ask: Ask, outcome: Row | HeldQuota | Failure, access: Access) -> bool:
    """Whether WeChat refused a credential that has been replaced while it was asked; not again and again."""
    if not isinstance(outcome, Failure) or not outcome.action.refuses or ask.attempt >= ATTEMPTS:
        return False
    return access.fingerprint() not in (_credential(outcome, access), b"")


def _credential(problem: Failure, access: Access) -> bytes:
    """The fingerprint of what the call was made with."""
    return access.fingerprint() if problem.credential is None else problem.credential
