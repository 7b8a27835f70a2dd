from dataclasses import replace

import pytest

from exporter.beijing import next_midnight, next_month
from exporter.refresh.retries import (
    ATTEMPTS,
    after_failure,
    after_older_row,
    after_row,
    outlasts_date,
    retry_delay,
)
from exporter.store.entry import Health
from exporter.wechat.failures.errcodes import ERRCODES, errcode_failure, failure
from exporter.wechat.failures.failure import Action, Failure, Reason
from tests.building import NOON

REFUSED = errcode_failure(40125, "invalid appsecret")
STALE = errcode_failure(40001, "invalid credential")
SPENT = errcode_failure(45009, "reach max api daily quota limit")
HURRIED = errcode_failure(45011, "api minute-quota reach limit")
TIMEOUT = failure(Reason.TIMEOUT, "no answer in time")
NOT_READY = errcode_failure(61503, "data not ready")


def fail(health: Health, problem: Failure, now: float = NOON, spread: float = 0.0) -> Health:
    return after_failure(health, problem, now, now, lambda: spread)


def hours(count: int) -> list[float]:
    """Return moments far enough apart to be different incidents."""
    return [NOON + 3600 * hour for hour in range(count)]


def test_a_row_forgets_all_trouble() -> None:
    assert after_row(fail(Health(), TIMEOUT), NOON, NOON) == Health(last_refresh=NOON, last_success=NOON)


def test_an_older_row_is_a_success_but_does_not_say_that_yesterday_came() -> None:
    waiting = fail(Health(), NOT_READY)
    health = after_older_row(waiting, NOON + 1)
    assert (health.reason, health.last_success, health.up) == (Reason.NOT_READY, NOON + 1, True)


def test_a_failure_keeps_the_last_success() -> None:
    health = fail(Health(last_refresh=NOON - 60, last_success=NOON - 60), TIMEOUT)
    assert (health.up, health.last_success, health.last_refresh) == (False, NOON - 60, NOON)
    assert health.resume_at is None


def test_a_run_of_failures_began_with_its_first_and_ends_with_an_answer() -> None:
    health = fail(fail(Health(), TIMEOUT), REFUSED, NOON + 3600)
    assert (health.failing_since, health.failure) == (NOON, REFUSED)
    assert fail(health, NOT_READY, NOON + 7200).failing_since is None
    assert after_row(health, NOON + 7200, NOON + 7200).failing_since is None


def test_not_ready_is_an_answer() -> None:
    health = fail(Health(), NOT_READY)
    assert (health.up, health.errcode, health.resume_at) == (True, 61503, None)


HOUR, DAY = 3600, 86_400
MIDNIGHT, MONTH = next_midnight(NOON) - NOON, next_month(NOON) - NOON


@pytest.mark.parametrize(
    ("problem", "pauses"),
    [
        pytest.param(REFUSED, [HOUR, 2 * HOUR, 4 * HOUR, 8 * HOUR, 16 * HOUR, DAY, DAY], id="secret"),
        pytest.param(errcode_failure(89506, ""), [DAY, DAY], id="IP refused twice by an administrator"),
        pytest.param(STALE, [10, 20, 40, 80, 160, 320, 640, 1280, 2560, HOUR, HOUR], id="token, renewed"),
        pytest.param(SPENT, [MIDNIGHT, MIDNIGHT - HOUR], id="quota of the day"),
        pytest.param(errcode_failure(45040, ""), [MONTH, MONTH - HOUR], id="quota of the month"),
        pytest.param(HURRIED, [60, 120], id="quota of the minute"),
    ],
)
def test_what_is_refused_is_paused_for_longer_each_time(problem: Failure, pauses: list[float]) -> None:
    health, found = Health(), []
    for now in hours(len(pauses)):
        health = fail(health, problem, now)
        assert health.resume_at is not None
        found.append(health.resume_at - now)
    assert found == pauses


def test_a_passing_network_fault_does_not_shorten_the_growing_pause() -> None:
    first, second, third = hours(3)
    health = fail(fail(fail(Health(), REFUSED, first), TIMEOUT, second), REFUSED, third)
    assert health.resume_at == third + 2 * 3600


def test_after_an_answer_the_pauses_begin_short_again() -> None:
    first, second, third = hours(3)
    health = fail(fail(fail(Health(), REFUSED, first), NOT_READY, second), REFUSED, third)
    assert health.resume_at == third + 3600


def test_one_incident_that_refuses_several_calls_under_way_counts_once() -> None:
    began = NOON - 1
    first = after_failure(Health(), REFUSED, began, NOON, lambda: 0.0)
    second = after_failure(first, REFUSED, began, NOON + 0.1, lambda: 0.0)
    assert second is first
    assert first.resume_at == NOON + 3600


def test_a_row_of_a_call_begun_before_the_refusal_does_not_lift_the_pause() -> None:
    refused = fail(Health(), REFUSED)
    health = after_row(refused, NOON - 1, NOON + 1)
    assert (health.up, health.resume_at, health.last_success) == (False, NOON + 3600, NOON + 1)


