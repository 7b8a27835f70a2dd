"""The conditions of the simulated WeChat."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Conditions:
    """The behaviour of the simulated WeChat towards all apps.

    `latency_seconds`: wait before every answer. `slow_seconds`: additional wait for a slow app.
    `drip_seconds`: wait between the bytes of a dripping answer. `always_published`: yesterday is available at
    any hour. `time_source` returns Unix time. `hosting_appid`: the account whose cloud hosting makes calls
    without a token.
    """

    latency_seconds: float = 0.0
    slow_seconds: float = 5.0
    drip_seconds: float = 1.0
    always_published: bool = False
    time_source: Callable[[], float] = time.time
    hosting_appid: str = ""


USUAL: Final = Conditions()
