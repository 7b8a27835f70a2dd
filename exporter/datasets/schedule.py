"""The schedule of a dataset: the answers to hold now, and those to ask for.

WeChat documents no hour for any table. In practice the figures of a day, week or month come in the morning
after its end, together with the daily trend's. So the exporter asks rarely until WeChat has yesterday's daily
trend, then often, rarely again if WeChat has no row for long, and once more when the figures have had time to
settle. However long the rounds are, it asks once a day.
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
    """An answer to hold.

    It counts only if the call was at `since` (Unix time) or later and, given a `key`, the row has a point
    with that label. The exporter repeats a call made before `settles` once after it.
    """

    period: Period
    since: float
    settles: float
    key: str = ""


@dataclass(frozen=True, slots=True)
class Schedule:
    """The frequency of the calls for a dataset.

    `day_rounds`: rounds between two calls on the first day, until an answer comes. `early_rounds`: rounds
    between two calls until yesterday's daily trend comes, more for a dataset that takes several calls.
    `settle_hours`: hours from the period's end to one more call; 0 for none. `keyed`: the dataset's periods
    are cohorts, which get another key each day.
    """

    day_rounds: int = 1
    early_rounds: int = 3
    settle_hours: int = 0
    keyed: bool = False

    def required(self, calendar: Calendar, backs: Iterable[int], now: float) -> tuple[RequiredAnswer, ...]:
        """Return the answers to hold at the Unix time `now`, all for periods that are over.

        `backs` has for each answer the number of periods before the newest one; for cohorts, the keys.
        """
        newest = calendar.newest(yesterday(now))
        required = []
        for back in dict.fromkeys(backs):
            period = calendar.earlier(newest, back)
            since = newest.end if self.keyed else period.end
            settles = since + self.settle_hours * _HOUR if self.settle_hours else 0
            required.append(RequiredAnswer(period, since, settles, str(back) if self.keyed else ""))
        return tuple(required)

    def due(
        self,
        answer: RequiredAnswer,
        now: float,
        interval: float,
        *,
        held_at: float | None,
        tried_at: float | None,
        early: bool = False,
    ) -> bool:
        """Return whether a round at `now` asks for an answer; rounds are `interval` seconds apart.

        `held_at`: Unix time of the call for the held answer; None if none is held that counts. `tried_at`:
        Unix time of the last call without an answer; None if there was none. `early`: WeChat does not have
        yesterday's daily trend yet, and the dataset was asked for before.
        """
        if held_at is not None:
            return held_at < answer.settles <= now
        age = now - answer.since
        if tried_at is None or tried_at < answer.since:
            if not early or age + interval >= DAY_SECONDS:  # no later round of the day
                return True
            tried_at = answer.since
        jitter = interval / 2
        longest = DAY_SECONDS - jitter
        return now - tried_at >= min(interval * self._rounds(age, early=early) - jitter, longest)

    def _rounds(self, age: float, *, early: bool) -> int:
        if age < DAY_SECONDS:
            return self.early_rounds if early else self.day_rounds
        return _LATE_ROUNDS if age < _LATE_DAYS * DAY_SECONDS else _OLD_ROUNDS
