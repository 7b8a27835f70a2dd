"""The domain: one mini program's figures of one day, as getDailyVisitTrend gives them.

`FIELDS` is the single list of figures; parsing, metrics, help texts, docs, dashboards and tests
are all made from it.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from typing import Final

BEIJING: Final = timezone(timedelta(hours=8), "Asia/Shanghai")  # no summer time since 1991
DAY_SECONDS: Final = 86_400


@dataclass(frozen=True, slots=True)
class Field:
    """One figure of the trend.

    `name` is WeChat's own; `metric` the metric's last part, with its unit; `additive` tells
    whether values of several dates or apps may be summed.
    """

    name: str
    camel: str
    metric: str
    unit: str
    integral: bool
    additive: bool
    chinese: str
    meaning: str

    @property
    def help(self) -> str:
        """The HELP text: Chinese term, meaning, unit, and whether values add up."""
        warning = "" if self.additive else " Do not add up over dates or apps."
        return f"{self.name} {self.chinese}: {self.meaning}.{warning}"


FIELDS: Final = (
    Field(
        name="session_cnt",
        camel="sessionCnt",
        metric="session_cnt",
        unit="",
        integral=True,
        additive=True,
        chinese="打开次数",
        meaning="times the mini program was opened that day",
    ),
    Field(
        name="visit_pv",
        camel="visitPv",
        metric="visit_pv",
        unit="",
        integral=True,
        additive=True,
        chinese="访问次数",
        meaning="page views that day, repeated views counted",
    ),
    Field(
        name="visit_uv",
        camel="visitUv",
        metric="visit_uv",
        unit="",
        integral=True,
        additive=False,
        chinese="访问人数",
        meaning="distinct visitors that day",
    ),
    Field(
        name="visit_uv_new",
        camel="visitUvNew",
        metric="visit_uv_new",
        unit="",
        integral=True,
        additive=True,
        chinese="新用户数",
        meaning="visitors who came for the first time ever that day",
    ),
    Field(
        name="stay_time_uv",
        camel="stayTimeUv",
        metric="stay_time_uv_seconds",
        unit="seconds",
        integral=False,
        additive=False,
        chinese="人均停留时长",
        meaning="mean stay per visitor that day, in seconds",
    ),
    Field(
        name="stay_time_session",
        camel="stayTimeSession",
        metric="stay_time_session_seconds",
        unit="seconds",
        integral=False,
        additive=False,
        chinese="次均停留时长",
        meaning="mean stay per open that day, in seconds",
    ),
    Field(
        name="visit_depth",
        camel="visitDepth",
        metric="visit_depth",
        unit="",
        integral=False,
        additive=False,
        chinese="平均访问深度",
        meaning="mean number of distinct pages per open that day, in pages",
    ),
)
"""Source: getDailyVisitTrend's documentation and WeChat's glossary of the analytics terms."""

_INDEX: Final = {field.name: position for position, field in enumerate(FIELDS)}
_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_LARGEST: Final = 2**53  # beyond it a Prometheus sample is no longer exact
_LONGEST_SHOWN: Final = 40  # characters of a text that an error's text repeats


class MalformedRowError(ValueError):
    """A body that is not the documented answer; the text says what was found, without secrets."""


@dataclass(frozen=True, slots=True)
class Row:
    """One day's figures, `values` in the order of FIELDS; None where WeChat left a field out."""

    ref_date: date
    values: tuple[int | float | None, ...]

    def __getitem__(self, name: str) -> int | float | None:
        """The value of the field `name`, in the field's unit."""
        return self.values[_INDEX[name]]


def parse_trend(body: Mapping[str, object], asked: date) -> Row | None:
    """Read a successful body of either wire shape (snake_case or the cloud call's camelCase).

    Args:
        body: the decoded JSON object.
        asked: the date that was asked for.

    Returns:
        the row, or None where WeChat sent an empty list.

    Raises:
        MalformedRowError: anything that cannot be trusted, so that no wrong number is shown.
    """
    told = body.get("errMsg", "ok")  # the cloud call's; it ends in `:ok` where all went well
    if not isinstance(told, str) or told.rpartition(":")[2] != "ok":
        raise MalformedRowError(f"errMsg is {_shown(told)}, which does not end in :ok")
    if "list" not in body:
        raise MalformedRowError("there is no 'list'")
    rows = body["list"]
    if not isinstance(rows, list):
        raise MalformedRowError(f"'list' is {_shown(rows)}, not a list")
    if not rows:
        return None
    if len(rows) > 1:
        raise MalformedRowError(f"'list' has {len(rows)} rows for one date")
    item = rows[0]
    if not isinstance(item, dict):
        raise MalformedRowError(f"list[0] is {_shown(item)}, not an object")
    _check_date(item, asked)
    values = tuple(_figure(item, field) for field in FIELDS)
    if all(value is None for value in values):
        raise MalformedRowError("the row has none of the documented figures")
    return Row(asked, values)


