"""The plan of the calls: pure functions of the clock and of the entries.

A round begins with the newest date of every app's daily trend. Its answer leads to the app's other dates and
to one ask for each of its datasets, whose answer leads to the dataset's other periods.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from exporter.beijing import window, yesterday
from exporter.datasets.catalogue import BY_NAME
from exporter.datasets.daily_trend import DAILY_TREND
from exporter.datasets.enabled import EnabledDataset
from exporter.datasets.period import Period
from exporter.datasets.quota import QUOTA, quota_due
from exporter.datasets.schedule import RequiredAnswer
from exporter.refresh.retries import ATTEMPTS
from exporter.refresh.round_settings import RoundSettings
from exporter.store.entry import Entry, Health, Table

LOOKBACK_DAYS: Final = 4
"""Least number of days to search for an app's first row, whatever `history_days` is; and age up to which
every round asks for a date without a row, as WeChat has been days late."""

ASKS_IN_A_ROW: Final = 3
"""Rounds that ask for an older date without a row before it is asked for once a day."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A call to make, fixed when it is planned, as it may outlast midnight.

    `day` is the first of the dataset's period. `newest`: it is the newest period, which decides the health.
    `attempt` counts from 1. `fallback`: needed only while the app has no row. `label`: the point, or the
    quota's path, to ask for.
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
        """Return the identity of the ask: no round asks twice for one."""
        return self.appid, self.dataset, self.day, self.label

    @property
    def period(self) -> Period:
        """Return the period in the dataset's calendar; a quota has none."""
        return BY_NAME[self.dataset].calendar.starting(self.day)

    @property
    def starts_app(self) -> bool:
        """Return whether the app's datasets wait for this ask."""
        return self.newest and self.dataset == DAILY_TREND.name


def round_asks(
    entries: Iterable[Entry], now: float, settings: RoundSettings, *, overran: bool = False
) -> list[Ask]:
    """Return the first asks of a round: the newest date of every app's daily trend.

    Apps that lack it come first, and apps that failed last time come last; among equals those without any row
    come first. If the last round overran its interval, there may be no time for asks that follow from
    answers: then missing older dates come before dates that are known already.
    """
    newest = yesterday(now)
    ordered = sorted(
        entries, key=lambda each: (not each.health.up, each.row(newest) is not None, bool(each.rows))
    )
    if not overran:
        return [_newest(each, now) for each in ordered]
    known = [each for each in ordered if each.row(newest) is not None]
    return [
        *(_newest(each, now) for each in ordered if each.row(newest) is None),
        *(ask for each in known if each.health.up for ask in _missing(each, now, settings)),
        *(_newest(each, now) for each in known),
    ]


def asks_before_the_round(
    entry: Entry, now: float, settings: RoundSettings, *, credentials: bool = False
) -> Iterator[Ask]:
    """Yield an app's asks that must not wait for the next round; after a failure, without retries.

    `credentials`: also ask for datasets paused until their credential changes, in case it has changed.
    """
    if _is_due(entry.health, now, credentials=credentials):
        yield replace(_newest(entry, now), attempt=1 if entry.health.up else ATTEMPTS)
        return
    if is_refused(entry, now):
        return
    for name in dataset_names(entry, settings):
        if _is_due(entry.table(name).health, now, credentials=credentials):
            for ask in _first_of_dataset(entry, name, now, settings):
                yield replace(ask, attempt=ATTEMPTS)


def first_asks(entry: Entry, now: float, settings: RoundSettings) -> Iterator[Ask]:
    """Yield the first ask for each of the app's datasets."""
    if not is_refused(entry, now):
        for name in dataset_names(entry, settings):
            yield from _first_of_dataset(entry, name, now, settings)


def asks_after(ask: Ask, entry: Entry, now: float, settings: RoundSettings) -> list[Ask]:
    """Return the dataset's further asks once WeChat has answered `ask`, newest first."""
    if ask.dataset == DAILY_TREND.name:
        return _older_dates(entry, now, settings) if ask.newest else []
    if ask.dataset == QUOTA:
        return list(_quota_asks(entry, now, settings))
    enabled = settings.datasets.get(ask.dataset)
    return [] if enabled is None else _dataset_asks(entry, enabled, now, settings.interval)


def dataset_names(entry: Entry, settings: RoundSettings) -> list[str]:
    """Return the app's datasets beside the daily trend, quotas last."""
    names = [name for name in settings.datasets if entry.app.has(name)]
    return [*names, QUOTA] if settings.quota is not None and entry.app.has(QUOTA) else names


def is_refused(entry: Entry, now: float) -> bool:
    """Return whether WeChat has refused the account, so that no call must be made for the app."""
    failure = entry.health.failure
    return failure is not None and failure.refuses_account and entry.health.paused(now)


