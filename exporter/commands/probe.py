"""A probe of one app: a call for the daily trend, then one for each of the app's datasets."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Final

from structlog.typing import FilteringBoundLogger

from exporter.config.datasets import DatasetSettings
from exporter.datasets.catalogue import BY_NAME
from exporter.datasets.daily_trend import DAILY_TREND
from exporter.datasets.dataset import Row
from exporter.datasets.period import DAY
from exporter.datasets.quota import QUOTA
from exporter.wechat.access import Access, attempt
from exporter.wechat.failures.failure import Failure, Reason

_UNHEARD: Final = frozenset({Reason.NETWORK, Reason.TIMEOUT})


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """The daily trend's answer, and by dataset the failure, or None after a good answer."""

    trend: Row | Failure
    datasets: tuple[tuple[str, Failure | None], ...] = ()

    @property
    def trend_refused(self) -> bool:
        """Return whether the daily trend failed; a row that is not ready yet is no failure."""
        return _is_failure(self.trend)

    @property
    def refused(self) -> bool:
        """Return whether any call failed."""
        return any(map(_is_failure, (self.trend, *(problem for _, problem in self.datasets))))


def _is_failure(outcome: Row | Failure | None) -> bool:
    return isinstance(outcome, Failure) and not outcome.reason.is_state


def probe(
    access: Access, datasets: tuple[DatasetSettings, ...], yesterday: date, log: FilteringBoundLogger
) -> ProbeResult:
    """Ask for the newest periods that are over; `yesterday` is in Beijing."""
    trend = _trend(access, yesterday, log)
    if isinstance(trend, Failure) and (trend.refuses_account or trend.reason in _UNHEARD):
        return ProbeResult(trend)  # the other datasets would fail too
    return ProbeResult(trend, tuple(_others(access, datasets, yesterday, log)))


def _trend(access: Access, yesterday: date, log: FilteringBoundLogger) -> Row | Failure:
    newest = DAY.newest(yesterday)
    outcome = attempt(partial(access.fetch, DAILY_TREND, newest), log)
    if isinstance(outcome, Failure) and outcome.reason.is_state:  # WeChat publishes it by noon
        before = attempt(partial(access.fetch, DAILY_TREND, DAY.earlier(newest)), log)
        return outcome if isinstance(before, Failure) and before.reason.is_state else before
    return outcome


def _others(
    access: Access, datasets: tuple[DatasetSettings, ...], yesterday: date, log: FilteringBoundLogger
) -> Iterator[tuple[str, Failure | None]]:
    for settings in datasets:
        if settings.name == QUOTA:
            found: object = attempt(partial(access.quota, DAILY_TREND.path), log)
        else:
            dataset = BY_NAME[settings.name]
            back = min(dataset.selection.backs(settings))  # for cohorts, the newest one that has a key
            period = dataset.calendar.earlier(dataset.calendar.newest(yesterday), back)
            found = attempt(partial(access.fetch, dataset, period), log)
        yield settings.name, found if isinstance(found, Failure) else None
