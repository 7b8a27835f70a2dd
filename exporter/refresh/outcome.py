"""What follows from an answer: the app's next health, and when it may be asked again."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from tenacity import RetryCallState, wait_exponential_jitter

from exporter.store.entry import Health
from exporter.trend import next_midnight, next_month
from exporter.wechat.errors import Action, Failure, Reason

ATTEMPTS: Final = 3
"""How often a call is made in one round before the next round has to do."""

_OF_ONE_DATE: Final = frozenset({Reason.NOT_READY, Reason.EMPTY, Reason.MALFORMED, Reason.DATE_RANGE})
_RETRY_WAIT: Final = wait_exponential_jitter(initial=1, max=60, jitter=1)
_MINUTE: Final = 60.0
_FIRST_PAUSE: Final = {Action.SUSPEND: 3600.0, Action.SUSPEND_DAY: 86_400.0, Action.RENEW_TOKEN: 10.0}
_LONGEST_PAUSE: Final = {Action.SUSPEND: 86_400.0, Action.SUSPEND_DAY: 86_400.0, Action.RENEW_TOKEN: 3600.0}
PAUSING: Final = frozenset(_FIRST_PAUSE)
"""Actions after which an app is asked again later and later: WeChat refused it."""

_SPREAD: Final = 0.1  # pauses are up to a tenth longer, so that apps do not come back in one crowd
_AFTER_MIDNIGHT: Final = 600.0  # seconds over which apps come back after a quota's midnight

Random = Callable[[], float]
"""Gives a number from 0 up to 1."""


def after_row(health: Health, began: float, now: float) -> Health:
    """The health of an app whose newest row has just come, from a call made at `began`."""
    if refused_since(health, began):
        return after_older_row(health, now)
    return Health(last_refresh=now, last_success=now)


def after_older_row(health: Health, now: float) -> Health:
    """The same for an older date's row, which says nothing about yesterday's."""
    return replace(health, last_success=now)


def after_failure(health: Health, failure: Failure, began: float, now: float, random: Random) -> Health:
    """The health of an app whose call, made at `began`, has just failed (or has no row yet).

    Calls for several dates are under way at once: one incident that refuses them all counts once.
    """
    if refused_since(health, began):
        return health
    strikes = 0 if failure.reason.is_state else health.strikes + (failure.action in _FIRST_PAUSE)
    return replace(
        health,
        last_refresh=now,
        failure=failure,
        failing_since=None if failure.reason.is_state else now if health.up else health.failing_since,
        resume_at=_resume_at(failure.action, strikes, now, random),
        strikes=strikes,
        fingerprint=None,
        lifted=False,
    )


def refused_since(health: Health, began: float) -> bool:
    """Whether another call had WeChat refuse the app after `began` (Unix time)."""
    return health.resume_at is not None and health.last_refresh is not None and health.last_refresh >= began


def retry_delay(failure: Failure, attempt: int) -> float | None:
    """Seconds until the call may be made again in this round; None: not in this round.

    What a server asks for by Retry-After is waited for; it may be longer than the round.
    """
    if attempt >= ATTEMPTS:
        return None
    if failure.action is Action.RETRY_NEXT_MINUTE:
        return _MINUTE + _jittered(attempt)
    wait = failure.retry_after or 0.0
    return wait + _jittered(attempt) if failure.action is Action.RETRY else None


def concerns_app(failure: Failure) -> bool:
    """Whether the failure is about the app, not just about the date that was asked for."""
    return failure.action not in (Action.NEXT_ROUND, Action.RETRY)


def concerns_date(failure: Failure) -> bool:
    """Whether the failure is about the date alone: the app's other dates may well have rows."""
    return failure.action is Action.NEXT_ROUND and failure.reason in _OF_ONE_DATE


def _jittered(attempt: int) -> float:
    state = RetryCallState(retry_object=None, fn=None, args=(), kwargs={})  # type: ignore[arg-type]
    state.attempt_number = attempt
    return _RETRY_WAIT(state)


def _resume_at(action: Action, strikes: int, now: float, random: Random) -> float | None:
    if action is Action.NEXT_DAY:
        return next_midnight(now) + random() * _AFTER_MIDNIGHT
    if action is Action.NEXT_MONTH:
        return next_month(now) + random() * _AFTER_MIDNIGHT
    if action is Action.RETRY_NEXT_MINUTE:
        return now + _MINUTE
    if action in _FIRST_PAUSE:
        pause = min(_FIRST_PAUSE[action] * 2.0 ** (strikes - 1), _LONGEST_PAUSE[action])
        return now + pause * (1 + _SPREAD * random())
    return None
