"""Refusals that outlive a restart, so that restarts do not repeat refused calls.

A refusal is kept until its credential changes or its time ends. One that concerns this machine (its IP
address) is not kept: the exporter may restart on another machine, and others with the same storage run
elsewhere.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from exporter.datasets.daily_trend import DAILY_TREND
from exporter.not_before import NotBefore
from exporter.store.entry import Health
from exporter.wechat.failures.advice import Advice
from exporter.wechat.failures.failure import Action, Failure, Reason

_LONGEST: Final = 32 * 86_400.0  # longest seconds from a refusal to its end, as for a month's quota
_AHEAD: Final = 300.0
_MOST_STRIKES: Final = 1000


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refusal of an app's dataset and its end; times are Unix times.

    `fingerprint`: that of the refused credential; None if time alone helps, as with a quota. `strikes`:
    refusals in a row, which lengthen the next pause.
    """

    failure: Failure
    refused_at: float
    until: float
    strikes: int = 0
    fingerprint: bytes | None = None
    failing_since: float | None = None

    @property
    def of_this_machine(self) -> bool:
        """Return whether the refusal may not hold for another machine, or for this one after a restart."""
        return self.failure.reason is Reason.IP_NOT_ALLOWED


def refusal_key(appid: str, dataset: str) -> str:
    """Return the key of a refusal in storages; the daily trend's lacks the dataset, as in old ones."""
    return appid if dataset == DAILY_TREND.name else f"{appid}/{dataset}"


def refusal_of(health: Health) -> Refusal | None:
    """Return the refusal to store for a health; None if a restart may ask for the dataset."""
    failure, refused_at, until = health.failure, health.last_refresh, health.resume_at
    if failure is None or refused_at is None or until is None or until <= refused_at:
        return None
    if failure.action in (Action.RENEW_TOKEN, Action.RETRY_NEXT_MINUTE):  # over soon
        return None
    return Refusal(failure, refused_at, until, health.strikes, health.fingerprint, health.failing_since)


def health_of(refusal: Refusal, last_success: float | None) -> Health:
    """Return the health of an app's dataset for a stored refusal."""
    return Health(
        last_refresh=refusal.refused_at,
        last_success=last_success,
        failure=refusal.failure,
        failing_since=refusal.failing_since,
        next_try=NotBefore.until(refusal.until, refusal.refused_at),
        strikes=refusal.strikes,
        fingerprint=refusal.fingerprint,
    )


def refusal_text(refusal: Refusal) -> str:
    """Return a refusal as a text to store, without secrets."""
    failure, fingerprint = refusal.failure, refusal.fingerprint
    written = {
        "reason": failure.reason,
        "action": failure.action,
        "advice": [failure.advice.en, failure.advice.zh],
        "detail": failure.detail,
        "errcode": failure.errcode,
        "refused_at": refusal.refused_at,
        "until": refusal.until,
        "strikes": refusal.strikes,
        "fingerprint": None if fingerprint is None else fingerprint.hex(),
        "failing_since": refusal.failing_since,
    }
    return json.dumps({key: value for key, value in written.items() if value is not None}, ensure_ascii=False)


def read_refusal(text: object, now: float) -> Refusal | None:
    """Parse a stored refusal; return None if it is over, damaged, or from a wrong clock."""
    try:
        refusal = _read(json.loads(str(text)))
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        return None
    holds = refusal.refused_at <= now + _AHEAD and now < refusal.until <= refusal.refused_at + _LONGEST
    return refusal if holds else None


def _read(written: Mapping[str, Any]) -> Refusal:
    english, chinese = written["advice"]
    fingerprint, since = written.get("fingerprint"), written.get("failing_since")
    errcode = written.get("errcode")
    return Refusal(
        Failure(
            Reason(written["reason"]),
            Action(written["action"]),
            Advice(_printable(english), _printable(chinese)),
            _printable(written["detail"]),
            None if errcode is None else int(errcode),
        ),
        float(written["refused_at"]),
        float(written["until"]),
        max(0, min(int(written["strikes"]), _MOST_STRIKES)),
        None if fingerprint is None else bytes.fromhex(fingerprint),
        None if since is None else float(since),
    )


def _printable(found: str) -> str:
    if not found.isprintable():
        raise ValueError("not printable")
    return found
