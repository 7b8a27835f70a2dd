"""Durations as Prometheus writes them: `30s`, `1h30m`, `500ms`.

Source: https://prometheus.io/docs/prometheus/latest/configuration/configuration/ (`<duration>`).
"""

import re
from typing import Final

_UNITS: Final = (  # milliseconds; a year has 365 days, as in Prometheus
    ("y", 31_536_000_000),
    ("w", 604_800_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
)
_PATTERN: Final = re.compile("".join(f"(?:([0-9]{{1,15}}){unit})?" for unit, _ in _UNITS))


def parse(text: str) -> float:
    """Parse a duration into seconds.

    Raises:
        ValueError: the text is not numbers with the units y w d h m s ms, in this order, each at most once.
    """
    match = _PATTERN.fullmatch(text)
    if match is None or not text:
        raise ValueError("not a duration")
    return sum(int(count or 0) * size for count, (_, size) in zip(match.groups(), _UNITS, strict=True)) / 1000


def written(seconds: float) -> str:
    """Write a duration of `seconds` in the shortest way: 5400 becomes `1h30m`."""
    rest = round(seconds * 1000)
    parts: list[str] = []
    for unit, size in _UNITS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
