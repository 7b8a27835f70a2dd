"""Plausible daily figures: a pure function of app, date and size.

They have the properties of WeChat's real rows: whole stay seconds behind both means, whole pages behind the
depth, no more distinct pages than page views, means with at most four decimals.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from struct import Struct
from typing import Final

from exporter.beijing import wire_date

_EPOCH: Final = date(2026, 1, 1)  # the date on which `size` visitors are ordinary
_YEAR_DAYS: Final = 365.25
_LONGEST_GROWTH_YEARS: Final = 10.0  # growth ends here, so that every date has a row
_SATURDAY: Final = 5
_EIGHT_NUMBERS: Final = Struct(">8Q")
_BITS: Final = 2**64


@dataclass(frozen=True, slots=True)
class VisitCounts:
    """The whole numbers behind the figures of one or several days: additive ones, and the visitors."""

    visitors: int
    newcomers: int
    sessions: int
    distinct_pages: int
    views: int
    stay_seconds: int

    @property
    def figures(self) -> dict[str, int | float]:
        """Return WeChat's seven figures."""
        return {
            "session_cnt": self.sessions,
            "visit_pv": self.views,
            "visit_uv": self.visitors,
            "visit_uv_new": self.newcomers,
            "stay_time_uv": _mean(self.stay_seconds, self.visitors),
            "stay_time_session": _mean(self.stay_seconds, self.sessions),
            "visit_depth": _mean(self.distinct_pages, self.sessions),
        }


def row(appid: str, day: date, size: int) -> dict[str, str | int | float]:
    """Return the eight fields of a day, as in WeChat's `list[0]`, for `size` visitors on an ordinary day."""
    return {"ref_date": wire_date(day), **counts(appid, day, size).figures}


def counts(appid: str, day: date, size: int) -> VisitCounts:
    """Return the counts of a day, for `size` visitors on an ordinary one.

    The appid decides rhythm, growth, depth and stay.
    """
    weekend, growth, wave, opens, pages, repeats, stay, newcomers = draws(appid)
    noise = draws(f"{appid} {day.isoformat()}")
    years = (day - _EPOCH).days / _YEAR_DAYS
    years = max(-_LONGEST_GROWTH_YEARS, min(_LONGEST_GROWTH_YEARS, years))

    level = math.exp((0.25 * growth - 0.03) * years)
    level *= 1 + 0.06 * math.sin(2 * math.pi * (years + wave))
    level *= 0.65 + 0.85 * weekend if day.weekday() >= _SATURDAY else 1.0
    visitors = round(size * level * (0.92 + 0.16 * noise[0]))
    sessions = math.ceil(visitors * (1.3 + 0.9 * opens) * (0.96 + 0.08 * noise[1]))
    distinct_pages = math.ceil(sessions * (1.5 + 2.0 * pages) * (0.97 + 0.06 * noise[2]))
    return VisitCounts(
        visitors=visitors,
        newcomers=round(visitors * (0.05 + 0.2 * newcomers) * (0.8 + 0.4 * noise[5])),
        sessions=sessions,
        distinct_pages=distinct_pages,
        views=math.ceil(distinct_pages * (1.2 + 0.6 * repeats) * (0.98 + 0.04 * noise[3])),
        stay_seconds=round(sessions * (20 + 90 * stay) * (0.9 + 0.2 * noise[4])),
    )


def split(total: int, weights: Sequence[float]) -> list[int]:
    """Split a total into whole parts in proportion to the weights, with exactly that sum."""
    whole = sum(weights)
    if not whole:
        return [0] * len(weights)
    parts = [int(total * weight / whole) for weight in weights]
    for place in sorted(range(len(parts)), key=lambda at: -weights[at])[: total - sum(parts)]:
        parts[place] += 1
    return parts


def _mean(total: int, count: int) -> int | float:
    """Return a mean as WeChat writes it: four decimals, whole values without `.0`, 0 of nothing."""
    mean = round(total / count, 4) if count else 0
    return int(mean) if mean == int(mean) else mean


def draws(text: str) -> list[float]:
    """Return eight numbers in [0, 1) that depend only on the text, in every process."""
    return [number / _BITS for number in _EIGHT_NUMBERS.unpack(blake2b(text.encode()).digest())]
