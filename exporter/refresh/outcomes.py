"""The result of a call, and the change that it makes to the app's entry."""

from dataclasses import dataclass, replace

from exporter.datasets.daily_trend import DAILY_TREND
from exporter.datasets.dataset import Row
from exporter.datasets.quota import QUOTA
from exporter.refresh.plan import Ask
from exporter.refresh.retries import (
    Random,
    after_failure,
    after_older_row,
    after_row,
    concerns_date,
    fails_as_a_whole,
    outlasts_date,
)
from exporter.refresh.round_settings import RoundSettings
from exporter.store.entry import EmptyDate, Entry, Health, HeldQuota, HeldRow, with_empty_date
from exporter.wechat.failures.failure import Failure


@dataclass(frozen=True, slots=True)
class FetchResult:
    """The result of an ask: called at `began`, answered at `now` (Unix times).

    `credential` is the fingerprint of a refused credential.
    """

    ask: Ask
    outcome: HeldRow | HeldQuota | Failure
    began: float
    now: float
    token_expires_at: float | None = None
    credential: bytes | None = None

    @property
    def failure(self) -> Failure | None:
        """Return why there is no row; None if there is one."""
        return self.outcome if isinstance(self.outcome, Failure) else None

    @property
    def kind(self) -> str:
        """Return `rows`, `quotas` or a reason."""
        if isinstance(self.outcome, Failure):
            return self.outcome.reason.value
        return "rows" if isinstance(self.outcome, HeldRow) else "quotas"

    @property
    def is_of_date(self) -> bool:
        """Return whether the result concerns its date alone, so that others may have rows."""
        has_date = self.ask.dataset != QUOTA
        return self.failure is None or (has_date and concerns_date(self.failure))


def entry_after(entry: Entry, result: FetchResult, settings: RoundSettings, random: Random) -> Entry:
    """Return an app's entry after a call; the ledger adds the row."""
    ask, outcome = result.ask, result.outcome
    table = entry.table(ask.dataset)
    health, empty_dates = table.health, table.empty_dates
    entry = replace(entry, token_expires_at=result.token_expires_at)
    # With the newest week or month held, a call for an older one may be the only one for weeks.
    decides = health.last_refresh is None or fails_as_a_whole(health, result.began, result.now)
    if isinstance(outcome, Failure):
        if ask.newest or outlasts_date(outcome) or (decides and not concerns_date(outcome)):
            health = _failed(health, result, outcome, settings, random)
        elif decides:
            health = Health(last_refresh=result.now, last_success=health.last_success)
        if result.is_of_date and not ask.starts_app:
            empty_dates = _with_empty_date(empty_dates, result, settings)
        if ask.dataset != DAILY_TREND.name and outcome.refuses_account and outcome.action.pauses:
            entry = replace(entry, health=_failed(entry.health, result, outcome, settings, random))
    elif ask.newest or decides:
        health = after_row(health, result.began, result.now)
    else:
        health = after_older_row(health, result.now)
    if isinstance(outcome, HeldQuota):
        entry = replace(entry, quotas={**entry.quotas, ask.label: outcome})
    elif isinstance(outcome, HeldRow):
        if ask.label and all(point.labels[0] != ask.label for point in outcome.row.points):
            empty_dates = _with_empty_date(empty_dates, result, settings)
        else:
            empty_dates = tuple(each for each in empty_dates if each.day != ask.day)
    return entry.with_table(ask.dataset, replace(table, health=health, empty_dates=empty_dates))


def with_freed(entry: Entry, dataset: str) -> Entry:
    """Return an app's entry without a dataset's pause, as the refused credential has changed."""
    table = entry.table(dataset)
    health = replace(table.health, next_try=None, strikes=0, fingerprint=None)
    return entry.with_table(dataset, replace(table, health=health))


def is_revised(old: Row, new: Row) -> bool:
    """Return whether WeChat has changed a figure; points that come or go do not count."""
    before = {point.labels: point.values for point in old.points}
    return any(before.get(point.labels, point.values) != point.values for point in new.points)


def _failed(
    health: Health, result: FetchResult, failure: Failure, settings: RoundSettings, random: Random
) -> Health:
    after = after_failure(health, failure, result.began, result.now, random, settings.interval)
    return after if after is health else replace(after, fingerprint=result.credential)


def _with_empty_date(
    empty_dates: tuple[EmptyDate, ...], result: FetchResult, settings: RoundSettings
) -> tuple[EmptyDate, ...]:
    return with_empty_date(empty_dates, result.ask.day, result.now, settings.keep_days(result.ask.dataset))
