from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from structlog.typing import FilteringBoundLogger

from exporter.backfill.fair_queue import FairQueue
from exporter.backfill.fetching import PATIENCE, SILENCE, AppOutcome, BackfillFetcher
from exporter.backfill.journal import DateCounts, Journal, JournalError
from exporter.backfill.periods import Span
from exporter.beijing import next_midnight
from exporter.datasets.dataset import Row
from exporter.refresh.retries import ATTEMPTS
from exporter.wechat.failures.errcodes import errcode_failure, failure
from exporter.wechat.failures.failure import Action, CallError, Failure, Reason
from tests.building import NOON, YESTERDAY, TrendAccess, make_row

Answer = Callable[[date], Row | Failure | Exception]
DAYS = 30
SPAN = Span(YESTERDAY - timedelta(days=DAYS - 1), YESTERDAY)
NETWORK = failure(Reason.NETWORK, "connection refused")
EMPTY = failure(Reason.EMPTY, "no row")
MALFORMED = failure(Reason.MALFORMED, "visit_pv is 'x'", Action.NEXT_ROUND)


class Script(TrendAccess):
    """An access that answers by a rule and records its calls."""

    kind = "stable_token"
    token_expires_at = None

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked: list[date] = []

    def daily_trend(self, day: date) -> Row:
        self.asked.append(day)
        answer = self.answer(day)
        if isinstance(answer, Row):
            return answer
        raise answer if isinstance(answer, Exception) else CallError(answer)

    def fingerprint(self) -> bytes:
        return b""


class Desk:
    """A fetcher with one thread and a stopwatch that skips every rest."""

    def __init__(self, log: FilteringBoundLogger, **answers: Answer) -> None:
        self.journal = Journal("")
        self.accesses = {appid: Script(answer) for appid, answer in answers.items()}
        self.seconds = 0.0
        self.answered = 0
        self.fetcher = BackfillFetcher(
            {appid: AppOutcome(f"shop {appid}") for appid in answers},
            self.accesses,
            FairQueue({appid: self.journal.unknown(appid, SPAN, NOON) for appid in answers}, 4, self._leap),
            self.journal,
            self._count,
            log,
            clock=lambda: NOON,
            random=lambda: 0.0,
        )

    def _leap(self) -> float:
        self.seconds += 1000
        return self.seconds

    def _count(self) -> None:
        self.answered += 1

    def work(self) -> "Desk":
        self.fetcher.work()
        return self

    def count(self, appid: str = "wx1") -> DateCounts:
        return self.journal.count(appid, SPAN, NOON)

    def outcome(self, appid: str = "wx1") -> AppOutcome:
        return self.fetcher.outcomes[appid]

    def calls(self, appid: str = "wx1") -> int:
        return len(self.accesses[appid].asked)


def always(answer: Failure | Exception) -> Answer:
    return lambda _: answer


def once(problem: Failure, on: date) -> Answer:
    """Return answers that fail the first call for one date, and are rows otherwise."""
    left = [problem]
    return lambda day: left.pop() if left and day == on else make_row(day)


def test_every_date_is_asked_once_and_kept(log: FilteringBoundLogger) -> None:
    desk = Desk(log, wx1=make_row, wx2=make_row).work()
    assert desk.accesses["wx1"].asked == desk.accesses["wx2"].asked == list(SPAN.newest_first())
    assert desk.count("wx1") == desk.count("wx2") == DateCounts(DAYS, 0)
    assert desk.answered == 2 * DAYS


def test_an_empty_answer_is_an_answer(log: FilteringBoundLogger) -> None:
    desk = Desk(log, wx1=always(EMPTY)).work()
    assert desk.count() == DateCounts(0, DAYS)
    assert desk.calls() == desk.answered == DAYS
    assert not desk.outcome().missed


def test_a_date_that_is_not_ready_is_missing_and_the_others_come(log: FilteringBoundLogger) -> None:
    not_ready = errcode_failure(61503, "data not ready")
    desk = Desk(log, wx1=lambda day: not_ready if day == YESTERDAY else make_row(day)).work()
    assert desk.count() == DateCounts(DAYS - 1, 0)
    assert desk.outcome().missed == {Reason.NOT_READY: 1}
    assert desk.outcome().ended_by is None


