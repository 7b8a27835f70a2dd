"""The exporter's own metrics: counted as things happen, rendered at the scrape."""

import sys
from collections.abc import Callable, Collection, Iterable
from typing import Final

from prometheus_client import (
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)

from exporter import __version__
from exporter.discovery.state import PlatformState
from exporter.exposition.part import END_MARK, Part
from exporter.shards import Shard
from exporter.wechat import endpoints
from exporter.wechat.endpoints import Endpoint
from exporter.wechat.failures.failure import Reason

_PREFIX: Final = "wechat_miniprogram_exporter"
_BUCKETS: Final = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)  # seconds; WeChat usually answers in 0.1 to 0.5


class Telemetry:
    """Counts what the exporter does; safe to use from many threads."""

    def __init__(self, clock: Callable[[], float]) -> None:
        disable_created_metrics()  # the library knows no other way than for the whole process
        self._clock = clock
        self.events = 0  # rounds and reloads so far: after one, an answer made before it is old
        self._process, self._calls, self._states = Part(), Part(), Part()
        ProcessCollector(registry=self._process.registry)
        PlatformCollector(registry=self._process.registry)
        self._make_gauges()
        self._make_platform_gauges()
        self._requests = Counter(
            f"{_PREFIX}_api_requests",
            "Calls that left the exporter.",
            ["endpoint"],
            registry=self._calls.registry,
        )
        self._failures = Counter(
            f"{_PREFIX}_api_request_failures",
            "Calls that failed, by reason; not_ready and empty are states, counted by api_request_states.",
            ["endpoint", "reason"],
            registry=self._calls.registry,
        )
        self._not_yet = Counter(
            f"{_PREFIX}_api_request_states",
            "Calls that WeChat answered without a row, by state: nothing is wrong.",
            ["endpoint", "reason"],
            registry=self._calls.registry,
        )
        self._duration = Histogram(
            f"{_PREFIX}_api_request_duration_seconds",
            "How long calls took, from connecting to the last byte.",
            ["endpoint"],
            buckets=_BUCKETS,
            registry=self._calls.registry,
        )
        self._rows_revised = Counter(
            f"{_PREFIX}_rows_revised",
            "Rows for which WeChat later gave other figures.",
            registry=self._states.registry,
        )
        self._storage_errors = Counter(
            f"{_PREFIX}_storage_errors",
            "Writes to the storage that failed; rows are on show from memory until one succeeds.",
            registry=self._states.registry,
        )
        self._storage_written_at: Gauge | None = None
        self.expect(endpoints.ALWAYS)

    def expect(self, callable_: Iterable[Endpoint]) -> None:
        """Begin the counters of these interfaces at 0: one that is born at 1 never fires increase()."""
        for endpoint in callable_:
            self._requests.labels(endpoint.name)
            self._duration.labels(endpoint.name)
            for reason in Reason:
                self._failures.labels(endpoint.name, reason.value)
                if reason.is_state:
                    self._not_yet.labels(endpoint.name, reason.value)
        self._calls.touch()

    def _make_gauges(self) -> None:
        build = Gauge(
            f"{_PREFIX}_build_info",
            "Version of the exporter and of Python; always 1.",
            ["version", "pythonversion"],
            registry=self._states.registry,
        )
        build.labels(__version__, ".".join(map(str, sys.version_info[:3]))).set(1)
        self._apps = Gauge(
            f"{_PREFIX}_apps", "Apps configured or discovered.", registry=self._states.registry
        )
        self._round = Gauge(
            f"{_PREFIX}_refresh_round_duration_seconds",
            "How long the last round over all apps took.",
            registry=self._states.registry,
        )
        self._interval = Gauge(
            f"{_PREFIX}_refresh_interval_seconds",
            "The configured time between the starts of two rounds.",
            registry=self._states.registry,
        )
        self._hung = Gauge(
            f"{_PREFIX}_hung_calls",
            "Calls given up long after their deadline whose threads have not come back.",
            registry=self._states.registry,
        )
        self._reload_ok = Gauge(
            f"{_PREFIX}_config_last_reload_successful",
            "Whether the last reading of the configuration succeeded.",
            registry=self._states.registry,
        )
        self._reload_at = Gauge(
            f"{_PREFIX}_config_last_reload_success_timestamp_seconds",
            "When the configuration was last read with success, Unix time.",
            registry=self._states.registry,
        )

        self._shard = Gauge(
            f"{_PREFIX}_shard",
            "Which of the total_shards this exporter is, from 0.",
            registry=self._states.registry,
        )
        self._total_shards = Gauge(
            f"{_PREFIX}_total_shards",
            "Among how many shards the apps are divided; 1: not at all.",
            registry=self._states.registry,
        )
        self._shard_info = Gauge(
            f"{_PREFIX}_shard_info",
            "Which shard this exporter is, as labels to join with; always 1.",
            ["shard", "total_shards"],
            registry=self._states.registry,
        )

    def _make_platform_gauges(self) -> None:
        def gauge(name: str, text: str) -> Gauge:
            return Gauge(f"{_PREFIX}_{name}", text, ["platform"], registry=self._states.registry)

        self._ticket_at = gauge(
            "verify_ticket_timestamp_seconds",
            "When the platform's newest component_verify_ticket came, Unix time; it is good for 12 hours.",
        )
        self._discovered = gauge("discovered_apps", "Accounts of the platform that became apps.")
        self._without_mini_program = gauge(
            "authorizers_without_mini_program",
            "Accounts that have authorised the platform, but are no mini programs (official accounts).",
        )
        self._without_token = gauge(
            "authorizers_without_refresh_token",
            "Accounts that have authorised the platform, but whose authorisation code was never exchanged.",
        )
        self._discovered_at = gauge(
            "discovery_last_success_timestamp_seconds",
            "When the platform's accounts were last listed, Unix time.",
        )

    def call(self, endpoint: Endpoint, seconds: float, reason: Reason | None) -> None:
        """One call is over; `reason` is None where it brought what was asked for."""
        self._requests.labels(endpoint.name).inc()
        self._duration.labels(endpoint.name).observe(seconds)
        if reason is not None:
            counter = self._not_yet if reason.is_state else self._failures
            counter.labels(endpoint.name, reason.value).inc()
        self._calls.touch()

    def round_finished(self, seconds: float) -> None:
        """A round over all apps took so long."""
        self._round.set(seconds)
        self._states.touch()
        self.events += 1

    def row_revised(self) -> None:
        """WeChat gave other figures for a date that was held."""
        self._rows_revised.inc()
        self._states.touch()

    def storage_written(self, succeeded: bool) -> None:  # noqa: FBT001 - a store tells nothing else
        """A write to the storage is over."""
        if succeeded:
            self._storage_written()
        else:
            self._storage_errors.inc()
        self._states.touch()

    def _storage_written(self) -> None:
        if self._storage_written_at is None:  # not before: 0 would be a wrong time
            self._storage_written_at = Gauge(
                f"{_PREFIX}_storage_last_write_timestamp_seconds",
                "When the storage last took a write, Unix time; absent before the first and with memory://.",
                registry=self._states.registry,
            )
        self._storage_written_at.set(self._clock())

    def calls_hang(self, count: int) -> None:
        """Record how many calls have been given up and still hold their threads."""
        self._hung.set(count)
        self._states.touch()

    def configured(self, apps: int, interval: float) -> None:
        """A configuration is in force: so many apps, a round every `interval` seconds."""
        self._apps.set(apps)
        self._interval.set(interval)
        self._reload_ok.set(1)
        self._reload_at.set(self._clock())
        self._states.touch()
        self.events += 1

    def sharded(self, shard: Shard) -> None:
        """This exporter has that part of the apps."""
        self._shard.set(shard.number)
        self._total_shards.set(shard.total)
        self._shard_info.clear()
        self._shard_info.labels(str(shard.number), str(shard.total)).set(1)
        self._states.touch()

    def found_apps(self, apps: int) -> None:
        """Discovery has changed how many apps there are."""
        self._apps.set(apps)
        self._states.touch()

    def platforms(self, states: Collection[PlatformState]) -> None:
        """These third-party platforms are configured, and are so; others have no series any more.

        Series are there from the start: an alert on one that never came would not fire.
        """
        discovery = (self._discovered, self._without_mini_program, self._without_token, self._discovered_at)
        for gauge in (self._ticket_at, *discovery):
            gauge.clear()
        for state in states:
            self._ticket_at.labels(state.name).set(state.ticket_at or 0.0)
            if state.discovers:
                figures = state.apps, state.others, state.without_token, state.listed_at or 0.0
                for gauge, figure in zip(discovery, figures, strict=True):
                    gauge.labels(state.name).set(figure)
        self._states.touch()

    def reload_failed(self) -> None:
        """A new configuration was refused; the old one stays."""
        self._reload_ok.set(0)
        self._states.touch()
        self.events += 1

    def reload_succeeded(self) -> None:
        """What was refused is right now, and in force."""
        self._reload_ok.set(1)
        self._reload_at.set(self._clock())
        self._states.touch()
        self.events += 1

    def render(self, *, openmetrics: bool) -> bytes:
        """The end of the page; in OpenMetrics with its end mark."""
        self._process.touch()
        parts = (self._states, self._calls, self._process)
        return b"".join(
            (*(part.render(openmetrics=openmetrics) for part in parts), END_MARK if openmetrics else b"")
        )
