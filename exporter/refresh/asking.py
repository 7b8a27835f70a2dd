"""Makes one call of a round and writes down what came of it."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from structlog.typing import FilteringBoundLogger

from exporter.refresh.agenda import Agenda
from exporter.refresh.outcome import (
    PAUSING,
    Random,
    after_failure,
    after_older_row,
    after_row,
    concerns_app,
    concerns_date,
    retry_delay,
)
from exporter.refresh.plan import Ask, Policy, follow_ups
from exporter.store.entry import Entry, HeldRow, with_vacant
from exporter.store.ledger import Ledger
from exporter.trend import Row, beijing_text
from exporter.wechat.errcodes import failure
from exporter.wechat.errors import Failure, Reason
from exporter.wechat.ways import Way, ask_for_row


class Tally:
    """Counts a round's answers by kind, from all its threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def add(self, kind: str) -> None:
        """One more answer of that kind: `rows` or a reason."""
        with self._lock:
            self._counts[kind] += 1

    def counts(self) -> dict[str, int]:
        """How many of each kind, rows first."""
        return {"rows": 0, **dict(sorted(self._counts.items()))}


class Asking:
    """Asks for one app and date at a time; safe to use from many threads."""

    def __init__(
        self,
        ledger: Ledger,
        row_revised: Callable[[], None],
        log: FilteringBoundLogger,
        *,
        clock: Callable[[], float],
        random: Random,
        stopping: threading.Event,
    ) -> None:
        self._ledger = ledger
        self._row_revised = row_revised
        self._log = log
        self._clock = clock
        self._random = random
        self._stopping = stopping
        self._told: set[str] = set()  # the apps of which the log has something

    def answer(self, ask: Ask, way: Way, agenda: Agenda, tally: Tally, policy: Policy) -> None:
        """Make one call, write down what came, and add what follows from it to the agenda."""
        entry = self._ledger.get(ask.appid)
        if entry is None or (ask.fallback and entry.rows):
            return
        resume_at = entry.health.resume_at
        if (
            resume_at is not None and resume_at > self._clock()
        ):  # another date's call had WeChat refuse the app
            return
        began = self._clock()
        outcome = ask_for_row(way, ask.day, self._log)
        if self._stopping.is_set():
            return
        again = None if isinstance(outcome, Row) else retry_delay(outcome, ask.attempt)
        if isinstance(outcome, Row):
            tally.add("rows")
            self._row_came(ask, way, outcome, began, policy.server)
        else:
            tally.add(outcome.reason.value)
            self._call_failed(ask, way, outcome, began, policy.server)
        if again is not None:
            agenda.add(replace(ask, attempt=ask.attempt + 1), again)
        elif ask.newest and (isinstance(outcome, Row) or concerns_date(outcome)):
            self._follow_up(ask, agenda, policy)

    def gave_up(self, ask: Ask, way: Way, began: float, policy: Policy) -> None:
        """Write down that a call, made at `began`, hangs where no deadline reaches it."""
        detail = "the call hangs: is it the look-up of a name, or a file on a disk that does not answer?"
        self._call_failed(ask, way, failure(Reason.TIMEOUT, detail), began, policy.server)

    def _row_came(self, ask: Ask, way: Way, row: Row, began: float, server: str) -> None:
        now = self._clock()

        def change(entry: Entry) -> Entry:
            health = entry.health
            health = after_row(health, began, now) if ask.newest else after_older_row(health, now)
            vacant = tuple(each for each in entry.vacant if each.day != ask.day)
            return replace(entry, health=health, token_expires_at=way.token_expires_at, vacant=vacant)

        changed = self._ledger.update(ask.appid, change, HeldRow(row, began), server)
        if changed is None:
            return
        before, after = changed
        held = before.row(ask.day)
        if held is not None and held != after.row(ask.day):
            self._row_revised()
            self._log.info("row revised", appid=ask.appid, name=after.app.name, ref_date=f"{ask.day}")
        self._tell_change(before, after, None)

    def _call_failed(self, ask: Ask, way: Way, problem: Failure, began: float, server: str) -> None:
        now = self._clock()
        fingerprint = way.fingerprint() if problem.action in PAUSING else None

        def change(entry: Entry) -> Entry:
            health, vacant = entry.health, entry.vacant
            if ask.newest or concerns_app(problem):
                health = after_failure(health, problem, began, now, self._random)
                if health is not entry.health:
                    health = replace(health, fingerprint=fingerprint)
            if concerns_date(problem) and not ask.newest:
                vacant = with_vacant(vacant, ask.day, now, self._ledger.keep_days)
            return replace(entry, health=health, token_expires_at=way.token_expires_at, vacant=vacant)

        changed = self._ledger.update(ask.appid, change, server=server)
        if changed is not None:
            self._tell_change(*changed, problem)

    def _follow_up(self, ask: Ask, agenda: Agenda, policy: Policy) -> None:
        """Once yesterday's answer is there: the dates that are missing or to be asked for again."""
        entry = self._ledger.get(ask.appid)
        if entry is not None:
            for more in follow_ups(entry, self._clock(), policy):
                agenda.join(more)

    def _tell_change(self, before: Entry, after: Entry, problem: Failure | None) -> None:
        """One log line where an app's state has changed, or was not told by this process yet."""
        old, health = before.health, after.health
        same = (old.reason, old.errcode) == (health.reason, health.errcode)
        if same and after.app.appid in self._told:
            return
        self._told.add(after.app.appid)
        about = {"appid": after.app.appid, "name": after.app.name}
        if problem is not None and not health.up:
            pause = {"paused_until": beijing_text(health.resume_at)} if health.resume_at else {}
            self._log.warning(
                "app failing",
                **about,
                reason=health.reason,
                detail=health.detail,
                advice=problem.advice.en,
                **pause,
            )
        elif not old.up:
            self._log.info("app recovered", **about, was=old.reason)
        else:
            self._log.debug("app state", **about, state=health.reason or "ok")