def wire_date(day: date) -> str:
    """A date as WeChat writes it: yyyymmdd."""
    return day.isoformat().replace("-", "")


def yesterday(now: float) -> date:
    """The newest date that WeChat answers for, at the Unix time `now`: yesterday in Beijing."""
    return datetime.fromtimestamp(now, BEIJING).date() - timedelta(days=1)


def window(newest: date, days: int) -> tuple[date, ...]:
    """The `days` dates that end with `newest`, newest first."""
    return tuple(newest - timedelta(days=back) for back in range(days))


def midnight(day: date) -> int:
    """Unix time of 00:00 Beijing on that date."""
    return int(datetime(day.year, day.month, day.day, tzinfo=BEIJING).timestamp())


def next_midnight(now: float) -> int:
    """Unix time of the next 00:00 Beijing after `now`."""
    return midnight(yesterday(now) + timedelta(days=2))


def next_month(now: float) -> int:
    """Unix time of the next month's first 00:00 Beijing after `now`."""
    today = yesterday(now) + timedelta(days=1)
    return midnight((today.replace(day=1) + timedelta(days=32)).replace(day=1))


def beijing_text(at: float) -> str:
    """A Unix time for people: `2026-11-24 00:00 (Beijing)`."""
    return f"{datetime.fromtimestamp(at, BEIJING):%Y-%m-%d %H:%M} (Beijing)"


def _found(item: dict[str, object], snake: str, camel: str) -> list[object]:
    """What stands under either spelling of a key: nothing, one value, or two that have to agree."""
    return [item[key] for key in (snake, camel) if key in item]


def _check_date(item: dict[str, object], asked: date) -> None:
    found = _found(item, "ref_date", "refDate")
    if not found:
        raise MalformedRowError(f"ref_date is missing, asked for {wire_date(asked)}")
    right = (wire_date(asked), int(wire_date(asked)))
    for each in found:
        if each not in right or isinstance(each, float):
            raise MalformedRowError(f"ref_date is {_shown(each)}, asked for {wire_date(asked)}")


def _figure(item: dict[str, object], field: Field) -> int | float | None:
    values = {figure(each, field) for each in _found(item, field.name, field.camel)}
    if len(values) > 1:
        raise MalformedRowError(f"{field.name} and {field.camel} differ")
    return values.pop() if values else None


def figure(found: object, field: Field) -> int | float:
    """The figure that something read is, a number or one written as a text; raises MalformedRowError."""
    value = _number(found)
    if value is None or not value >= 0:  # NaN is not
        raise MalformedRowError(f"{field.name} is {_shown(found)}, not a number from 0 up")
    if value > _LARGEST:
        raise MalformedRowError(f"{field.name} is {_shown(found)}, too large to be true")
    if value == int(value):
        return int(value)
    if field.integral:
        raise MalformedRowError(f"{field.name} is {_shown(found)}, not a whole number")
    return value


def _number(found: object) -> int | float | None:
    if isinstance(found, int | float) and not isinstance(found, bool):
        return found
    if isinstance(found, str) and _NUMBER.fullmatch(found):
        return float(found)
    return None


def _shown(found: object) -> str:
    """A value for an error's text: short ones as they are, so that nothing is shown in part.

    Part of a token could not be recognised as one any more; a whole one is, where the call is made.
    """
    if isinstance(found, str):
        return repr(found) if len(found) <= _LONGEST_SHOWN else f"a text of {len(found)} characters"
    if isinstance(found, int) and abs(found) > _LARGEST:  # its digits may be more than Python writes out
        return "a huge number"
    named = {dict: "an object", list: "a list", type(None): "null"}.get(type(found))
    return named or repr(found)
