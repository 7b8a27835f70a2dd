from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from structlog.typing import FilteringBoundLogger

from exporter.datasets.dataset import Row
from exporter.refresh.plan import Ask
from exporter.refresh.round_settings import RoundSettings
from exporter.wechat.failures.errcodes import errcode_failure, failure
from exporter.wechat.failures.failure import Action, CallError, Failure, Reason
from tests.building import NOON, YESTERDAY, TrendAccess, make_app, make_row
from tests.refresh.desk import APP, Desk

DAY_BEFORE = YESTERDAY - timedelta(days=1)
Answer = Row | Failure | Exception
REFUSED = errcode_failure(40164, "invalid ip 203.0.113.7, not in whitelist")
NOT_READY = errcode_failure(61503, "data not ready")
TIMEOUT = failure(Reason.TIMEOUT, "no answer in time")
EMPTY = failure(Reason.EMPTY, "no row")


class Script(TrendAccess):
    """An access with given answers per date."""

    kind = "stable_token"
    token_expires_at = NOON + 7200

    def __init__(self, answers: dict[date, list[Answer]]) -> None:
        self.answers = answers
        self.asked: list[date] = []
        self.credential = b"first"

    def daily_trend(self, day: date) -> Row:
        self.asked.append(day)
        answer = self.answers[day].pop(0) if self.answers.get(day) else EMPTY
        if isinstance(answer, Row):
            return answer
        raise answer if isinstance(answer, Exception) else CallError(answer)

    def fingerprint(self) -> bytes:
        return self.credential


class TrendDesk(Desk):
    """A desk that asks for the daily trend alone."""

    def ask(self, answers: dict[date, list[Answer]]) -> list[date]:
        """Ask for yesterday and following dates, with given answers; return the dates asked for, in order."""
        access = Script(answers)
        self.work(access, [Ask(APP.appid, YESTERDAY, newest=True)])
        return access.asked

    def dates(self) -> list[date]:
        return [held.row.ref_date for held in self.entry.rows]


OpenDesk = Callable[..., TrendDesk]


@pytest.fixture
def open_desk(log: FilteringBoundLogger) -> OpenDesk:
    return lambda history_days=3, revisit_days=0: TrendDesk(log, RoundSettings(history_days, revisit_days))


def test_yesterday_comes_first_and_then_the_dates_that_are_missing(open_desk: OpenDesk) -> None:
    desk = open_desk(history_days=3)
    days = [YESTERDAY - timedelta(days=back) for back in range(3)]
    assert desk.ask({day: [make_row(day)] for day in days}) == days
    assert desk.dates() == days
    assert desk.counts == {"rows": 3}


def test_before_publication_the_newest_available_date_is_held_after_one_round(open_desk: OpenDesk) -> None:
    desk = open_desk(history_days=3)
    desk.ask({YESTERDAY: [NOT_READY], DAY_BEFORE: [make_row(DAY_BEFORE)]})
    assert desk.dates() == [DAY_BEFORE]
    assert desk.entry.health.reason is Reason.NOT_READY
    assert desk.entry.health.up
    assert desk.entry.health.last_success == NOON


def test_a_window_of_one_date_looks_back_only_until_a_row_is_found(open_desk: OpenDesk) -> None:
    desk = open_desk(history_days=1)
    asked = desk.ask({YESTERDAY: [NOT_READY], DAY_BEFORE: [make_row(DAY_BEFORE)]})
    assert asked == [YESTERDAY, DAY_BEFORE]
    assert desk.dates() == [DAY_BEFORE]


def test_a_failed_call_never_erases_the_last_good_row(open_desk: OpenDesk) -> None:
    desk = open_desk(history_days=1)
    desk.ask({YESTERDAY: [make_row()]})
    for answer in (NOT_READY, EMPTY, REFUSED, failure(Reason.MALFORMED, "null")):
        desk.ask({YESTERDAY: [answer]})
        assert desk.entry.row(YESTERDAY) == make_row()


def test_a_passing_fault_is_retried_in_the_same_round(open_desk: OpenDesk) -> None:
    desk = open_desk(history_days=1)
    assert desk.ask({YESTERDAY: [TIMEOUT, TIMEOUT, make_row()]}) == [YESTERDAY] * 3
    assert desk.entry.health.up
    assert desk.counts == {"rows": 1, "timeout": 2}


