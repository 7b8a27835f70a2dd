"""What is known of an app as texts, and back.

A text begins with the moment that it is of: of two, the later one wins, whoever writes last.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import date
from typing import Any, Final, TypeVar

from exporter.store.entry import Entry, Health, HeldRow, Vacant
from exporter.store.shared import Shared
from exporter.trend import FIELDS, Row, figure
from exporter.wechat.errors import Reason

_TIGHT: Final = (",", ":")
_LAST_MOMENT: Final = 253_402_000_000  # in the year 9999
_LARGEST: Final = 2**31  # an errcode has 32 bits
_MOST_STRIKES: Final = 1000  # no pause grows any longer from so many
_Read = TypeVar("_Read")


def row_text(held: HeldRow) -> str:
    """A row: when WeChat gave it, and its figures in the order of FIELDS; Redis packs short texts well."""
    return f"{held.fetched_at!r} {json.dumps(held.row.values, separators=_TIGHT)}"


def read_row(day: str, text: str) -> HeldRow | None:
    """The row of that day; None where the text is not of the form, or no row that WeChat could have given."""
    fetched_at, _, figures = text.partition(" ")
    with suppress(ValueError, RecursionError):
        values = _listed(json.loads(figures), len(FIELDS))
        if any(isinstance(value, str) for value in values):
            return None
        read = (
            None if value is None else figure(value, field)
            for value, field in zip(values, FIELDS, strict=True)
        )
        return HeldRow(Row(_day(day), tuple(read)), _moment(float(fetched_at)))
    return None


def state_text(entry: Entry) -> str:
    """How the app's last refresh went."""
    health = entry.health
    told = {
        "refresh": health.last_refresh,
        "success": health.last_success,
        "reason": health.reason,
        "errcode": health.errcode,
        "detail": health.detail or None,
        "resume": health.resume_at,
        "strikes": health.strikes or None,
        "fingerprint": None if health.fingerprint is None else health.fingerprint.hex(),
        "token": entry.token_expires_at,
        "vacant": [[each.day.isoformat(), each.asks, each.asked_at] for each in entry.vacant] or None,
    }
    kept = {key: value for key, value in told.items() if value is not None}
    return f"{entry.changed_at!r} {json.dumps(kept, ensure_ascii=False, separators=_TIGHT)}"


def read_shared(rows: dict[str, str], state: str | None) -> Shared:
    """What was kept of an app; a state that is not of the form, as of another version, is none."""
    held = tuple(read_row(day, text) for day, text in sorted(rows.items(), reverse=True))
    kept = tuple(each for each in held if each is not None)
    with suppress(ValueError, RecursionError):
        return _with_state(kept, _told(state))
    return Shared(kept, Health(), (), None)


def _told(state: str | None) -> dict[str, Any]:
    told = json.loads("{}" if state is None else state.partition(" ")[2])
    if not isinstance(told, dict):
        raise ValueError("no object")  # noqa: TRY004 - it is the text that is wrong
    return told


def _with_state(rows: tuple[HeldRow, ...], told: dict[str, Any]) -> Shared:
    """All of it read, each value of its type; raises ValueError."""
    fingerprint = _maybe(_text, told.get("fingerprint"))
    health = Health(
        last_refresh=_maybe(_moment, told.get("refresh")),
        last_success=_maybe(_moment, told.get("success")),
        reason=_maybe(Reason, _maybe(_text, told.get("reason"))),
        errcode=_maybe(_whole, told.get("errcode")),
        detail=_text(told.get("detail", "")),
        resume_at=_maybe(_moment, told.get("resume")),
        strikes=min(_count(told.get("strikes", 0)), _MOST_STRIKES),
        fingerprint=None if fingerprint is None else bytes.fromhex(fingerprint),
    )
    vacant = tuple(
        Vacant(_day(_text(day)), _count(asks), _moment(at))
        for day, asks, at in (_listed(each, 3) for each in _listed(told.get("vacant", [])))
    )
    return Shared(rows, health, vacant, _maybe(_moment, told.get("token")))


def _maybe(read: Callable[[Any], _Read], found: object) -> _Read | None:
    return None if found is None else read(found)


def _moment(found: object) -> float:
    """A Unix time that a calendar has."""
    if not isinstance(found, int | float) or isinstance(found, bool) or not 0 <= found <= _LAST_MOMENT:
        raise ValueError("no moment")
    return found


def _whole(found: object) -> int:
    if not isinstance(found, int) or isinstance(found, bool) or abs(found) > _LARGEST:
        raise ValueError("no whole number")
    return found


def _count(found: object) -> int:
    if (count := _whole(found)) < 0:
        raise ValueError("no count")
    return count


def _text(found: object) -> str:
    if not isinstance(found, str):
        raise ValueError("no text")  # noqa: TRY004 - as above
    found.encode()  # half a character cannot be shown: UnicodeEncodeError is a ValueError
    return found


def _day(text: str) -> date:
    """A date in the one way that it is written here: another one would be a second row of the same date."""
    day = date.fromisoformat(text)
    if day.isoformat() != text:
        raise ValueError("no date")
    return day


def _listed(found: object, length: int | None = None) -> list[Any]:
    if not isinstance(found, list) or length not in (None, len(found)):
        raise ValueError("no such list")
    return found
