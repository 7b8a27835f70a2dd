"""How the simulated WeChat behaves towards every app."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Conditions:
    """How the simulated WeChat behaves towards every app.

    `latency_seconds` goes before every answer, `slow_seconds` more before one of a slow app,
    `drip_seconds` between the bytes of a dripping one. `always_published`: yesterday is there at any hour.
    `time_source`: Unix time.
    `hosting_appid`: calls without a token come from inside that account's cloud hosting.
    """

    latency_seconds: float = 0.0
    slow_seconds: float = 5.0
    drip_seconds: float = 1.0
    always_published: bool = False
    time_source: Callable[[], float] = time.time
    hosting_appid: str = ""


USUAL: Final = Conditions()