def test_retries_end_and_the_failure_stays(open_desk: OpenDesk) -> None:
    desk = open_desk(history_days=9)
    assert desk.ask({YESTERDAY: [TIMEOUT] * 9}) == [YESTERDAY] * 3
    assert (desk.entry.health.up, desk.entry.health.reason) == (False, Reason.TIMEOUT)


def test_a_refused_app_is_not_asked_for_other_dates(open_desk: OpenDesk) -> None:
    desk = open_desk(history_days=9)
    assert desk.ask({YESTERDAY: [REFUSED]}) == [YESTERDAY]
    health = desk.entry.health
    assert (health.up, health.reason, health.errcode) == (False, Reason.IP_NOT_ALLOWED, 40164)
    assert health.resume_at == NOON + 3600
    assert health.fingerprint == b"first"


def test_a_refusal_in_the_middle_of_the_history_pauses_the_app(open_desk: OpenDesk) -> None:
    desk = open_desk(history_days=9)
    spent = errcode_failure(45009, "reach max api daily quota limit")
    assert desk.ask({YESTERDAY: [make_row()], DAY_BEFORE: [spent]}) == [YESTERDAY, DAY_BEFORE]
    assert desk.entry.health.reason is Reason.QUOTA_DAILY
    assert desk.entry.row(YESTERDAY) == make_row()


def test_a_fault_of_one_older_date_says_nothing_about_the_app(open_desk: OpenDesk) -> None:
    desk = open_desk(history_days=2)
    desk.ask({YESTERDAY: [make_row()], DAY_BEFORE: [failure(Reason.MALFORMED, "null")]})
    assert desk.entry.health.up
    assert desk.entry.health.reason is None


LIE = failure(Reason.MALFORMED, "visit_pv is null", Action.NEXT_ROUND)
GARBAGE = failure(Reason.MALFORMED, "the answer is not a JSON object")


@pytest.mark.parametrize("lie", [LIE, errcode_failure(61501, "date range")])
def test_a_lie_about_yesterday_does_not_keep_the_history_away(open_desk: OpenDesk, lie: Failure) -> None:
    desk = open_desk(history_days=2)
    desk.ask({YESTERDAY: [lie] * 3, DAY_BEFORE: [make_row(DAY_BEFORE)]})
    assert desk.dates() == [DAY_BEFORE]
    assert not desk.entry.health.up


def test_an_answer_that_is_none_is_retried_and_leaves_the_other_dates_alone(open_desk: OpenDesk) -> None:
    desk = open_desk(history_days=9)
    assert desk.ask({YESTERDAY: [GARBAGE] * 9}) == [YESTERDAY] * 3


def test_the_history_is_asked_for_once_however_often_yesterday_was(open_desk: OpenDesk) -> None:
    desk = open_desk(history_days=9)
    asked = desk.ask({YESTERDAY: [TIMEOUT, TIMEOUT, make_row()]})
    assert len(asked) == 3 + 8


def test_other_figures_for_a_held_date_are_a_revision_and_are_logged(
    open_desk: OpenDesk, events: list[Any]
) -> None:
    desk = open_desk(history_days=1)
    desk.ask({YESTERDAY: [make_row()]})
    desk.ask({YESTERDAY: [make_row()]})
    assert desk.revised == 0
    desk.ask({YESTERDAY: [make_row(scale=2)]})
    assert desk.revised == 1
    assert desk.entry.row(YESTERDAY) == make_row(scale=2)
    assert [event["ref_date"] for event in events if event["event"] == "row revised"] == ["2026-11-23"]


def test_a_change_of_state_is_one_line_and_no_change_is_none(open_desk: OpenDesk, events: list[Any]) -> None:
    desk = open_desk(history_days=1)
    failing: dict[date, list[Answer]] = {YESTERDAY: [REFUSED]}
    desk.ask(failing)
    desk.now += 7200
    desk.ask({YESTERDAY: [REFUSED]})
    desk.now += 7200
    desk.ask({YESTERDAY: [make_row()]})
    desk.ask({YESTERDAY: [make_row()]})
    assert [(event["event"], event["log_level"]) for event in events] == [
        ("app failing", "warning"),
        ("app recovered", "info"),
    ]
    assert "203.0.113.7" in events[0]["detail"]
    assert "IP" in events[0]["advice"].en
    assert events[0]["paused_until"] == "2026-11-24 13:00 (Beijing)"
    assert events[1]["was"] == "ip_not_allowed"


