"""What to ask for now: pure functions of the clock and of what is held."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from exporter.beijing import window, yesterday
from exporter.config.settings import DatasetSettings
from exporter.datasets.daily_trend import DAILY_TREND
from exporter.datasets.enabled import Enabled
from exporter.store.entry import Entry

LOOKBACK_DAYS: Final = 4
"""How far back to look for an app's first row, where `history_days` is shorter than that; and how far
back a date without a row is asked for in every round, as WeChat has been days late."""

PATIENCE: Final = 3
"""How often an older date without a row is asked for before once a day has to do."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One call to make, decided when it was planned: a call may outlast midnight.

    `day` is the first of the dataset's period. `newest`: that was the newest one, which its health is about.
    `attempt` counts from 1. `fallback`: only while the app has no row. `label`: the point, or the
    quota's path, that is wanted.
    """

    appid: str
    day: date
    newest: bool = False
    attempt: int = 1
    fallback: bool = False
    dataset: str = DAILY_TREND.name
    label: str = ""

    @property
    def key(self) -> tuple[str, str, date, str]:
        """What is asked for: no round asks twice for it."""
        return self.appid, self.dataset, self.day, self.label


@dataclass(frozen=True, slots=True)
class Policy:
    """Which dates of which server an app should have.

    `history_days` are on show, `revisit_days` asked for again once a day. `interval`: seconds between rounds.
    `datasets`: those beside the daily trend.
    """

    history_days: int
    revisit_days: int
    server: str = ""
    interval: float = 3600.0
    datasets: tuple[Enabled, ...] = ()
    quota: DatasetSettings | None = None

    @property
    def keep_days(self) -> int:
        """How many dates back from the newest row are held."""
        return max(self.history_days, self.revisit_days)


def due(entries: Iterable[Entry], now: float) -> list[Ask]:
    """Yesterday's row of every app that may be asked now, or that may once its credential has changed.

    Apps that lack it come first, those that failed last time come last; of either, those without any row
    come first.
    """
    newest = yesterday(now)
    may = [each for each in entries if each.health.fingerprint is not None or not each.health.paused(now)]
    ordered = sorted(
        may, key=lambda each: (not each.health.up, each.row(newest) is not None, bool(each.rows))
    )
    return [Ask(each.app.appid, newest, newest=True) for each in ordered]


def missing(entry: Entry, now: float, policy: Policy) -> list[Ask]:
    """The dates that an app lacks and that WeChat was not asked for today (Beijing), newest first."""
    newest = yesterday(now)
    asked = {vacant.day for vacant in entry.vacant if yesterday(vacant.asked_at) == newest}
    return [
        ask for ask in follow_ups(entry, now, policy) if ask.day not in asked and entry.row(ask.day) is None
    ]


def follow_ups(entry: Entry, now: float, policy: Policy) -> list[Ask]:
    """What else to ask for an app once yesterday's row has been asked for, newest date first.

    Dates of the window that are missing, and recent ones that WeChat last gave before today (Beijing).
    An app without any row is looked up some days further back. Older dates for which WeChat had no row
    several times are asked for once a day: the app may be younger than the window.
    """
    newest = yesterday(now)
    resting = {
        vacant.day
        for vacant in entry.vacant
        if vacant.asks >= PATIENCE and yesterday(vacant.asked_at) == newest
    }
    fetched = {held.row.ref_date: held.asked_at for held in entry.rows}
    span = policy.history_days if fetched else max(policy.history_days, LOOKBACK_DAYS)
    asks = []
    for back, day in enumerate(window(newest, max(span, policy.revisit_days))):
        missing = day not in fetched and back < span and not (back >= LOOKBACK_DAYS and day in resting)
        stale = day in fetched and back < policy.revisit_days and yesterday(fetched[day]) != newest
        if back > 0 and (missing or stale):
            asks.append(Ask(entry.app.appid, day, fallback=back >= policy.history_days and not fetched))
    return asks