def waits_for_credential(health: Health, now: float) -> bool:
    """Return whether a changed credential would end a pause."""
    return health.fingerprint is not None and health.paused(now)


def _is_due(health: Health, now: float, *, credentials: bool) -> bool:
    return health.is_awaited(now) or (credentials and waits_for_credential(health, now))


def _newest(entry: Entry, now: float) -> Ask:
    return Ask(entry.app.appid, yesterday(now), newest=True)


def _missing(entry: Entry, now: float, settings: RoundSettings) -> list[Ask]:
    """Return an app's missing dates that had no call today (Beijing), newest first."""
    newest = yesterday(now)
    asked = {each.day for each in entry.empty_dates if yesterday(each.asked_at) == newest}
    return [
        ask
        for ask in _older_dates(entry, now, settings)
        if ask.day not in asked and entry.row(ask.day) is None
    ]


def _older_dates(entry: Entry, now: float, settings: RoundSettings) -> list[Ask]:
    """Return the asks for the daily trend's older dates, after yesterday's, newest first.

    These are missing dates of the window, and recent ones whose last call was before today (Beijing). For an
    app without any row the search goes some days further back. Older dates without a row in several rounds
    get one call a day, as the app may be younger than the window.
    """
    newest = yesterday(now)
    resting = {
        each.day
        for each in entry.empty_dates
        if each.asks >= ASKS_IN_A_ROW and yesterday(each.asked_at) == newest
    }
    fetched = {held.row.ref_date: held.asked_at for held in entry.rows}
    history, revisit = settings.history_days, settings.revisit_days
    span = history if fetched else max(history, LOOKBACK_DAYS)
    asks = []
    for back, day in enumerate(window(newest, max(span, revisit))):
        missing = day not in fetched and back < span and not (back >= LOOKBACK_DAYS and day in resting)
        stale = day in fetched and back < revisit and yesterday(fetched[day]) != newest
        if back > 0 and (missing or stale):
            asks.append(Ask(entry.app.appid, day, fallback=back >= history and not fetched))
    return asks


def _first_of_dataset(entry: Entry, name: str, now: float, settings: RoundSettings) -> Iterable[Ask]:
    if name == QUOTA:
        return list(_quota_asks(entry, now, settings))[:1]
    return _dataset_asks(entry, settings.datasets[name], now, settings.interval)[:1]


def _dataset_asks(entry: Entry, enabled: EnabledDataset, now: float, interval: float) -> list[Ask]:
    """Return the asks for a dataset's periods in a round at `now`, newest first and none twice."""
    dataset, table = enabled.dataset, entry.table(enabled.name)
    tried = {each.day: each.asked_at for each in table.empty_dates}
    required = dataset.schedule.required(dataset.calendar, dataset.selection.backs(enabled.settings), now)
    asked_before = bool(table.rows or table.empty_dates) and table.health.up
    early = asked_before and _is_early(entry, now)
    due: dict[Period, RequiredAnswer] = {}
    for answer in required:
        held_at, tried_at = _held_at(table, answer), tried.get(answer.period.first)
        if dataset.schedule.due(answer, now, interval, held_at=held_at, tried_at=tried_at, early=early):
            due.setdefault(answer.period, answer)
    return [
        Ask(
            entry.app.appid,
            period.first,
            newest=answer is required[0],
            dataset=enabled.name,
            label=answer.key,
        )
        for period, answer in due.items()
    ]


def _is_early(entry: Entry, now: float) -> bool:
    """Return whether WeChat has answered that it lacks yesterday's daily trend, as before the morning."""
    reason = entry.health.reason
    return reason is not None and reason.is_state and entry.row(yesterday(now)) is None


def _held_at(table: Table, answer: RequiredAnswer) -> float | None:
    """Return the Unix time of the call for the required answer; None if none is held that counts."""
    held = table.held(answer.period)
    if held is None or held.asked_at < answer.since:
        return None
    has = not answer.key or any(point.labels[0] == answer.key for point in held.row.points)
    return held.asked_at if has else None


def _quota_asks(entry: Entry, now: float, settings: RoundSettings) -> Iterator[Ask]:
    """Yield the asks for the quotas of the app's interfaces that are due in a round at `now`."""
    if settings.quota is None:
        return
    used = [each.dataset.path for each in settings.datasets.values() if entry.app.has(each.name)]
    paths = [DAILY_TREND.path, *used]
    for place, path in enumerate(paths):
        held = entry.quotas.get(path)
        asked_at = None if held is None else held.asked_at
        if quota_due(place, len(paths), now, settings.quota.interval, asked_at):
            yield Ask(entry.app.appid, yesterday(now), newest=True, dataset=QUOTA, label=path)
