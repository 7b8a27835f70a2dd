"""The cost of a configuration for WeChat, this machine and Prometheus; measured in docs/performance.md."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from exporter.beijing import DAY_SECONDS, midnight
from exporter.config.datasets import DatasetSettings
from exporter.config.settings import Config
from exporter.datasets.catalogue import BY_NAME
from exporter.datasets.dataset import Dataset
from exporter.datasets.quota import QUOTA, QUOTA_FIELDS
from exporter.datasets.schedule import RequiredAnswer, Schedule
from exporter.datasets.visit_distribution import VISIT_DISTRIBUTION
from exporter.datasets.visit_pages import VISIT_PAGES
from exporter.exposition.app_families import BY_DATE, DAILY
from exporter.wechat.tokens.cache import RENEWAL_MARGIN

_HEALTH_SERIES: Final = 8  # up, three times, info; the dataset's; two more while an app fails
_SERIES_BYTES: Final = 95  # one sample line, measured
_GZIP_RATIO: Final = 11  # plain over compressed, measured
_BASE_BYTES: Final = 60_000_000  # resident, without any app
_APP_KIB: Final = 2.2  # resident, without its series
_SERIES_KIB: Final = 0.17  # resident, per series: its line, its share of the compressed page, its row
_TOKEN_SECONDS: Final = 7200 - RENEWAL_MARGIN  # seconds that a token is in use
_LATENCY_SECONDS: Final = 0.2  # assumed seconds per answer
_DATASET_HEALTH_SERIES: Final = 3  # up, two times
_DISTRIBUTION_SERIES: Final = 56  # of two figures by some twenty sources, and two tables of 8 and 7
_MONDAY_THE_FIRST: Final = date(2026, 6, 1)  # a day, a week and a month begin
_DAYS: Final = {"day": 1, "week": 7, "month": 30}
_SETTLED_DAYS: Final = 3
_PUBLISHED_SECONDS: Final = 8 * 3600  # after midnight, most mornings
_TENTH_OF_A_MEGABYTE: Final = 100_000

MOST_SERIES: Final = 1_000_000
"""Prometheus accepts more from one target, but such a scrape takes seconds on both sides."""


@dataclass(frozen=True, slots=True)
class Load:
    """The cost of running a configuration; `round_calls` includes the tokens that one round may need.

    `dataset_calls`: calls a day for an app with all datasets, beside those for the daily trend.
    """

    apps: int
    series: int
    page_bytes: int
    gzip_bytes: int
    resident_bytes: int
    calls_per_day: int
    dataset_calls: float
    round_calls: int
    round_seconds: float
    latency: float


def estimate(config: Config, apps: int, latency: float | None = None) -> Load:
    """Return the load of `apps` apps once their windows of dates are full.

    `latency`: seconds per answer of WeChat's, None if not measured.
    """
    refresh = config.refresh
    latency = _LATENCY_SECONDS if latency is None else latency
    by_date = len(BY_DATE) * refresh.history_days if refresh.history_days > 1 else 0
    costs = [_cost(settings, refresh.interval, len(config.datasets)) for settings in config.datasets]
    having = [_having(config, settings.name, apps) for settings in config.datasets]
    series = apps * (len(DAILY) + by_date + _HEALTH_SERIES)
    series += sum(each.series * count for each, count in zip(costs, having, strict=True))
    rounds = DAY_SECONDS / refresh.interval
    again = max(refresh.revisit_days - 1, 0)
    tokens = min(rounds, DAY_SECONDS / _TOKEN_SECONDS)
    page = series * _SERIES_BYTES
    round_calls = 2 * apps + sum(each.at_once * count for each, count in zip(costs, having, strict=True))
    of_datasets = sum(each.calls * count for each, count in zip(costs, having, strict=True))
    rate = refresh.requests_per_second
    return Load(
        apps=apps,
        series=series,
        page_bytes=page,
        gzip_bytes=page // _GZIP_RATIO,
        resident_bytes=_BASE_BYTES + round((apps * _APP_KIB + series * _SERIES_KIB) * 1024),
        calls_per_day=round(apps * (rounds + again + tokens) + of_datasets),
        dataset_calls=sum(each.calls for each in costs),
        round_calls=round_calls,
        round_seconds=max(
            round_calls / rate if rate else 0.0,
            round_calls * latency / min(refresh.concurrency, max(apps, 1)),
        ),
        latency=latency,
    )


@dataclass(frozen=True, slots=True)
class _Cost:
    """The cost of an app's dataset: series, mean calls a day, and the most calls in a round."""

    series: int
    calls: float
    at_once: int


