"""Which quotas to ask for: a pure function of the clock and of what is held."""

from collections.abc import Iterator

from exporter.beijing import yesterday
from exporter.datasets.daily_trend import DAILY_TREND
from exporter.datasets.quota import QUOTA, quota_due
from exporter.refresh.plan import Ask, Policy
from exporter.store.entry import Entry


def quota_asks(entry: Entry, now: float, policy: Policy) -> Iterator[Ask]:
    """The quotas of the app's interfaces that are due in a round at `now`."""
    settings = policy.quota
    if settings is None or not entry.app.has(QUOTA):
        return
    health = entry.table(QUOTA).health
    if health.fingerprint is None and health.paused(now):
        return
    paths = [DAILY_TREND.path, *(each.dataset.path for each in policy.datasets if entry.app.has(each.name))]
    for place, path in enumerate(paths):
        held = entry.quotas.get(path)
        asked_at = None if held is None else held.asked_at
        if quota_due(place, len(paths), now, settings.interval, asked_at):
            yield Ask(entry.app.appid, yesterday(now), newest=True, dataset=QUOTA, label=path)
