"""Rows as exporters wrote them to Redis before figures had names there."""

import json
from contextlib import suppress
from typing import Final

from exporter.store.row_coding import points_text

_NAMES: Final = (
    "session_cnt",
    "visit_pv",
    "visit_uv",
    "visit_uv_new",
    "stay_time_uv",
    "stay_time_session",
    "visit_depth",
)
"""The order of the figures in old texts. Written down once, never made from the list as it is today."""


def old_record(day: str, text: str) -> tuple[object, object, object]:
    """An old row as it would be kept today: its day, when it was asked for, its text (empty: no row)."""
    asked_at, _, figures = text.partition(" ")
    with suppress(ValueError, TypeError, RecursionError):
        words = [word for pair in zip(_NAMES, json.loads(figures), strict=True) for word in pair]
        return day, float(asked_at), points_text(*words)
    return day, asked_at, ""
