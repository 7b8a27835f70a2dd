"""What can be wrong with a simulated app, and the board on which it is switched.

`BEHAVIOURS` is the single table: the calls a fault can be on, its errcode, its meaning.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from exporter.datasets.catalogue import BY_NAME
from exporter.datasets.quota import QUOTA


class Call(StrEnum):
    """The two kinds of call that an exporter makes."""

    TOKEN = "token"  # noqa: S105 - no password
    DATA = "data"


class Fault(StrEnum):
    """A fault or an oddity that can be switched on for one app; `BEHAVIOURS` tells each one's meaning."""

    NONE = "none"
    HANG = "hang"
    DRIP = "drip"
    SLOW = "slow"
    RESET = "reset"
    CUT_SHORT = "cut_short"
    HTTP_502 = "http_502"
    HTML_200 = "html_200"
    REDIRECT = "redirect"
    MALFORMED_JSON = "malformed_json"
    TRUNCATED_JSON = "truncated_json"
    NOT_AN_OBJECT = "not_an_object"
    GIANT = "giant"
    GZIP_BOMB = "gzip_bomb"
    DIRTY_TEXT = "dirty_text"
    WRONG_DATE = "wrong_date"
    NULL_FIGURE = "null_figure"
    NEGATIVE = "negative"
    BOOL_FIGURE = "bool_figure"
    NAN = "nan"
    FRACTIONAL_COUNT = "fractional_count"
    ABOVE_COHORT = "above_cohort"
    OBJECT_LIST = "object_list"
    TWO_ROWS = "two_rows"
    CAMEL_CASE = "camel_case"
    STRINGS = "strings"
    EMPTY = "empty"
    NOT_READY = "not_ready"
    BUSY = "busy"
    BUSY_DATA = "busy_data"
    QUOTA_DAILY = "quota_daily"
    QUOTA_MINUTE = "quota_minute"
    TOKEN_REJECTED = "token_rejected"  # noqa: S105 - no password
    TOKEN_REJECTED_ONCE = "token_rejected_once"  # noqa: S105 - no password
    TOKEN_EXPIRED = "token_expired"  # noqa: S105 - no password
    WRONG_SECRET = "wrong_secret"  # noqa: S105 - no password
    FROZEN_SECRET = "frozen_secret"  # noqa: S105 - no password
    INVALID_APPID = "invalid_appid"
    IP = "ip"
    PERMISSION = "permission"
    FROZEN = "frozen"
    MINI_GAME = "mini_game"
    UNKNOWN_ERRCODE = "unknown_errcode"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a fault does: `calls` it can be on, its usual one first; `times` it acts, None for ever."""

    meaning: str
    calls: tuple[Call, ...] = (Call.DATA, Call.TOKEN)
    errcode: int | None = None
    times: int | None = None


_DATA: Final = (Call.DATA,)
_TOKEN_FIRST: Final = (Call.TOKEN, Call.DATA)
BEHAVIOURS: Final[Mapping[Fault, Behaviour]] = {
    Fault.NONE: Behaviour("healthy"),
    Fault.HANG: Behaviour("takes the request and never answers"),
    Fault.DRIP: Behaviour("sends the head, then one byte of the right body per interval"),
    Fault.SLOW: Behaviour("the right answer, seconds later"),
    Fault.RESET: Behaviour("resets the connection instead of answering"),
    Fault.CUT_SHORT: Behaviour("closes the connection before Content-Length is reached"),
    Fault.HTTP_502: Behaviour("a gateway's HTML page with status 502"),
    Fault.HTML_200: Behaviour("an HTML page with status 200"),
    Fault.REDIRECT: Behaviour("status 307 to /redirected, where calls are counted as endpoint `other`"),
    Fault.MALFORMED_JSON: Behaviour("a complete body that is no JSON"),
    Fault.TRUNCATED_JSON: Behaviour("the first half of the right body, with a Content-Length that fits"),
    Fault.NOT_AN_OBJECT: Behaviour("the JSON text `[]` instead of an object"),
    Fault.GIANT: Behaviour("the right answer padded to 4 MiB"),
    Fault.GZIP_BOMB: Behaviour("the right answer padded to 32 MiB, compressed to some 30 KiB"),
    Fault.DIRTY_TEXT: Behaviour("the right answer beside a text with a control character and bad UTF-8"),
    Fault.WRONG_DATE: Behaviour("the row of the period before the one asked for", _DATA),
    Fault.NULL_FIGURE: Behaviour("visit_uv, or the table's first figure, is null", _DATA),
    Fault.NEGATIVE: Behaviour("visit_pv is negative", _DATA),
    Fault.BOOL_FIGURE: Behaviour("session_cnt is true", _DATA),
    Fault.NAN: Behaviour("visit_depth is NaN, which is no JSON but which many parsers read", _DATA),
    Fault.FRACTIONAL_COUNT: Behaviour("session_cnt has a fraction", _DATA),
    Fault.ABOVE_COHORT: Behaviour("more came back than there were (daily_retention alone)", _DATA),
    Fault.OBJECT_LIST: Behaviour("`list` is the row itself instead of a list", _DATA),
    Fault.TWO_ROWS: Behaviour("`list` has the same row, page, index or key twice", _DATA),
    Fault.CAMEL_CASE: Behaviour("the cloud call's shape: refDate …, errMsg ending :ok; no fault", _DATA),
    Fault.STRINGS: Behaviour("every figure is a numeric text; no fault", _DATA),
    Fault.EMPTY: Behaviour("lists are empty, whatever the period", _DATA),
    Fault.NOT_READY: Behaviour("61503 for the newest period, older ones are there", _DATA, errcode=61503),
    Fault.BUSY: Behaviour("system error", errcode=-1),
    Fault.BUSY_DATA: Behaviour("the data service is busy", _DATA, errcode=61504),
    Fault.QUOTA_DAILY: Behaviour("the day's quota is spent", errcode=45009),
    Fault.QUOTA_MINUTE: Behaviour("the minute's quota is spent", errcode=45011),
    Fault.TOKEN_REJECTED: Behaviour("every token is refused, also a fresh one", _DATA, errcode=40001),
    Fault.TOKEN_REJECTED_ONCE: Behaviour("one call is refused, then healthy", _DATA, errcode=40001, times=1),
    Fault.TOKEN_EXPIRED: Behaviour("one call's token has expired, then healthy", _DATA, 42001, times=1),
    Fault.WRONG_SECRET: Behaviour("the secret was reset", (Call.TOKEN,), errcode=40125),
    Fault.FROZEN_SECRET: Behaviour("the secret is frozen", (Call.TOKEN,), errcode=40243),
    Fault.INVALID_APPID: Behaviour("the appid is unknown", _TOKEN_FIRST, errcode=40013),
    Fault.IP: Behaviour("the caller's IP, named in errmsg, is not on the list", _TOKEN_FIRST, errcode=40164),
    Fault.PERMISSION: Behaviour("the interface is not granted", _DATA, errcode=48001),
    Fault.FROZEN: Behaviour("the account is limited", errcode=50002),
    Fault.MINI_GAME: Behaviour("the app is a mini game", _DATA, errcode=61502),
    Fault.UNKNOWN_ERRCODE: Behaviour("a code no table knows, or the one that is told", errcode=99001),
}


@dataclass(frozen=True, slots=True)
class Active:
    """A fault in force: what it answers, and how many calls it has left (None: no end)."""

    fault: Fault
    errcode: int | None
    left: int | None


class FaultBoard:
    """Which fault is in force on which call of which app, for all datasets (named "") or for one.

    Switched from any thread: every step is one operation on a dict.
    """

    def __init__(self) -> None:
        self._active: dict[tuple[str, Call, str], Active] = {}

    def switch(
        self,
        appid: str,
        fault: Fault,
        *,
        on: Call | None = None,
        times: int | None = None,
        errcode: int | None = None,
        dataset: str = "",
    ) -> None:
        """Put `fault` on one kind of call of the app, in place of what was there.

        Args:
            appid: whose calls.
            fault: NONE without `on` makes both kinds of call healthy.
            on: the kind of call; the fault's usual one if not told.
            times: after that many calls the app is healthy again.
            errcode: another code for a fault that answers with one.
            dataset: the only one that has it, on the data call; its own fault goes before that of all.

        Raises:
            ValueError: the fault cannot be on that call or dataset, or has no errcode; says which can.
        """
        behaviour = BEHAVIOURS[fault]
        if dataset not in ("", *BY_NAME, QUOTA):
            raise ValueError(f"{dataset} is no dataset, allowed: {', '.join((*BY_NAME, QUOTA))}")
        if fault is Fault.NONE:
            for healed in [key for key in self._active.copy() if _matches(key, appid, on, dataset)]:
                self._active.pop(healed, None)
            return
        call = Call.DATA if dataset else on or behaviour.calls[0]
        if call not in behaviour.calls:
            raise ValueError(f"{fault} cannot be on the {call} call, only on: {', '.join(behaviour.calls)}")
        if errcode is not None and behaviour.errcode is None:
            raise ValueError(f"{fault} answers with no errcode, so {errcode} cannot be told")
        if times is not None and times < 1:
            raise ValueError(f"times is {times}, allowed: 1 and more")
        code = behaviour.errcode if errcode is None else errcode
        self._active[appid, call, dataset] = Active(fault, code, times or behaviour.times)

    def take(self, appid: str, call: Call, dataset: str = "") -> Active | None:
        """The fault that this call meets, counted down; None for a healthy one."""
        key = (appid, call, dataset if (appid, call, dataset) in self._active else "")
        active = self._active.get(key)
        if active is None or active.left is None:
            return active
        if active.left > 1:
            self._active[key] = replace(active, left=active.left - 1)
        else:
            self._active.pop(key, None)
        return active

    def shown(self, appid: str) -> dict[str, Fault]:
        """The faults in force on an app, by kind of call, as in `data` and `data weekly_trend`."""
        found = sorted((key, active.fault) for key, active in self._active.copy().items() if key[0] == appid)
        return {f"{call} {dataset}".strip(): fault for (_, call, dataset), fault in found}


def _matches(key: tuple[str, Call, str], appid: str, on: Call | None, dataset: str) -> bool:
    """Whether a fault is on that call of the app, for None on any; dataset "" stands for all."""
    return key[0] == appid and on in (None, key[1]) and dataset in ("", key[2])
