"""When a dataset is asked for: which answers should be held now, and which of them to ask for.

WeChat documents no hour for any table. Programs that read them get a day's, a week's and a month's figures
in the morning after its end, the daily trend's among them. So an answer is asked for seldom while WeChat says
that yesterday's daily trend is not there yet, often from then on, seldom again where WeChat stays silent, and
once more when the figures have had time to settle.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from exporter.beijing import DAY_SECONDS, yesterday
from exporter.datasets.period import Calendar, Period

_HOUR: Final = 3600
_LATE_DAYS: Final = 3
_LATE_ROUNDS: Final = 6
_OLD_ROUNDS: Final = 24


@dataclass(frozen=True, slots=True)
class RequiredAnswer:
    """An answer that should be held.

    It counts only if it was asked for at `since` (Unix time) or later and, where `key` is named, has a point
    with that label. One asked for before `settles` is asked for once more after it.
    """

    period: Period
    since: float
    settles: float
    key: str = ""


@dataclass(frozen=True, slots=True)
class Schedule:
    """How often a dataset is asked for.

    `day_rounds`: rounds between two asks on the first day, while there is no answer. `early_rounds`: those
    while yesterday's daily trend is not there; datasets of which it is another number share no round.
    `settle_hours`: hours after the period's end when an answer is asked for once more; 0: never.
    `keyed`: the dataset's periods are cohorts, each day of which brings another key.
    """

    day_rounds: int = 1
    early_rounds: int = 3
    settle_hours: int = 0
    keyed: bool = False

    def wants(self, calendar: Calendar, backs: Iterable[int], now: float) -> tuple[RequiredAnswer, ...]:
        """Return the answers that should be held at the Unix time `now`; never of a period that is not over.

        Args:
            calendar: the dataset's.
            backs: how many periods before the newest one, for each answer; of cohorts, the keys.
            now: Unix time.
        """
        newest = calendar.newest(yesterday(now))
        wants = []
        for back in dict.fromkeys(backs):
            period = calendar.earlier(newest, back)
            since = newest.end if self.keyed else period.end
            settles = since + self.settle_hours * _HOUR if self.settle_hours else 0
            wants.append(RequiredAnswer(period, since, settles, str(back) if self.keyed else ""))
        return tuple(wants)

    def due(
        self,
        want: RequiredAnswer,
        now: float,
        interval: float,
        *,
        held_at: float | None,
        tried_at: float | None,
        early: bool = False,
    ) -> bool:
        """Return whether to ask in a round at `now`.

        Args:
            want: the answer that should be held.
            now: Unix time.
            interval: seconds between two rounds.
            held_at: when the answer that is held was asked for; None where none is held that counts.
            tried_at: when it was last asked for in vain; None where it never was.
            early: WeChat does not have yesterday's daily trend yet, and the dataset was asked for before.
        """
        if held_at is not None:
            return held_at < want.settles <= now
        age = now - want.since
        if tried_at is None or tried_at < want.since:
            if not early or age >= DAY_SECONDS:
                return True
            tried_at = want.since
        return now - tried_at >= interval * (self._rounds(age, early=early) - 0.5)  # rounds have jitter

    def _rounds(self, age: float, *, early: bool) -> int:
        if age < DAY_SECONDS:
            return self.early_rounds if early else self.day_rounds
        return _LATE_ROUNDS if age < _LATE_DAYS * DAY_SECONDS else _OLD_ROUNDS