def test_pauses_are_spread_so_that_apps_do_not_come_back_together() -> None:
    assert fail(Health(), REFUSED, spread=0.5).resume_at == NOON + 3600 * 1.05


def test_apps_come_back_spread_over_ten_minutes_after_a_quotas_midnight() -> None:
    late = fail(Health(), SPENT, spread=0.999).resume_at
    assert late is not None
    assert next_midnight(NOON) < late < next_midnight(NOON) + 600


@pytest.mark.parametrize(
    ("problem", "delays"),
    [
        (TIMEOUT, [1.5, 2.5]),
        (HURRIED, [61.5, 62.5]),
        (replace(TIMEOUT, reason=Reason.HTTP_STATUS, retry_after=60.0), [61.5, 62.5]),
    ],
    ids=["timeout", "quota of the minute", "Retry-After"],
)
def test_retries_come_soon_or_when_the_server_asks_for_them_later_each_time_and_end(
    problem: Failure, delays: list[float]
) -> None:
    found = [retry_delay(problem, attempt, lambda: 0.5) for attempt in range(1, ATTEMPTS + 1)]
    assert found == [*delays, None]


@pytest.mark.parametrize("code", sorted(ERRCODES), ids=str)
def test_every_errcode_leads_to_exactly_what_its_action_says(code: int) -> None:
    problem = errcode_failure(code, "")
    health = fail(Health(), problem)
    paused = set(Action) - {Action.RETRY, Action.NEXT_ROUND}
    assert (health.resume_at is not None) == (problem.action in paused)
    retried = {Action.RETRY, Action.RETRY_NEXT_MINUTE}
    assert (retry_delay(problem, 1, lambda: 0.5) is not None) == (problem.action in retried)
    assert outlasts_date(problem) == (problem.action in paused)


# What time or the operator corrects

NO_FILE = failure(Reason.TOKEN_REJECTED, "no such file")
NO_TICKET = errcode_failure(61006, "component ticket is invalid")
LATE = errcode_failure(61503, "data not ready")


def tries(problem: Failure, interval: float = 3600.0, count: int = 12) -> list[float]:
    """Return the seconds between the tries of an app that fails each time."""
    health, now, waits = Health(), NOON, []
    for _ in range(count):
        health = after_failure(health, problem, now, now, lambda: 0.0, interval)
        if health.next_try is None:
            break
        waits.append(health.next_try.left(now))
        now += waits[-1]
    return waits


@pytest.mark.parametrize("problem", [TIMEOUT, NO_FILE, NO_TICKET, failure(Reason.NETWORK, "no route")])
def test_what_time_or_the_operator_corrects_is_tried_soon_and_then_later_up_to_the_interval(
    problem: Failure,
) -> None:
    assert tries(problem)[:8] == [30, 60, 120, 240, 480, 960, 1920, 3600]


@pytest.mark.parametrize(
    "problem", [LATE, failure(Reason.EMPTY, "no row"), errcode_failure(61501, ""), errcode_failure(99999, "")]
)
def test_what_wechat_has_answered_waits_for_the_next_round(problem: Failure) -> None:
    assert tries(problem) == []


def test_the_retries_of_one_round_are_one_failure() -> None:
    health = fail(fail(fail(Health(), TIMEOUT), TIMEOUT, NOON + 1), TIMEOUT, NOON + 3)
    assert health.next_try is not None
    assert health.next_try.left(NOON + 3) == 30


def test_another_kind_of_failure_is_tried_soon() -> None:
    health = fail(fail(Health(), REFUSED), TIMEOUT, NOON + 3600)
    assert health.next_try is not None
    assert health.next_try.left(NOON + 3600) == 30


def test_a_server_that_asks_for_time_is_given_it() -> None:
    health = fail(Health(), replace(TIMEOUT, retry_after=600.0))
    assert health.next_try is not None
    assert health.next_try.left(NOON) == 600


def test_a_pause_made_by_a_clock_a_day_ahead_is_over_once_the_clock_is_right() -> None:
    for problem in (REFUSED, SPENT, HURRIED):
        health = fail(Health(), problem, NOON + 86_400)
        assert health.paused(NOON + 86_400)
        assert not health.paused(NOON)


def test_what_comes_after_a_refusal_by_a_clock_a_day_ahead_counts() -> None:
    for problem in (REFUSED, SPENT, HURRIED):
        health = fail(Health(), problem, NOON + 86_400)
        assert after_row(health, NOON, NOON + 1) == Health(last_refresh=NOON + 1, last_success=NOON + 1)
        assert fail(health, TIMEOUT, NOON).failure == TIMEOUT


@pytest.mark.parametrize("attempt", [1, 2])
def test_waits_double_with_a_part_at_random(attempt: int) -> None:
    delays = [retry_delay(TIMEOUT, attempt, lambda part=part: part) for part in (0.0, 0.999)]  # type: ignore[misc]
    assert delays == [2 ** (attempt - 1), 2 ** (attempt - 1) + 0.999]
