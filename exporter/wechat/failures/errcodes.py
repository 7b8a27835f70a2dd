"""WeChat's error codes with their meanings and the exporter's actions, from errcodes.yaml."""

import re
from dataclasses import dataclass, replace
from typing import Final

from exporter.package_data import read_table
from exporter.wechat.failures import advice
from exporter.wechat.failures.advice import ADVICE, Advice
from exporter.wechat.failures.failure import Action, Failure, Reason

_NAMED_IN_TEXT: Final = re.compile(r"err[Cc]ode[\"']?[ :=]+[\"']?(-?[0-9]{1,9})\b")


@dataclass(frozen=True, slots=True)
class Errcode:
    """A row of the table: WeChat's code (None for none), its meaning and the exporter's action."""

    code: int | None
    reason: Reason
    action: Action
    cause: str
    advice: Advice

    @property
    def failure(self) -> Failure:
        """Return the failure for the code, without WeChat's words."""
        return Failure(self.reason, self.action, self.advice, "", self.code)


def _row(code: int | None, reason: str, action: str, cause: str, advice_name: str) -> Errcode:
    return Errcode(code, Reason(reason), Action(action), cause, ADVICE[advice_name])


_TABLES: Final = read_table(__package__, "errcodes.yaml")
ERRCODES: Final[dict[int, Errcode]] = {code: _row(code, *row) for code, row in _TABLES["errcodes"].items()}
CODELESS: Final = tuple(_row(None, *row) for row in _TABLES["without_errcode"])
"""Failures without a code; the usual one of each reason comes first."""
_USUAL: Final = {row.reason: row for row in reversed(CODELESS)}


def failure(reason: Reason, detail: str, action: Action | None = None, text: Advice | None = None) -> Failure:
    """Make a failure for which WeChat gave no errcode; `detail` says what happened, without secrets.

    The reason has a usual action and a usual advice; `text` is a more specific one.
    """
    usual = _USUAL[reason]
    return Failure(reason, action or usual.action, text or usual.advice, detail)


def errcode_failure(errcode: int, errmsg: str, *, asking_for_token: bool = False) -> Failure:
    """Make the failure for a code of WeChat's, with its whole text: support asks for the tail (rid, hint).

    `asking_for_token`: whether the call was for a token, so that codes about a token mean a wrong secret.
    """
    detail = f"errcode {errcode}: {_printable(errmsg)}"
    if errcode < 0 and (inside := _thrown(errmsg)) is not None:
        return of_function(Failure(inside.reason, inside.action, inside.advice, detail, inside.code))
    row = ERRCODES.get(errcode)
    if row is None:
        return Failure(Reason.UNKNOWN_ERRCODE, Action.NEXT_ROUND, advice.UNKNOWN, detail, errcode)
    if asking_for_token and row.action is Action.RENEW_TOKEN:
        return Failure(Reason.INVALID_SECRET, Action.SUSPEND, advice.SECRET, detail, errcode)
    return Failure(row.reason, row.action, row.advice, detail, errcode)


def of_function(inside: Failure) -> Failure:
    """Convert a failure inside a cloud function, where a refused token is not the one that we sent."""
    if inside.action is not Action.RENEW_TOKEN:
        return inside
    return replace(inside, action=Action.NEXT_ROUND, advice=advice.CLOUD_FUNCTION)


def _thrown(errmsg: str) -> Errcode | None:
    """Return the row for the code that a cloud function's error text names; None without one."""
    named = [ERRCODES[code] for code in map(int, _NAMED_IN_TEXT.findall(errmsg)) if code in ERRCODES]
    return named[-1] if named else None


def _printable(text: str) -> str:
    """Replace control characters, unpaired surrogates and direction marks by blanks."""
    return " ".join("".join(c if c.isprintable() and c != "\ufffd" else " " for c in text).split())
