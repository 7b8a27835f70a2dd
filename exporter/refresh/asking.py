"""Makes one call of a round and writes down what came of it."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from structlog.typing import FilteringBoundLogger

from exporter.refresh.agenda import Agenda
from exporter.refresh.fleet import Fleet
from exporter.refresh.outcome import (
    ATTEMPTS,
    Random,
    after_failure,
    after_older_row,
    after_row,
    concerns_app,
    concerns_date,
    retry_delay,
)
from exporter.refresh.plan import Ask, follow_ups
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


class Asking:
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
        self._told: set[str] = set()  # the apps of which the log has something

    def answer(self, ask: Ask, agenda: Agenda, tally: Tally) -> None:
        """Make one call, write down what came, and add what follows from it to the agenda."""
        entry, way = self._ledger.get(ask.appid), self.fleet.ways.get(ask.appid)
        if entry is None or way is None or (ask.fallback and entry.rows):
            return
        if not self._may_be_asked(ask, entry, way):
            if ask.newest:
                tally.skip()
            return
        began, server = self._clock(), self.fleet.policy.server
        outcome = ask_for_row(way, ask.day, self._log)
        if self._stopping.is_set():
            return
        if self.fleet.ways.get(ask.appid) is not way or _is_outdated(ask, outcome, way):
            agenda.add(replace(ask, attempt=ask.attempt + 1))  # an answer to what is in force no more
            return
        again = None if isinstance(outcome, Row) else retry_delay(outcome, ask.attempt, self._random)
        if isinstance(outcome, Row):
            tally.add("rows")
            self._row_came(ask, way, outcome, began, server)
        else:
            tally.add(outcome.reason.value)
            self._call_failed(ask, way, outcome, began, server)
        if again is not None:
            agenda.add(replace(ask, attempt=ask.attempt + 1), again)
        elif ask.newest and (isinstance(outcome, Row) or concerns_date(outcome)):
            self._follow_up(ask, agenda)

    def gave_up(self, ask: Ask, began: float) -> None:
        """Write down that a call, made at `began`, hangs where no deadline reaches it."""
        detail = "the call hangs: is it the look-up of a name, or a file on a disk that does not answer?"
        if (way := self.fleet.ways.get(ask.appid)) is not None:
            self._call_failed(ask, way, failure(Reason.TIMEOUT, detail), began, self.fleet.policy.server)

    def _may_be_asked(self, ask: Ask, entry: Entry, way: Way) -> bool:
        """Whether the app is not paused; a credential that has changed since then ends the pause."""
        health = entry.health
        if not health.paused(self._clock()):
            return True
        if not ask.newest or health.fingerprint is None:
            return False
        if way.fingerprint() in (health.fingerprint, b""):
            return False
        freed = replace(health, next_try=None, strikes=0, fingerprint=None)
        self._ledger.update(ask.appid, lambda known: replace(known, health=freed))
        return True

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
        fingerprint = _credential(problem, way) if problem.action.refuses else None

        def change(entry: Entry) -> Entry:
            health, vacant = entry.health, entry.vacant
            if ask.newest or concerns_app(problem):
                health = after_failure(health, problem, began, now, self._random, self.fleet.policy.interval)
                if health is not entry.health:
                    health = replace(health, fingerprint=fingerprint)
            if concerns_date(problem) and not ask.newest:
                vacant = with_vacant(vacant, ask.day, now, self._ledger.keep_days)
            return replace(entry, health=health, token_expires_at=way.token_expires_at, vacant=vacant)

        changed = self._ledger.update(ask.appid, change, server=server)
        if changed is not None:
            self._tell_change(*changed, problem)

    def _follow_up(self, ask: Ask, agenda: Agenda) -> None:
        """Once yesterday's answer is there: the dates that are missing or to be asked for again."""
        entry = self._ledger.get(ask.appid)
        if entry is not None:
            for more in follow_ups(entry, self._clock(), self.fleet.policy):
                agenda.follow(more)

    def _tell_change(self, before: Entry, after: Entry, problem: Failure | None) -> None:
        """One log line where an app's state has changed, or was not told by this process yet."""
        old, health = before.health, after.health
        same = (old.reason, old.errcode) == (health.reason, health.errcode)
        if same and after.app.appid in self._told:
            return
        self._told.add(after.app.appid)
        about = {"appid": after.app.appid, "name": after.app.name}
        if problem is not None and not health.up:
            until = {} if health.next_try is None else {"next_try": beijing_text(health.next_try.at)}
            pause = {"paused_until": beijing_text(health.resume_at)} if health.resume_at else until
            self._log.warning(
                "app failing",
                **about,
                reason=health.reason,
                detail=health.detail,
                advice=problem.outlook.en,
                **pause,
            )
        elif not old.up:
            self._log.info("app recovered", **about, was=old.reason)
        else:
            self._log.debug("app state", **about, state=health.reason or "ok")


def _is_outdated(ask: Ask, outcome: Row | Failure, way: Way) -> bool:
    """Whether WeChat refused a credential that has been replaced while it was asked; not again and again."""
    if isinstance(outcome, Row) or not outcome.action.refuses or ask.attempt >= ATTEMPTS:
        return False
    return way.fingerprint() not in (_credential(outcome, way), b"")


def _credential(problem: Failure, way: Way) -> bytes:
    """The fingerprint of what the call was made with."""
    return way.fingerprint() if problem.credential is None else problem.credential
