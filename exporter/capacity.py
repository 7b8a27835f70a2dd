"""What a configuration asks of WeChat, this machine and Prometheus; figures: docs/performance.md."""

from dataclasses import dataclass
from typing import Final

from exporter.config.settings import Config
from exporter.exposition.families import BY_DATE, DAILY
from exporter.trend import DAY_SECONDS
from exporter.wechat.tokens import RENEWAL_MARGIN

_HEALTH_SERIES: Final = 5  # up, three times, info; one more while an app fails
_SERIES_BYTES: Final = 95  # one sample line, measured
_GZIP_RATIO: Final = 11  # plain over compressed, measured
_BASE_BYTES: Final = 60_000_000  # resident, without any app
_APP_KIB: Final = 2.2  # resident, without its series
_SERIES_KIB: Final = 0.17  # resident, per series: its line, its share of the compressed page, its row
_TOKEN_SECONDS: Final = 7200 - RENEWAL_MARGIN  # how long a token is used
_LATENCY_SECONDS: Final = 0.2  # of an answer, where nothing was measured
_TENTH_OF_A_MEGABYTE: Final = 100_000

MOST_SERIES: Final = 1_000_000
"""Prometheus takes more from one target, but a scrape of so many takes seconds on both sides."""


@dataclass(frozen=True, slots=True)
class Load:
    """What running with a configuration costs; `round_calls` has the tokens that one round may need."""

    apps: int
    series: int
    page_bytes: int
    gzip_bytes: int
    resident_bytes: int
    calls_per_day: int
    round_calls: int
    round_seconds: float
    latency: float


def estimate(config: Config, apps: int, latency: float | None = None) -> Load:
    """The load of so many apps, once their window of dates is full.

    `latency`: seconds that an answer of WeChat's takes, where it was measured.
    """
    refresh = config.refresh
    latency = _LATENCY_SECONDS if latency is None else latency
    by_date = len(BY_DATE) * refresh.history_days if refresh.history_days > 1 else 0
    series = apps * (len(DAILY) + by_date + _HEALTH_SERIES)
    rounds = DAY_SECONDS / refresh.interval
    again = max(refresh.revisit_days - 1, 0)
    tokens = min(rounds, DAY_SECONDS / _TOKEN_SECONDS)
    page = series * _SERIES_BYTES
    round_calls = 2 * apps
    rate = refresh.requests_per_second
    return Load(
        apps=apps,
        series=series,
        page_bytes=page,
        gzip_bytes=page // _GZIP_RATIO,
        resident_bytes=_BASE_BYTES + round((apps * _APP_KIB + series * _SERIES_KIB) * 1024),
        calls_per_day=round(apps * (rounds + again + tokens)),
        round_calls=round_calls,
        round_seconds=max(
            round_calls / rate if rate else 0.0,
            round_calls * latency / min(refresh.concurrency, max(apps, 1)),
        ),
        latency=latency,
    )


def told(load: Load) -> str:
    """One line for the operator."""
    apps = "1 app" if load.apps == 1 else f"{load.apps:,} apps"
    return (
        f"{apps}: {load.series:,} series, {_megabytes(load.page_bytes)} a scrape "
        f"({_megabytes(load.gzip_bytes)} with gzip), about {_megabytes(load.resident_bytes)} of memory, "
        f"{load.calls_per_day:,} calls to WeChat a day"
    )


def warnings(load: Load, config: Config) -> list[str]:
    """What will not go well, and what to change."""
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
