"""Rows as texts, and back.

A text begins with the moment that it is of: of two, the later one wins, whoever writes last.
"""

import json
from contextlib import suppress
from datetime import date
from typing import Any, Final

from exporter.store.entry import HeldRow
from exporter.trend import FIELDS, Row, figure

_TIGHT: Final = (",", ":")
_LAST_MOMENT: Final = 253_402_000_000  # in the year 9999


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


def _moment(found: object) -> float:
    """A Unix time that a calendar has."""
    if not isinstance(found, int | float) or isinstance(found, bool) or not 0 <= found <= _LAST_MOMENT:
        raise ValueError("no moment")
    return found


def _day(text: str) -> date:
    """A date in the one way that it is written here: another one would be a second row of the same date."""
    day = date.fromisoformat(text)
    if day.isoformat() != text:
        raise ValueError("no date")
    return day


def _listed(found: object, length: int) -> list[Any]:
    if not isinstance(found, list) or length != len(found):
        raise ValueError("no such list")
    return found
