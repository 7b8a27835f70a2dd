"""The exporter's own metrics: their table, the recording of values, and their text for a scrape."""

import sys
from collections.abc import Callable, Collection, Iterable
from typing import Final, NamedTuple

from prometheus_client import (
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)

from exporter import __version__
from exporter.discovery.platform_state import PlatformState
from exporter.exposition.cached_registry import END_MARK, CachedRegistry
from exporter.shards import Shard
from exporter.wechat import endpoints
from exporter.wechat.endpoints import Endpoint
from exporter.wechat.failures.failure import Reason


class OwnMetric(NamedTuple):
    """A metric of the table: name without prefix and without a counter's `_total`, help text, labels."""

    name: str
    help: str
    labels: tuple[str, ...] = ()


_PREFIX: Final = "wechat_miniprogram_exporter_"
_BUCKETS: Final = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)  # seconds; WeChat usually answers in 0.1 to 0.5
_PLATFORM: Final = ("platform",)
_GAUGES: Final = (
    OwnMetric("build_info", "Version of the exporter and of Python; always 1.", ("version", "pythonversion")),
    OwnMetric("apps", "Apps configured or discovered."),
    OwnMetric("refresh_round_duration_seconds", "How long the last round over all apps took."),
    OwnMetric("refresh_interval_seconds", "The configured time between the starts of two rounds."),
    OwnMetric("hung_calls", "Calls given up long after their deadline whose threads have not come back."),
    OwnMetric("config_last_reload_successful", "Whether the last reading of the configuration succeeded."),
    OwnMetric(
        "config_last_reload_success_timestamp_seconds",
        "When the configuration was last read with success, Unix time.",
    ),
    OwnMetric("shard", "Which of the total_shards this exporter is, from 0."),
    OwnMetric("total_shards", "Among how many shards the apps are divided; 1: not at all."),
    OwnMetric(
        "shard_info",
        "Which shard this exporter is, as labels to join with; always 1.",
        ("shard", "total_shards"),
    ),
    OwnMetric(
        "verify_ticket_timestamp_seconds",
        "When the platform's newest component_verify_ticket came, Unix time; it is good for 12 hours.",
        _PLATFORM,
    ),
    OwnMetric("discovered_apps", "Accounts of the platform that became apps.", _PLATFORM),
    OwnMetric(
        "authorizers_without_mini_program",
        "Accounts that have authorised the platform, but are no mini programs (official accounts).",
        _PLATFORM,
    ),
    OwnMetric(
        "authorizers_without_refresh_token",
        "Accounts that have authorised the platform, but whose authorisation code was never exchanged.",
        _PLATFORM,
    ),
    OwnMetric(
        "discovery_last_success_timestamp_seconds",
        "When the platform's accounts were last listed, Unix time.",
        _PLATFORM,
    ),
)
_LAST_WRITE: Final = OwnMetric(
    "storage_last_write_timestamp_seconds",
    "When the storage last took a write, Unix time; absent before the first and with memory://.",
)
_COUNTERS: Final = (
    OwnMetric("rows_revised", "Rows for which WeChat later gave other figures."),
    OwnMetric(
        "points_dropped",
        "Pages, sources or keys left out of rows, over the most that a row keeps; the log says of which app.",
    ),
    OwnMetric(
        "storage_errors",
        "Writes to the storage that failed; rows are on show from memory until one succeeds.",
    ),
)
_CALL_COUNTERS: Final = (
    OwnMetric("api_requests", "Calls that left the exporter.", ("endpoint",)),
    OwnMetric(
        "api_request_failures",
        "Calls that failed, by reason; not_ready and empty are states, counted by api_request_states.",
        ("endpoint", "reason"),
    ),
    OwnMetric(
        "api_request_states",
        "Calls that WeChat answered without a row, by state: nothing is wrong.",
        ("endpoint", "reason"),
    ),
)
_CALL_DURATION: Final = OwnMetric(
    "api_request_duration_seconds", "How long calls took, from connecting to the last byte.", ("endpoint",)
)


