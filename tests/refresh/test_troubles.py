"""Random troubles of WeChat's, restarts and requests of operators: all comes back, nothing storms."""

import time
from collections import Counter
from random import Random
from typing import Final

import pytest
from structlog.typing import FilteringBoundLogger

from exporter.beijing import DAY_SECONDS
from exporter.datasets.catalogue import BY_NAME
from exporter.datasets.dataset import Dataset, Row
from exporter.datasets.period import Period
from exporter.datasets.quota import QUOTA
from exporter.refresh.rounds import Rounds
from exporter.store.stored_refusals import refusal_of
from exporter.wechat.failures.errcodes import errcode_failure, failure
from exporter.wechat.failures.failure import Action, Failure, Reason
from tests.building import NOON
from tests.refresh.desk import APP
from tests.refresh.test_datasets import NAMES, WITH_QUOTA, DatasetDesk, Day

HOUR: Final = 3600.0
STORM: Final = 120
"""Calls for a dataset in an hour that are too many, though every other call fails and operators intervene."""
CODES: Final = (-1, 12345, 40001, 40164, 45009, 45011, 48001, 61501, 61502, 61503)
PROBLEMS: Final = (
    *(errcode_failure(code, "refused") for code in CODES),
    *(failure(reason, "it failed") for reason in (Reason.EMPTY, Reason.TIMEOUT, Reason.MALFORMED)),
    failure(Reason.MALFORMED, "no figure", Action.NEXT_ROUND),
)


class TroubledDesk(DatasetDesk):
    """A desk whose datasets fail at random until `calm_at`; `calls` counts by dataset and hour."""

    def __init__(self, log: FilteringBoundLogger, random: Random) -> None:
        super().__init__(log, WITH_QUOTA)
        self.random = random
        self.now = NOON + random.uniform(-13, 11) * HOUR
        self.calm_at = self.now + random.uniform(1, 40) * HOUR
        self.calls: Counter[tuple[str, int]] = Counter()
        self.day = Day(random.choice((0, 7, 9)))
        self._change_at = self.now
        self._troubles: dict[str, tuple[Failure, float]] = {}
        self._rounds = Rounds(self.fetcher)

    def run(self, until: float) -> None:
        """Make rounds one hour apart, and urgent calls between them, as the exporter does."""
        next_round = next_look = self.now
        while self.now < until:
            self._happen()
            asks = (
                None if self.now >= next_round else self.before_the_round(credentials=self.now >= next_look)
            )
            wechat = self.round(self._answer, asks, self._troubles.get(QUOTA, (None,))[0])
            hour = int(self.now // HOUR)
            self.calls.update((name, hour) for name, _ in wechat.asked)
            self.calls[QUOTA, hour] += len(wechat.quotas)
            next_round += HOUR * (asks is None)
            next_look = max(next_look, self.now + 60 * (self.now >= next_look))
            self._rounds._credentials_at = time.monotonic() + next_look - self.now  # else it is always due
            self.now += min(next_round - self.now, self._rounds._until_next_try(), 600.0)

    def _happen(self) -> None:
        if self.now >= self.calm_at:
            self._troubles.clear()
        elif self.now >= self._change_at:
            self._change_at = self.now + self.random.uniform(0.5, 8) * HOUR
            names = [name for name in (*BY_NAME, QUOTA) if self.random.random() < 0.5]
            self._troubles = {
                name: (self.random.choice(PROBLEMS), self.random.choice((0.5, 1))) for name in names
            }
        elif self.random.random() < 0.1:
            self.random.choice((self._restart, self._reload, self.ledger.ask_all_again))()

    def _answer(self, dataset: Dataset, period: Period) -> Row | Failure | None:
        problem, share = self._troubles.get(dataset.name, (None, 0))
        return problem if self.random.random() < share else self.day.answers(self.now)(dataset, period)

    def _reload(self) -> None:
        self.ledger.configure([(APP, "stable_token")], self.settings.trend_days, self.now)

    def _restart(self) -> None:
        tables = {name: self.entry.table(name) for name in self.entry.names}
        self.ledger.configure([], self.settings.trend_days, self.now)
        self._reload()
        for name, table in tables.items():
            if table.rows:
                self.ledger.restore([(APP.appid, table.rows)], name)
            if (refusal := refusal_of(table.health)) is not None and not refusal.of_this_machine:
                self.ledger.refused({(APP.appid, name): refusal})


@pytest.mark.parametrize("seed", [2, 3, 8, 9, 10])  # those that find faults put in on purpose
def test_after_any_troubles_all_datasets_come_back_and_no_hour_has_a_storm(
    seed: int, log: FilteringBoundLogger
) -> None:
    desk = TroubledDesk(log, Random(seed))
    desk.run(desk.calm_at + 2.5 * DAY_SECONDS)
    assert [name for name in (*BY_NAME, QUOTA) if not desk.entry.table(name).health.up] == []
    days = {"day": 3, "week": 9, "month": 33}
    for name in NAMES:
        assert desk.now - desk.newest(name).end < days[BY_NAME[name].calendar.name] * DAY_SECONDS
    assert len(desk.entry.rows) == desk.settings.history_days
    assert max(desk.calls.values()) < STORM
