"""What is known of an app as texts, and back.

A text begins with the moment that it is of: of two, the later one wins, whoever writes last.
"""

import json
from contextlib import suppress
from datetime import date
from typing import Any, Final

from exporter.store.entry import Entry, Health, HeldRow, Vacant
from exporter.store.shared import Shared
from exporter.trend import FIELDS, Row
from exporter.wechat.errors import Reason

_TIGHT: Final = (",", ":")


def row_text(held: HeldRow) -> str:
    """A row: when WeChat gave it, and its figures in the order of FIELDS; Redis packs short texts well."""
    return f"{held.fetched_at!r} {json.dumps(held.row.values, separators=_TIGHT)}"


def read_row(day: str, text: str) -> HeldRow | None:
    """The row of that day; None where another version of the exporter has written something else."""
    fetched_at, _, figures = text.partition(" ")
    with suppress(ValueError, TypeError):
        values = tuple(json.loads(figures))
        if len(values) == len(FIELDS):
            return HeldRow(Row(date.fromisoformat(day), values), float(fetched_at))
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
    """What was kept of an app; a state that another version wrote in another way is none."""
    held = tuple(read_row(day, text) for day, text in sorted(rows.items(), reverse=True))
    kept = tuple(each for each in held if each is not None)
    with suppress(ValueError, TypeError, AttributeError):
        return _with_state(kept, json.loads("{}" if state is None else state.partition(" ")[2]))
    return Shared(kept, Health(), (), None)


def _with_state(rows: tuple[HeldRow, ...], told: dict[str, Any]) -> Shared:
    fingerprint = told.get("fingerprint")
    reason = told.get("reason")
    health = Health(
        last_refresh=told.get("refresh"),
        last_success=told.get("success"),
        reason=Reason(reason) if reason else None,
        errcode=told.get("errcode"),
        detail=told.get("detail", ""),
        resume_at=told.get("resume"),
        strikes=told.get("strikes", 0),
        fingerprint=None if fingerprint is None else bytes.fromhex(fingerprint),
    )
    vacant = tuple(Vacant(date.fromisoformat(day), asks, at) for day, asks, at in told.get("vacant", ()))
    return Shared(rows, health, vacant, told.get("token"))