class Telemetry:
    """Records and renders the metrics, from any thread; `events` counts rounds and reloads."""

    def __init__(self, clock: Callable[[], float]) -> None:
        disable_created_metrics()  # the library has only a setting for the whole process
        self._clock = clock
        self.events = 0
        self._process, self._calls, self._states = CachedRegistry(), CachedRegistry(), CachedRegistry()
        ProcessCollector(registry=self._process.registry)
        PlatformCollector(registry=self._process.registry)
        states, calls = self._states.registry, self._calls.registry
        self._gauges = {
            name: Gauge(_PREFIX + name, text, labels, registry=states) for name, text, labels in _GAUGES
        }
        self._counters = {
            name: Counter(_PREFIX + name, text, labels, registry=registry)
            for registry, rows in ((states, _COUNTERS), (calls, _CALL_COUNTERS))
            for name, text, labels in rows
        }
        name, text, labels = _CALL_DURATION
        self._duration = Histogram(_PREFIX + name, text, labels, buckets=_BUCKETS, registry=calls)
        self._set("build_info", 1, __version__, ".".join(map(str, sys.version_info[:3])))
        self.expect(endpoints.ALWAYS)

    def expect(self, callable_: Iterable[Endpoint]) -> None:
        """Begin the counters of these interfaces at 0, as increase() misses a counter that appears at 1."""
        for endpoint in callable_:
            self._counters["api_requests"].labels(endpoint.name)
            self._duration.labels(endpoint.name)
            for reason in Reason:
                self._counters["api_request_failures"].labels(endpoint.name, reason.value)
                if reason.is_state:
                    self._counters["api_request_states"].labels(endpoint.name, reason.value)
        self._calls.touch()

    def call(self, endpoint: Endpoint, seconds: float, reason: Reason | None) -> None:
        """Count a call and its length in seconds; `reason` is None for a success."""
        self._counters["api_requests"].labels(endpoint.name).inc()
        self._duration.labels(endpoint.name).observe(seconds)
        if reason is not None:
            name = "api_request_states" if reason.is_state else "api_request_failures"
            self._counters[name].labels(endpoint.name, reason.value).inc()
        self._calls.touch()

    def round_finished(self, seconds: float) -> None:
        """Record how long a round over all apps took."""
        self._set("refresh_round_duration_seconds", seconds)
        self.events += 1

    def calls_hang(self, count: int) -> None:
        """Record the number of calls that hang and still hold their threads."""
        self._set("hung_calls", count)

    def row_revised(self) -> None:
        """Count a row whose figures WeChat has changed."""
        self._counters["rows_revised"].inc()
        self._states.touch()

    def points_dropped(self, count: int) -> None:
        """Count points that a row had over its dataset's cap."""
        self._counters["points_dropped"].inc(count)
        self._states.touch()

    def storage_written(self, succeeded: bool) -> None:  # noqa: FBT001 - a store reports nothing else
        """Record the time of a successful write to the storage, or count a failed one."""
        if not succeeded:
            self._counters["storage_errors"].inc()
            self._states.touch()
            return
        if _LAST_WRITE.name not in self._gauges:  # not before a success: 0 would be a wrong time
            name, text, labels = _LAST_WRITE
            self._gauges[name] = Gauge(_PREFIX + name, text, labels, registry=self._states.registry)
        self._set(_LAST_WRITE.name, self._clock())

    def configured(self, apps: int, interval: float) -> None:
        """Record a configuration in force: its number of apps, and the seconds between rounds."""
        self._set("apps", apps)
        self._set("refresh_interval_seconds", interval)
        self.reload_succeeded()

    def found_apps(self, apps: int) -> None:
        """Record the number of apps after a discovery."""
        self._set("apps", apps)

    def reload_succeeded(self) -> None:
        """Record that the configuration read last is in force."""
        self._set("config_last_reload_successful", 1)
        self._set("config_last_reload_success_timestamp_seconds", self._clock())
        self.events += 1

    def reload_failed(self) -> None:
        """Record that a new configuration was refused and the old one stays."""
        self._set("config_last_reload_successful", 0)
        self.events += 1

    def sharded(self, shard: Shard) -> None:
        """Record the exporter's shard."""
        self._set("shard", shard.number)
        self._set("total_shards", shard.total)
        self._gauges["shard_info"].clear()
        self._set("shard_info", 1, str(shard.number), str(shard.total))

    def platforms(self, states: Collection[PlatformState]) -> None:
        """Record the states of the configured third-party platforms, and remove the series of others.

        Series exist from the start, as an alert on an absent one would not fire.
        """
        for name, _, labels in _GAUGES:
            if labels == _PLATFORM:
                self._gauges[name].clear()
        for state in states:
            self._set("verify_ticket_timestamp_seconds", state.ticket_at or 0.0, state.name)
            if state.discovers:
                self._set("discovered_apps", state.apps, state.name)
                self._set("authorizers_without_mini_program", state.others, state.name)
                self._set("authorizers_without_refresh_token", state.without_token, state.name)
                self._set("discovery_last_success_timestamp_seconds", state.listed_at or 0.0, state.name)
        self._states.touch()

    def render(self, *, openmetrics: bool) -> bytes:
        """Return the exporter's own metrics, the end of the page, with the end mark in OpenMetrics."""
        self._process.touch()
        parts = (self._states, self._calls, self._process)
        return b"".join(
            (*(part.render(openmetrics=openmetrics) for part in parts), END_MARK if openmetrics else b"")
        )

    def _set(self, name: str, value: float, *labels: str) -> None:
        gauge = self._gauges[name]
        (gauge.labels(*labels) if labels else gauge).set(value)
        self._states.touch()