def test_a_fault_of_our_own_is_logged_and_stays_with_its_app(open_desk: OpenDesk, events: list[Any]) -> None:
    desk = open_desk(history_days=1)
    desk.ask({YESTERDAY: [ZeroDivisionError("access_token=shown")]})
    assert desk.entry.health.reason is Reason.INTERNAL
    assert "ZeroDivisionError" in desk.entry.health.detail
    assert "access_token" not in desk.entry.health.detail
    assert events[0]["event"] == "internal fault"


def test_nothing_is_written_down_for_an_app_that_a_reload_removed(open_desk: OpenDesk) -> None:
    desk = open_desk(history_days=1)
    desk.ledger.configure([(make_app(2), "stable_token")], 9, NOON)
    assert desk.ask({YESTERDAY: [make_row()]}) == []
    assert [entry.rows for entry in desk.ledger.entries()] == [()]


def test_calls_that_a_stop_cut_off_leave_no_trace(open_desk: OpenDesk) -> None:
    desk = open_desk(history_days=1)
    desk.stopping.set()
    desk.ask({YESTERDAY: [TIMEOUT]})
    assert not desk.entry.tried


@pytest.mark.parametrize("answer", [make_row(), TIMEOUT], ids=["row", "failure"])
def test_a_call_that_outlasts_midnight_is_written_down_as_what_it_was_planned_for(
    open_desk: OpenDesk, answer: Answer
) -> None:
    desk = open_desk(history_days=1)
    desk.ask({YESTERDAY: [TIMEOUT] * 3})
    desk.now = NOON + 12 * 3600 + 1  # the day has changed in Beijing
    desk.ask({YESTERDAY: [answer] * 3})
    assert desk.entry.health.last_refresh == desk.now
    assert desk.entry.health.up == isinstance(answer, Row)


def test_dates_without_a_row_are_remembered_and_a_row_forgets_them(open_desk: OpenDesk) -> None:
    desk = open_desk(history_days=2)
    for _ in range(2):
        desk.ask({YESTERDAY: [make_row()], DAY_BEFORE: [EMPTY]})
    assert [(each.day, each.asks, each.asked_at) for each in desk.entry.empty_dates] == [
        (DAY_BEFORE, 2, NOON)
    ]
    desk.ask({YESTERDAY: [make_row()], DAY_BEFORE: [make_row(DAY_BEFORE)]})
    assert desk.entry.empty_dates == ()


def test_the_tokens_end_is_kept_with_the_answer(open_desk: OpenDesk) -> None:
    desk = open_desk(history_days=1)
    desk.ask({YESTERDAY: [make_row()]})
    assert desk.entry.token_expires_at == NOON + 7200


# Which credential an answer is about


def test_a_credential_replaced_while_the_wrong_one_is_asked_with_is_asked_with_at_once(
    open_desk: OpenDesk,
) -> None:
    desk = open_desk(history_days=1)
    wrong = replace(errcode_failure(40125, "invalid appsecret"), credential=b"the one before")
    assert desk.ask({YESTERDAY: [wrong, make_row()]}) == [YESTERDAY] * 2
    assert desk.entry.health.up


def test_a_refusal_is_booked_on_the_credential_that_was_asked_with(open_desk: OpenDesk) -> None:
    desk = open_desk(history_days=1)
    refused = replace(errcode_failure(40125, "invalid appsecret"), credential=b"first")
    assert desk.ask({YESTERDAY: [refused, make_row()]}) == [YESTERDAY]
    assert (desk.entry.health.fingerprint, desk.entry.health.paused(NOON)) == (b"first", True)


def test_credentials_that_change_all_the_time_keep_no_round_busy(open_desk: OpenDesk) -> None:
    desk = open_desk(history_days=1)
    wrong = replace(errcode_failure(40125, "invalid appsecret"), credential=b"the one before")
    assert desk.ask({YESTERDAY: [wrong] * 9}) == [YESTERDAY] * 3
    assert desk.entry.health.fingerprint == b"the one before"


def test_an_answer_of_what_a_reload_has_replaced_is_left_out_and_asked_for_again(open_desk: OpenDesk) -> None:
    desk = open_desk(history_days=1)
    old, new = Script({YESTERDAY: [make_row(scale=2)]}), Script({YESTERDAY: [make_row()]})
    fetch = old.daily_trend

    def reloaded(day: date) -> Row:
        desk.fetcher.settings = replace(desk.settings, accesses={APP.appid: new})
        return fetch(day)

    old.daily_trend = reloaded  # type: ignore[method-assign]
    desk.work(old)
    assert (old.asked, new.asked) == ([YESTERDAY], [YESTERDAY])
    assert desk.entry.row(YESTERDAY) == make_row()
