"""The faults of simulated apps, and the board that switches them."""

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, Self

from exporter.datasets.catalogue import BY_NAME
from exporter.datasets.daily_retention import DAILY_RETENTION
from exporter.datasets.quota import QUOTA


class CallKind(StrEnum):
    """The two kinds of call that an exporter makes."""

    TOKEN = "token"
    DATA = "data"


_ANY: Final = (CallKind.DATA, CallKind.TOKEN)
_DATA: Final = (CallKind.DATA,)
_TOKEN: Final = (CallKind.TOKEN,)
_TOKEN_FIRST: Final = (CallKind.TOKEN, CallKind.DATA)


class Fault(StrEnum):
    """A fault or an oddity that can be switched on for one app.

    `calls`: the kinds of call that it can affect, the usual one first. `errcode`: its answer's code; None if
    it has none. `times`: the number of calls that it affects; None for no limit. `dataset`: the only one that
    has it, if not all.
    """

    meaning: str
    calls: tuple[CallKind, ...]
    errcode: int | None
    times: int | None
    dataset: str

    def __new__(
        cls,
        value: str,
        meaning: str = "",
        calls: tuple[CallKind, ...] = _ANY,
        errcode: int | None = None,
        times: int | None = None,
        dataset: str = "",
    ) -> Self:
        """Create a member that equals its `value`."""
        fault = str.__new__(cls, value)
        fault._value_ = value
        fault.meaning, fault.calls, fault.errcode, fault.times = meaning, calls, errcode, times
        fault.dataset = dataset
        return fault

    NONE = "none", "healthy"
    HANG = "hang", "takes the request and never answers"
    DRIP = "drip", "sends the head, then one byte of the right body per interval"
    SLOW = "slow", "the right answer, seconds later"
    RESET = "reset", "resets the connection instead of answering"
    CUT_SHORT = "cut_short", "closes the connection before Content-Length is reached"
    HTTP_502 = "http_502", "a gateway's HTML page with status 502"
    HTML_200 = "html_200", "an HTML page with status 200"
    REDIRECT = "redirect", "status 307 to /redirected, where calls are counted as endpoint `other`"
    MALFORMED_JSON = "malformed_json", "a complete body that is no JSON"
    TRUNCATED_JSON = "truncated_json", "the first half of the right body, with a Content-Length that fits"
    NOT_AN_OBJECT = "not_an_object", "the JSON text `[]` instead of an object"
    GIANT = "giant", "the right answer padded to 4 MiB"
    GZIP_BOMB = "gzip_bomb", "the right answer padded to 32 MiB, compressed to some 30 KiB"
    DIRTY_TEXT = "dirty_text", "the right answer beside a text with a control character and bad UTF-8"
    WRONG_DATE = "wrong_date", "the row of the period before the one asked for", _DATA
    NULL_FIGURE = "null_figure", "visit_uv, or the table's first figure, is null", _DATA
    NEGATIVE = "negative", "visit_pv is negative", _DATA
    BOOL_FIGURE = "bool_figure", "session_cnt is true", _DATA
    NAN = "nan", "visit_depth is NaN, which is no JSON but which many parsers read", _DATA
    FRACTIONAL_COUNT = "fractional_count", "session_cnt has a fraction", _DATA
    ABOVE_COHORT = "above_cohort", "more came back than there were", _DATA, None, None, DAILY_RETENTION.name
    OBJECT_LIST = "object_list", "`list` is the row itself instead of a list", _DATA
    TWO_ROWS = "two_rows", "`list` has the same row, page, index or key twice", _DATA
    CAMEL_CASE = "camel_case", "the cloud call's shape: refDate …, errMsg ending :ok; no fault", _DATA
    STRINGS = "strings", "every figure is a numeric text; no fault", _DATA
    EMPTY = "empty", "lists are empty, whatever the period", _DATA
    NOT_READY = "not_ready", "61503 for the newest period, older ones are there", _DATA, 61503
    BUSY = "busy", "system error", _ANY, -1
    BUSY_DATA = "busy_data", "the data service is busy", _DATA, 61504
    QUOTA_DAILY = "quota_daily", "the day's quota is spent", _ANY, 45009
    QUOTA_MINUTE = "quota_minute", "the minute's quota is spent", _ANY, 45011
    TOKEN_REJECTED = "token_rejected", "every token is refused, also a fresh one", _DATA, 40001
    TOKEN_REJECTED_ONCE = "token_rejected_once", "one call is refused, then healthy", _DATA, 40001, 1
    WRONG_SECRET = "wrong_secret", "the secret was reset", _TOKEN, 40125
    FROZEN_SECRET = "frozen_secret", "the secret is frozen", _TOKEN, 40243
    INVALID_APPID = "invalid_appid", "the appid is unknown", _TOKEN_FIRST, 40013
    IP = "ip", "the caller's IP, named in errmsg, is not on the list", _TOKEN_FIRST, 40164
    PERMISSION = "permission", "the interface is not granted", _DATA, 48001
    FROZEN = "frozen", "the account is limited", _ANY, 50002
    MINI_GAME = "mini_game", "the app is a mini game", _DATA, 61502
    UNKNOWN_ERRCODE = "unknown_errcode", "a code no table knows, or the one given", _ANY, 99001

    def acts_on(self, dataset: str) -> bool:
        """Return whether it changes the answers of a dataset, for '' of any; a quota has no rows."""
        if dataset == QUOTA and self.calls == _DATA and self.errcode is None:
            return False
        return self.dataset in ("", dataset) or not dataset