@pytest.mark.parametrize("code", [-1, 45011, 40001])
def test_a_failure_that_a_pause_may_end_is_asked_again(code: int, log: FilteringBoundLogger) -> None:
    day = YESTERDAY - timedelta(days=3)
    desk = Desk(log, wx1=once(errcode_failure(code, "later"), day)).work()
    assert desk.count() == DateCounts(DAYS, 0)
    assert desk.accesses["wx1"].asked[3:5] == [day, day]


@pytest.mark.parametrize(("code", "seconds"), [(-1, 1), (45011, 60), (40001, 10)])
def test_a_pause_is_as_long_as_the_errcode_wants(
    code: int, seconds: float, log: FilteringBoundLogger, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(log, wx1=once(errcode_failure(code, "later"), YESTERDAY))
    pauses = []
    monkeypatch.setattr(desk.fetcher.queue, "repeat", lambda _, delay: pauses.append(delay))
    desk.work()
    assert [seconds <= pause <= seconds + 3 for pause in pauses] == [True]


@pytest.mark.parametrize(
    ("code", "until"),
    [(45009, next_midnight(NOON)), (40164, NOON + 3600), (48001, NOON + 3600)],
)
def test_a_refused_app_ends_at_once_and_no_other(
    code: int, until: float, log: FilteringBoundLogger, events: list[Any]
) -> None:
    desk = Desk(log, wx1=always(errcode_failure(code, "no")), wx2=make_row).work()
    assert desk.calls("wx1") == 1
    assert desk.count("wx2") == DateCounts(DAYS, 0)
    resume_at = desk.outcome().health.resume_at
    assert resume_at is not None
    assert until <= resume_at < until + 60
    (event,) = events
    assert (event["event"], event["appid"], event["name"]) == ("app left out for now", "wx1", "shop wx1")
    assert event["go_on_after"].endswith("(Beijing)")


def test_calls_under_way_when_an_app_ends_change_nothing(
    log: FilteringBoundLogger, events: list[Any]
) -> None:
    desk = Desk(log, wx1=always(errcode_failure(45009, "quota")))
    queue = desk.fetcher.queue
    asks = [queue.take(), queue.take()]
    for ask in asks:
        assert ask is not None
        desk.fetcher._failed(ask, desk.outcome(), errcode_failure(45009, "quota"))
        desk.fetcher._answer(ask)
        queue.done(ask)
    assert desk.calls() == 0
    assert len(events) == 1
    assert queue.take() is None


def test_an_app_whose_dates_fail_one_after_another_is_left_alone(
    log: FilteringBoundLogger, events: list[Any]
) -> None:
    desk = Desk(log, wx1=always(errcode_failure(-1, "busy")), wx2=make_row).work()
    assert desk.calls("wx1") == PATIENCE * ATTEMPTS
    assert desk.count("wx2") == DateCounts(DAYS, 0)
    assert "go_on_after" not in events[0]


def test_rows_that_make_no_sense_are_missing_and_do_not_end_an_app(log: FilteringBoundLogger) -> None:
    desk = Desk(log, wx1=lambda day: MALFORMED if day.day % 2 else make_row(day)).work()
    assert desk.outcome().missed == {Reason.MALFORMED: DAYS - desk.count().rows}
    assert desk.outcome().ended_by is None
    assert desk.calls() == DAYS


def test_the_run_ends_where_nobody_is_reached(log: FilteringBoundLogger) -> None:
    desk = Desk(log, **{f"wx{number}": always(NETWORK) for number in range(100)}).work()
    assert desk.fetcher.out_of_reach
    assert sum(desk.calls(appid) for appid in desk.accesses) == SILENCE


def test_one_app_that_reaches_nobody_does_not_end_the_run(log: FilteringBoundLogger) -> None:
    desk = Desk(log, wx1=always(NETWORK), wx2=make_row).work()
    assert not desk.fetcher.out_of_reach
    assert desk.count("wx2") == DateCounts(DAYS, 0)


def test_a_fault_of_ours_in_one_app_stops_no_other(log: FilteringBoundLogger, events: list[Any]) -> None:
    desk = Desk(log, wx1=always(RuntimeError("oops")), wx2=make_row).work()
    assert desk.outcome().missed == {Reason.INTERNAL: PATIENCE}
    assert desk.count("wx2") == DateCounts(DAYS, 0)
    assert events[0]["event"] == "internal fault"


def test_a_journal_that_cannot_be_written_ends_the_run(log: FilteringBoundLogger) -> None:
    desk = Desk(log, wx1=make_row)
    desk.journal.close()
    with pytest.raises(JournalError):
        desk.work()
    assert desk.calls() == 0