def _cost(settings: DatasetSettings, interval: float, datasets: int) -> _Cost:
    if settings.name == QUOTA:  # of every interface in use: the daily trend's in the place of its own
        calls = datasets * DAY_SECONDS / max(settings.interval, interval)
        return _Cost(len(QUOTA_FIELDS) * datasets + _DATASET_HEALTH_SERIES, calls, 1)
    dataset = BY_NAME[settings.name]
    each = len(dataset.fields) + len(dataset.moments)
    shown = (1 + settings.history if dataset.dated else 1) * _points(dataset, settings)
    start = float(midnight(_MONDAY_THE_FIRST))
    required = dataset.schedule.required(dataset.calendar, dataset.selection.backs(settings), start)
    fresh = [answer for answer in required if answer.since >= start]
    calls = sum(_asks(dataset.schedule, answer, start, interval) for answer in fresh)
    return _Cost(each * shown + _DATASET_HEALTH_SERIES, calls / _DAYS[dataset.calendar.name], len(fresh))


def _points(dataset: Dataset, settings: DatasetSettings) -> int:
    """Return the usual number of series per row."""
    if dataset is VISIT_PAGES:
        return settings.top + 1
    if dataset is VISIT_DISTRIBUTION:
        return _DISTRIBUTION_SERIES // len(dataset.fields)
    return len(settings.days) or 1


def _asks(schedule: Schedule, answer: RequiredAnswer, start: float, interval: float) -> int:
    """Return the number of calls for a period's answer if WeChat has it in the morning."""
    held_at = tried_at = None
    asks, now = 0, start
    while now < start + _SETTLED_DAYS * DAY_SECONDS:
        early = now - start < _PUBLISHED_SECONDS
        if schedule.due(answer, now, interval, held_at=held_at, tried_at=tried_at, early=early):
            asks += 1
            if early:
                tried_at = now
            else:
                held_at = now
        now += interval
    return asks


def _having(config: Config, name: str, apps: int) -> int:
    """Return the number of apps that have the dataset; discovered apps have all datasets."""
    without = sum(app.datasets is not None and name not in app.datasets for app in config.apps)
    return max(0, apps - without)


def summary(load: Load) -> str:
    """Return a line for the operator."""
    per_app = f", {load.calls_per_day / max(load.apps, 1):.0f} per app"
    datasets = f"{per_app}, {load.dataset_calls:.0f} of them for datasets" if load.dataset_calls else ""
    apps = "1 app" if load.apps == 1 else f"{load.apps:,} apps"
    return (
        f"{apps}: {load.series:,} series, {_megabytes(load.page_bytes)} a scrape "
        f"({_megabytes(load.gzip_bytes)} with gzip), about {_megabytes(load.resident_bytes)} of memory, "
        f"{load.calls_per_day:,} calls to WeChat a day{datasets}"
    )


def warnings(load: Load, config: Config) -> list[str]:
    """Return warnings, each with the setting to change."""
    found = []
    if load.round_seconds > config.refresh.interval:
        found.append(
            f"a round over {load.apps:,} apps takes about {load.round_seconds:.0f} s, longer than "
            f"refresh.interval ({config.refresh.interval:.0f} s): {load.round_calls:,} calls with those for "
            f"tokens, at refresh.requests_per_second {config.refresh.requests_per_second:g} and "
            f"refresh.concurrency {config.refresh.concurrency}, {load.latency:.2f} s each: raise one of them"
        )
    if load.series > MOST_SERIES:
        found.append(
            f"{load.series:,} series in one scrape: set refresh.history_days to 1, or split the apps over "
            "several exporters; see docs/performance.md for what Prometheus needs"
        )
    return found


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.1f} MB" if count >= _TENTH_OF_A_MEGABYTE else f"{count / 1e3:.0f} kB"
