"""The health that an answer leaves, and when its call may be made again."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from exporter.beijing import next_midnight, next_month
from exporter.not_before import NotBefore, back_off
from exporter.store.entry import Health
from exporter.wechat.failures.failure import Action, Failure, Reason

ATTEMPTS: Final = 3
"""How often a call is made in one round before it is left for later."""

_OF_ONE_DATE: Final = frozenset({Reason.NOT_READY, Reason.EMPTY, Reason.MALFORMED, Reason.DATE_RANGE})
_MINUTE: Final = 60.0
_LONGEST_RETRY: Final = 60.0
_FIRST_RETRY: Final = {Action.RETRY: 30.0, Action.NEXT_ROUND: 30.0, Action.RETRY_NEXT_MINUTE: _MINUTE}
_PAUSES: Final = {  # seconds: the first one, doubled by each refusal up to the longest one
    Action.SUSPEND: (3600.0, 86_400.0),
    Action.SUSPEND_DAY: (86_400.0, 86_400.0),
    Action.RENEW_TOKEN: (10.0, 3600.0),
}
_SPREAD: Final = 0.1  # pauses are up to a tenth longer, so that apps do not come back in one crowd
_AFTER_MIDNIGHT: Final = 600.0  # seconds over which apps come back after a quota's midnight

Random = Callable[[], float]
"""Gives a number from 0 up to 1."""


def after_row(health: Health, began: float, now: float) -> Health:
    """Return the health once the newest row has come, by a call made at `began`."""
    if _refused_since(health, began, now):
        return after_older_row(health, now)
    return Health(last_refresh=now, last_success=now)


def after_older_row(health: Health, now: float) -> Health:
    """Return the health once an older row has come, which says nothing about the newest."""
    return replace(health, last_success=now)


def after_failure(
    health: Health, failure: Failure, began: float, now: float, random: Random, interval: float = 3600.0
) -> Health:
    """Return the health once a call, made at `began`, has failed (or has no row yet).

    Calls for several dates are under way at once: one incident that refuses them all counts once. What time
    or the operator corrects is tried again soon, then later and later up to `interval`, the seconds between
    rounds.
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
    """Return the seconds until the call may be made again in this round; None: not in this round.

    What a server asks for by Retry-After is waited for; it may be longer than the round.
    """
    if attempt >= ATTEMPTS or failure.action not in (Action.RETRY, Action.RETRY_NEXT_MINUTE):
        return None
    least = _MINUTE if failure.action is Action.RETRY_NEXT_MINUTE else failure.retry_after or 0.0
    return least + back_off(1.0, attempt, _LONGEST_RETRY) + random()


def outlasts_date(failure: Failure) -> bool:
    """Return whether the failure is about more than the date that was asked for."""
    return failure.action not in (Action.NEXT_ROUND, Action.RETRY)


def concerns_date(failure: Failure) -> bool:
    """Return whether the failure is about the date alone: other dates may well have rows."""
    return failure.action is Action.NEXT_ROUND and failure.reason in _OF_ONE_DATE


def _refused_since(health: Health, began: float, now: float) -> bool:
    """Whether another call had WeChat refuse this from `began` to `now` (Unix times).

    A refusal of the future is of a clock that was ahead: what comes after it counts.
    """
    if health.resume_at is None or health.last_refresh is None:
        return False
    return began <= health.last_refresh <= now


def _passes(failure: Failure) -> bool:
    """Whether time or the operator corrects it, as with a network or a file; not what WeChat has answered."""
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
    """Seconds: twice the last wait, or just as long where that was not over, as in one round."""
    before = health.next_try
    if before is None or health.failure is None or not _passes(health.failure):
        return 0.0
    return before.span * 2 if before.reached(now) else before.span
