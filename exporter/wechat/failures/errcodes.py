"""WeChat's error codes: what each means and what the exporter does about it, from errcodes.yaml."""

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
    """One row of a table: a code of WeChat's (None: it gave none), what it means and what follows."""

    code: int | None
    reason: Reason
    action: Action
    cause: str
    advice: Advice

    @property
    def failure(self) -> Failure:
        """The failure that it stands for, without WeChat's words."""
        return Failure(self.reason, self.action, self.advice, "", self.code)


def _row(code: int | None, reason: str, action: str, cause: str, advice_name: str) -> Errcode:
    return Errcode(code, Reason(reason), Action(action), cause, ADVICE[advice_name])


_TABLES: Final = read_table(__package__, "errcodes.yaml")
ERRCODES: Final[dict[int, Errcode]] = {code: _row(code, *row) for code, row in _TABLES["errcodes"].items()}
CODELESS: Final = tuple(_row(None, *row) for row in _TABLES["without_errcode"])
"""Failures without a code; of each reason the usual one comes first."""
_USUAL: Final = {row.reason: row for row in reversed(CODELESS)}


def failure(reason: Reason, detail: str, action: Action | None = None, text: Advice | None = None) -> Failure:
    """Make a failure for which WeChat gave no errcode.

    Args:
        reason: why.
        detail: what happened; must hold no secret.
        action: another one than the reason's usual one.
        text: a closer advice than the usual one.
    """
    usual = _USUAL[reason]
    return Failure(reason, action or usual.action, text or usual.advice, detail)


def errcode_failure(errcode: int, errmsg: str, *, asking_for_token: bool = False) -> Failure:
    """Make the failure that a code of WeChat's stands for.

    Args:
        errcode: WeChat's code, not 0.
        errmsg: WeChat's text, whole; its tail (rid, hint) stays, as WeChat's support asks for it.
        asking_for_token: there, a code about the token means that the secret is wrong.
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
    """Make the failure of a call inside a cloud function: a token refused there is not the one we sent."""
    if inside.action is not Action.RENEW_TOKEN:
        return inside
    return replace(inside, action=Action.NEXT_ROUND, advice=advice.CLOUD_FUNCTION)


def _thrown(errmsg: str) -> Errcode | None:
    """Find the code of the call inside a cloud function, which the text of the function's own error names."""
    named = [ERRCODES[code] for code in map(int, _NAMED_IN_TEXT.findall(errmsg)) if code in ERRCODES]
    return named[-1] if named else None


def _printable(text: str) -> str:
    """Blank out control characters, half characters and marks of direction: met, or might be tried."""
    return " ".join("".join(c if c.isprintable() and c != "\ufffd" else " " for c in text).split())
