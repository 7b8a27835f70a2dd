"""What to ask of the datasets beside the daily trend: pure functions of the clock and of what is held."""

from collections.abc import Iterator
from dataclasses import replace

from exporter.datasets.enabled import Enabled
from exporter.datasets.period import Period
from exporter.datasets.schedule import Want
from exporter.refresh.outcome import ATTEMPTS, concerns_account
from exporter.refresh.plan import Ask, Policy
from exporter.refresh.quota import quota_asks
from exporter.store.entry import Entry, Table


def dataset_asks(entry: Entry, enabled: Enabled, now: float, interval: float) -> list[Ask]:
    """The periods of a dataset to ask for in a round at `now`, newest first and none twice."""
    dataset, table = enabled.dataset, entry.table(enabled.name)
    tried = {vacant.day: vacant.asked_at for vacant in table.vacant}
    wants = dataset.schedule.wants(dataset.calendar, dataset.selection.backs(enabled.settings), now)
    due: dict[Period, Want] = {}
    for want in wants:
        held_at, tried_at = _held_at(table, want), tried.get(want.period.first)
        if dataset.schedule.due(want, now, interval, held_at=held_at, tried_at=tried_at):
            due.setdefault(want.period, want)
    return [
        Ask(entry.app.appid, period.first, newest=want is wants[0], dataset=enabled.name, label=want.key)
        for period, want in due.items()
    ]


def first_asks(entry: Entry, now: float, policy: Policy) -> Iterator[Ask]:
    """One ask of each of the app's datasets, which the others follow, and those of its quotas."""
    if is_paused(entry, now):
        return
    for enabled in policy.datasets:
        health = entry.table(enabled.name).health
        if enabled.belongs_to(entry.app) and (health.fingerprint is not None or not health.paused(now)):
            yield from dataset_asks(entry, enabled, now, policy.interval)[:1]
    yield from quota_asks(entry, now, policy)


def awaited_asks(entry: Entry, now: float, policy: Policy) -> Iterator[Ask]:
    """One ask, without retries, of each dataset that is not to wait for the next round."""
    for ask in first_asks(entry, now, policy):
        if entry.table(ask.dataset).health.is_awaited(now):
            yield replace(ask, attempt=ATTEMPTS)


def is_paused(entry: Entry, now: float) -> bool:
    """Whether nothing at all must be asked for the app: WeChat has refused the account, not a dataset."""
    failure = entry.health.failure
    return failure is not None and concerns_account(failure) and entry.health.paused(now)


def _held_at(table: Table, want: Want) -> float | None:
    """When the answer that is wanted was asked for; None where none is held that counts."""
    held = table.held(want.period)
    if held is None or held.asked_at < want.since:
        return None
    has = not want.key or any(point.labels[0] == want.key for point in held.row.points)
    return held.asked_at if has else None
