"""The health after an answer, and the time until its call may be repeated: waits and pauses."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from exporter.beijing import next_midnight, next_month
from exporter.not_before import NotBefore, back_off
from exporter.store.entry import Health
from exporter.wechat.failures.failure import Action, Failure, Reason

ATTEMPTS: Final = 3
"""Attempts at a call in one round."""

_OF_ONE_DATE: Final = frozenset({Reason.NOT_READY, Reason.EMPTY, Reason.MALFORMED, Reason.DATE_RANGE})
_MINUTE: Final = 60.0
_LONGEST_RETRY: Final = 60.0
_FIRST_RETRY: Final = {Action.RETRY: 30.0, Action.NEXT_ROUND: 30.0, Action.RETRY_NEXT_MINUTE: _MINUTE}
_PAUSES: Final = {  # seconds; doubled by each refusal, up to the longest
    Action.SUSPEND: (3600.0, 86_400.0),
    Action.SUSPEND_DAY: (86_400.0, 86_400.0),
    Action.RENEW_TOKEN: (10.0, 3600.0),
}
_SPREAD: Final = 0.1  # random extra of a pause, so that apps do not return all at once
_AFTER_MIDNIGHT: Final = 600.0  # seconds over which apps return after a quota's midnight

Random = Callable[[], float]
"""A source of random numbers in [0, 1)."""


def after_row(health: Health, began: float, now: float) -> Health:
    """Return the health after the newest row, from a call made at `began`."""
    if _refused_since(health, began, now):
        return after_older_row(health, now)
    return Health(last_refresh=now, last_success=now)


def after_older_row(health: Health, now: float) -> Health:
    """Return the health after an older row, which says nothing about the newest."""
    return replace(health, last_success=now)


def after_failure(
    health: Health, failure: Failure, began: float, now: float, random: Random, interval: float = 3600.0
) -> Health:
    """Return the health after a call, made at `began`, that failed or had no row yet.

    Several dates' calls run at once, and an incident that refuses them all counts once. A failure that time
    or the operator may end gets a retry soon, then ever later, up to `interval`, the seconds between rounds.
    """
    if _refused_since(health, began, now):
        return health
    strikes = 0 if failure.reason.is_state else health.strikes + failure.action.refuses
    return replace(
        health,
        last_refresh=now,
        failure=failure,
        failing_since=None if failure.reason.is_state else now if health.up else health.failing_since,
        next_try=_next_try(health, failure, strikes, now, random, interval),
        strikes=strikes,
        fingerprint=None,
    )


def retry_delay(failure: Failure, attempt: int, random: Random) -> float | None:
    """Return the seconds until the call may be repeated in this round; None for not in this round.

    A server's Retry-After counts, even beyond the end of the round.
    """
    if attempt >= ATTEMPTS or failure.action not in (Action.RETRY, Action.RETRY_NEXT_MINUTE):
        return None
    least = _MINUTE if failure.action is Action.RETRY_NEXT_MINUTE else failure.retry_after or 0.0
    return least + back_off(1.0, attempt, _LONGEST_RETRY) + random()


def outlasts_date(failure: Failure) -> bool:
    """Return whether the failure concerns more than the date of the call."""
    return failure.action not in (Action.NEXT_ROUND, Action.RETRY)


def concerns_date(failure: Failure) -> bool:
    """Return whether the failure concerns the date alone, so that other dates may have rows."""
    return failure.action is Action.NEXT_ROUND and failure.reason in _OF_ONE_DATE


def fails_as_a_whole(health: Health, began: float, now: float) -> bool:
    """Return whether all dates failed, before the call at `began` that was answered at `now`."""
    failure = health.failure
    return failure is not None and not concerns_date(failure) and not _refused_since(health, began, now)


def _refused_since(health: Health, began: float, now: float) -> bool:
    """Return whether another call was refused between `began` and `now` (Unix times).

    A refusal in the future comes from a fast clock: later ones count.
    """
    if health.resume_at is None or health.last_refresh is None:
        return False
    return began <= health.last_refresh <= now


def _passes(failure: Failure) -> bool:
    """Return whether time or the operator may end the failure, as with a network or a file."""
    if failure.action is Action.NEXT_ROUND:
        return failure.reason not in _OF_ONE_DATE and failure.reason is not Reason.UNKNOWN_ERRCODE
    return failure.action in (Action.RETRY, Action.RETRY_NEXT_MINUTE)


def _next_try(
    health: Health, failure: Failure, strikes: int, now: float, random: Random, interval: float
) -> NotBefore | None:
    action = failure.action
    if action in (Action.NEXT_DAY, Action.NEXT_MONTH):
        end = next_midnight(now) if action is Action.NEXT_DAY else next_month(now)
        return NotBefore.until(end + random() * _AFTER_MIDNIGHT, now)
    if action in _PAUSES:
        first, longest = _PAUSES[action]
        pause = back_off(first, strikes, longest)
        return NotBefore.after(pause * (1 + _SPREAD * random()), now)
    if _passes(failure):
        wait = max(_FIRST_RETRY[action], failure.retry_after or 0.0)
        return NotBefore.after(max(wait, min(_grown(health, now), interval)), now)
    return None


def _grown(health: Health, now: float) -> float:
    """Return twice the last wait in seconds, or the last wait if it was not over, as within a round."""
    before = health.next_try
    if before is None or health.failure is None or not _passes(health.failure):
        return 0.0
    return before.span * 2 if before.reached(now) else before.span
