"""What follows from an answer: the app's next health, and when it may be asked again."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from exporter.beijing import next_midnight, next_month
from exporter.not_before import NotBefore
from exporter.store.entry import Health
from exporter.wechat.failures.failure import Action, Failure, Reason

ATTEMPTS: Final = 3
"""How often a call is made in one round before it is left for later."""

_OF_ONE_DATE: Final = frozenset({Reason.NOT_READY, Reason.EMPTY, Reason.MALFORMED, Reason.DATE_RANGE})
_OF_ACCOUNT: Final = frozenset(
    {
        Reason.TOKEN_REJECTED,
        Reason.INVALID_APPID,
        Reason.INVALID_SECRET,
        Reason.IP_NOT_ALLOWED,
        Reason.ACCOUNT,
        Reason.THIRD_PARTY_TICKET,
        Reason.THIRD_PARTY_REFRESH_TOKEN,
    }
)
_MINUTE: Final = 60.0
_LONGEST_RETRY: Final = 60.0
_FIRST_RETRY: Final = {Action.RETRY: 30.0, Action.NEXT_ROUND: 30.0, Action.RETRY_NEXT_MINUTE: _MINUTE}
_FIRST_PAUSE: Final = {Action.SUSPEND: 3600.0, Action.SUSPEND_DAY: 86_400.0, Action.RENEW_TOKEN: 10.0}
_LONGEST_PAUSE: Final = {Action.SUSPEND: 86_400.0, Action.SUSPEND_DAY: 86_400.0, Action.RENEW_TOKEN: 3600.0}
_SPREAD: Final = 0.1  # pauses are up to a tenth longer, so that apps do not come back in one crowd
_AFTER_MIDNIGHT: Final = 600.0  # seconds over which apps come back after a quota's midnight

Random = Callable[[], float]
"""Gives a number from 0 up to 1."""


def after_row(health: Health, began: float, now: float) -> Health:
    """The health of an app whose newest row has just come, from a call made at `began`."""
    if refused_since(health, began, now):
        return after_older_row(health, now)
    return Health(last_refresh=now, last_success=now)


def after_older_row(health: Health, now: float) -> Health:
    """The same for an older date's row, which says nothing about yesterday's."""
    return replace(health, last_success=now)


def after_failure(
    health: Health, failure: Failure, began: float, now: float, random: Random, interval: float = 3600.0
) -> Health:
    """The health of an app whose call, made at `began`, has just failed (or has no row yet).

    Calls for several dates are under way at once: one incident that refuses them all counts once. What time
    or the operator mends is tried again soon, then later and later up to `interval`, the seconds between
    rounds.
    """
    if refused_since(health, began, now):
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


def refused_since(health: Health, began: float, now: float) -> bool:
    """Whether another call had WeChat refuse the app from `began` to `now` (Unix times).

    A refusal of the future is of a clock that was ahead: what comes after it counts.
    """
    if health.resume_at is None or health.last_refresh is None:
        return False
    return began <= health.last_refresh <= now


def retry_delay(failure: Failure, attempt: int, random: Random) -> float | None:
    """Seconds until the call may be made again in this round; None: not in this round.

    What a server asks for by Retry-After is waited for; it may be longer than the round.
    """
    if attempt >= ATTEMPTS or failure.action not in (Action.RETRY, Action.RETRY_NEXT_MINUTE):
        return None
    least = _MINUTE if failure.action is Action.RETRY_NEXT_MINUTE else failure.retry_after or 0.0
    return least + back_off(attempt, random)


def back_off(attempt: int, random: Random) -> float:
    """Seconds to wait after that many attempts: doubled each time, with a part at random."""
    return min(2.0 ** (attempt - 1) + random(), _LONGEST_RETRY)


def concerns_app(failure: Failure) -> bool:
    """Whether the failure is about the app, not just about the date that was asked for."""
    return failure.action not in (Action.NEXT_ROUND, Action.RETRY)


def concerns_account(failure: Failure) -> bool:
    """Whether WeChat refuses all of the app's datasets, not just the one that was asked for."""
    return failure.reason in _OF_ACCOUNT


def concerns_date(failure: Failure) -> bool:
    """Whether the failure is about the date alone: the app's other dates may well have rows."""
    return failure.action is Action.NEXT_ROUND and failure.reason in _OF_ONE_DATE


def _is_mended(failure: Failure) -> bool:
    """Whether time or the operator mends it: a line, a file, a service; not what WeChat has answered."""
    if failure.action is Action.NEXT_ROUND:
        return failure.reason not in _OF_ONE_DATE and failure.reason is not Reason.UNKNOWN_ERRCODE
    return failure.action in (Action.RETRY, Action.RETRY_NEXT_MINUTE)


def _next_try(
    health: Health, failure: Failure, strikes: int, now: float, random: Random, interval: float
) -> NotBefore | None:
    action = failure.action
    if action is Action.NEXT_DAY:
        return NotBefore.until(next_midnight(now) + random() * _AFTER_MIDNIGHT, now)
    if action is Action.NEXT_MONTH:
        return NotBefore.until(next_month(now) + random() * _AFTER_MIDNIGHT, now)
    if action in _FIRST_PAUSE:
        pause = min(_FIRST_PAUSE[action] * 2.0 ** (strikes - 1), _LONGEST_PAUSE[action])
        return NotBefore.until(now + pause * (1 + _SPREAD * random()), now)
    if _is_mended(failure):
        wait = max(_FIRST_RETRY[action], failure.retry_after or 0.0)
        return NotBefore.until(now + max(wait, min(_grown(health, now), interval)), now)
    return None


def _grown(health: Health, now: float) -> float:
    """Seconds: twice the last wait, or the same where that was not over, as in one and the same round."""
    before = health.next_try
    if before is None or health.failure is None or not _is_mended(health.failure):
        return 0.0
    return before.span * 2 if before.reached(now) else before.span