_OF_TABLES: Final = frozenset(
    {
        *(Fault.NOT_READY, Fault.BUSY_DATA, Fault.QUOTA_DAILY, Fault.QUOTA_MINUTE),
        *(Fault.PERMISSION, Fault.MINI_GAME),
    }
)
"""What WeChat answers of tables: a count of calls has them only where they are put on it."""


@dataclass(frozen=True, slots=True)
class ActiveFault:
    """A fault in force: its errcode, and the number of calls left (None for no limit)."""

    fault: Fault
    errcode: int | None
    left: int | None


class FaultBoard:
    """The faults in force by app, kind of call, and dataset ("" for all).

    Any thread may switch faults, as each step is one operation on a dict.
    """

    def __init__(self) -> None:
        self._active: dict[tuple[str, CallKind, str], ActiveFault] = {}

    def switch(
        self,
        appid: str,
        fault: Fault,
        *,
        on: CallKind | None = None,
        times: int | None = None,
        errcode: int | None = None,
        dataset: str = "",
    ) -> None:
        """Set the fault of one kind of call of an app; NONE without `on` makes both kinds healthy.

        `on`: the kind of call, by default the fault's usual one. `times`: the number of calls until the app
        is healthy again. `errcode`: another code, for a fault that has one. `dataset` limits the fault to
        that dataset's data call, where it precedes the fault of all.

        Raises:
            ValueError: the fault cannot affect that call or dataset, or has no errcode; says which can.
        """
        if dataset not in ("", *BY_NAME, QUOTA):
            raise ValueError(f"{dataset} is no dataset, allowed: {', '.join((*BY_NAME, QUOTA))}")
        if fault is Fault.NONE:
            for healed in [key for key in self._active.copy() if _matches(key, appid, on, dataset)]:
                self._active.pop(healed, None)
            return
        call = CallKind.DATA if dataset else on or fault.calls[0]
        if not fault.acts_on(dataset):
            raise ValueError(f"{fault} changes nothing of {dataset}, only of: {fault.dataset or 'rows'}")
        if call not in fault.calls:
            raise ValueError(f"{fault} cannot be on the {call} call, only on: {', '.join(fault.calls)}")
        if errcode is not None and fault.errcode is None:
            raise ValueError(f"{fault} answers with no errcode, so {errcode} cannot be set")
        if times is not None and times < 1:
            raise ValueError(f"times is {times}, allowed: 1 and more")
        code = fault.errcode if errcode is None else errcode
        self._active[appid, call, dataset] = ActiveFault(fault, code, times or fault.times)

    def take(self, appid: str, call: CallKind, dataset: str = "") -> ActiveFault | None:
        """Return the fault of a call, after counting down its calls left; None for no fault."""
        key = (appid, call, dataset if (appid, call, dataset) in self._active else "")
        active = self._active.get(key)
        if active is None or (dataset != key[2] and dataset == QUOTA and active.fault in _OF_TABLES):
            return None
        if active.left is None:
            return active
        if active.left > 1:
            self._active[key] = replace(active, left=active.left - 1)
        else:
            self._active.pop(key, None)
        return active

    def spends_quota(self, appid: str, dataset: str) -> bool:
        """Return whether the day's quota of a dataset is spent."""
        active = [self._active.get((appid, CallKind.DATA, each)) for each in (dataset, "")]
        return next((each.fault for each in active if each is not None), None) is Fault.QUOTA_DAILY

    def shown(self, appid: str) -> dict[str, Fault]:
        """Return an app's faults by kind of call, as in `data` and `data weekly_trend`."""
        found = sorted((key, active.fault) for key, active in self._active.copy().items() if key[0] == appid)
        return {f"{call} {dataset}".strip(): fault for (_, call, dataset), fault in found}


def _matches(key: tuple[str, CallKind, str], appid: str, on: CallKind | None, dataset: str) -> bool:
    """Return whether a key is for the app's call (None for any) and dataset ("" for all)."""
    return key[0] == appid and on in (None, key[1]) and dataset in ("", key[2])
