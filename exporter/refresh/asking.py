"""Makes one call of a round and writes down what came of it."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Final

from structlog.typing import FilteringBoundLogger

from exporter.refresh.agenda import Agenda
from exporter.refresh.outcome import (
    PAUSING,
    Random,
    after_failure,
    after_older_row,
    after_row,
    concerns_app,
    retry_delay,
)
from exporter.refresh.plan import Ask, Policy, follow_ups
from exporter.store.entry import Entry, Health, HeldRow
from exporter.store.ledger import Ledger
from exporter.trend import Row, beijing_text, yesterday
from exporter.wechat.errcodes import failure
from exporter.wechat.errors import CallError, Failure, Reason
from exporter.wechat.ways import Way

_ABOUT_THE_DATE: Final = frozenset({Reason.NOT_READY, Reason.EMPTY, Reason.MALFORMED, Reason.DATE_RANGE})
"""Answers that say nothing against asking the app for other dates."""


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
        outcome = self._call(way, ask.day)
        if self._stopping.is_set():
            return
        if isinstance(outcome, Row):
            tally.add("rows")
            self._row_came(ask, way, outcome)
        else:
            tally.add(outcome.reason.value)
            delay = retry_delay(outcome, ask.attempt)
            if delay is not None:
                agenda.add(replace(ask, attempt=ask.attempt + 1), delay)
            self._call_failed(ask, way, outcome)
        self._follow_up(ask, agenda, outcome, policy)

    def gave_up(self, ask: Ask, way: Way) -> None:
        """Write down that a call hangs where no deadline reaches it."""
        detail = "the call hangs: is it the look-up of a name, or a file on a disk that does not answer?"
        self._call_failed(ask, way, failure(Reason.TIMEOUT, detail))

    def _call(self, way: Way, day: date) -> Row | Failure:
        try:
            return way.daily_trend(day)
        except CallError as error:
            return error.failure
        except Exception as error:  # noqa: BLE001 - a fault of ours in one app must not stop the others
            self._log.error("internal fault", error=type(error).__name__, exc_info=True)
            return failure(Reason.INTERNAL, f"internal fault ({type(error).__name__}), see the log")

    def _row_came(self, ask: Ask, way: Way, row: Row) -> None:
        now = self._clock()
        entry = self._ledger.get(ask.appid)
        if entry is None:
            return
        held = entry.row(ask.day)
        if held is not None and held != row:
            self._row_revised()
            self._log.info("row revised", appid=ask.appid, name=entry.app.name, ref_date=f"{ask.day}")
        newest = ask.day == yesterday(now)
        health = after_row(now) if newest else after_older_row(entry.health, now)
        self._ledger.record(ask.appid, health, way.token_expires_at, HeldRow(row, now))
        self._tell_change(entry, health, None)

    def _call_failed(self, ask: Ask, way: Way, problem: Failure) -> None:
        now = self._clock()
        entry = self._ledger.get(ask.appid)
        if entry is None or (ask.day != yesterday(now) and not concerns_app(problem)):
            return
        health = after_failure(entry.health, problem, now, self._random)
        if problem.action in PAUSING:
            health = replace(health, fingerprint=way.fingerprint())
        self._ledger.record(ask.appid, health, way.token_expires_at)
        self._tell_change(entry, health, problem)

    def _follow_up(self, ask: Ask, agenda: Agenda, outcome: Row | Failure, policy: Policy) -> None:
        """Once yesterday's answer is there: the dates that are missing, unless the call itself failed."""
        now = self._clock()
        if ask.day != yesterday(now):
            return
        answered = isinstance(outcome, Row) or outcome.reason in _ABOUT_THE_DATE
        entry = self._ledger.get(ask.appid)
        if answered and entry is not None:
            for more in follow_ups(entry, now, policy):
                agenda.add(more)

    def _tell_change(self, before: Entry, health: Health, problem: Failure | None) -> None:
        """One log line where an app's state has changed."""
        old = before.health
        if (old.reason, old.errcode) == (health.reason, health.errcode) and old.last_refresh is not None:
            return
        about = {"appid": before.app.appid, "name": before.app.name}
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
