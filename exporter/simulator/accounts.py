"""The simulated mini programs."""

from dataclasses import dataclass, field
from datetime import date, time, timedelta
from typing import Final

from exporter.beijing import midnight
from exporter.simulator.faults import Fault

USUAL_PUBLICATION: Final = time(8, 5)


@dataclass(frozen=True, slots=True)
class SimApp:
    """A simulated mini program.

    `size`: visitors on an ordinary day. `published_at`: Beijing time at which the day before becomes
    available. `left_out`: figures that WeChat omits. `fault`: the fault at the start.
    """

    appid: str
    secret: str = field(repr=False)
    name: str
    size: int = 1000
    published_at: time = USUAL_PUBLICATION
    left_out: frozenset[str] = frozenset()
    labels: tuple[tuple[str, str], ...] = ()
    fault: Fault = Fault.NONE

    def publication(self, day: date) -> int:
        """Return the Unix time from which the row of `day` is available."""
        at = self.published_at
        return midnight(day + timedelta(days=1)) + at.hour * 3600 + at.minute * 60 + at.second
