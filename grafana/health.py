"""The Exporter dashboard: data age, rounds, calls, tokens, resources."""

from collections.abc import Iterator
from typing import Final

from grafana_foundation_sdk.builders import bargauge, stat, table, timeseries
from grafana_foundation_sdk.models.dashboard import Dashboard

from exporter.beijing import DAY_SECONDS
from exporter.exposition.app_families import INFO, LAST_SUCCESS, TOKEN_EXPIRY, UP
from exporter.exposition.family import NAMESPACE
from exporter.wechat import endpoints
from grafana.charts import lines, shaded_lines, stacked
from grafana.colours import ALL_IS_GOOD, BLUE, NONE_IS_GOOD, ORANGE, SERIES, VERMILION, Steps
from grafana.dashboard import BUILD_INFO, folded, instance, job, new_dashboard, numbered, section
from grafana.figures import bars_of, exporters_scraped, figure
from grafana.overrides import fixed
from grafana.panels import COUNT, NUMBER, SHARE, Size, worded
from grafana.tables import listing
from grafana.targets import Query
from grafana.texts import Words
from prometheus.expressions import REF_DATE, daily, named
from prometheus.shards import INFO as SHARD_INFO
from prometheus.shards import TARGET

_CHOSEN: Final = 'job=~"$job", instance=~"$instance"'
_AT: Final = f"{{{_CHOSEN}}}"
_OWN: Final = f"{NAMESPACE}_exporter"
_AGES: Final[Steps] = ((None, BLUE), (36, ORANGE), (60, VERMILION))
_ROW_AGES: Final[Steps] = ((None, BLUE), (26, ORANGE), (50, VERMILION))
_TOKENS: Final[Steps] = ((None, VERMILION), (-120, ORANGE), (0, BLUE))
_TOKEN_MINUTES: Final = 120  # what a new token is good for
_THIRD: Final = Size(8)
_HALF: Final = Size(12)


def health(words: Words) -> Dashboard:
    """Return the dashboard in the language of the words; a day, as what it shows moves within hours."""
    variables = [job(words, BUILD_INFO), instance(words, BUILD_INFO)]
    board = new_dashboard("exporter", words, "now-24h", variables)
    section(board, words.word("exporter_state"), [*_state(words), _versions(words)])
    section(board, words.word("exporter_data"), list(_data(words)))
    section(board, words.word("exporter_calls"), list(_calls(words)))
    section(board, words.word("exporter_resources"), list(_resources(words)))
    folded(board, words.word("exporter_shards"), list(_shards(words)))
    return numbered(board)


def _state(words: Words) -> Iterator[stat.Panel]:
    yes_no = {"0": words.word("no"), "1": words.word("yes")}
    apps = f"max by (appid) ({UP.metric}{_AT})"
    failing = f"count({apps} == 0) or 0 * count({apps})"
    restarts = (
        f"sum(changes(process_start_time_seconds{_AT}[$__range])\nand on (job, instance) {BUILD_INFO}{_AT})"
    )
    started = f"max(process_start_time_seconds{_AT} and on (job, instance) {BUILD_INFO}{_AT})"
    yield exporters_scraped(words, "scraped", _CHOSEN)
    configured = f"count(max by (appid) ({INFO.metric}{_AT})) or 0 * sum({_OWN}_apps{_AT})"
    yield figure(words, "exporter_apps", [Query(configured)], width=6)
    yield figure(words, "exporter_failing", [Query(failing)], COUNT, NONE_IS_GOOD, width=6)
    in_force = Query(f"min({_OWN}_config_last_reload_successful{_AT})")
    yield figure(words, "config_ok", [in_force], NUMBER, ALL_IS_GOOD, width=6).mappings(worded(words, yes_no))
    yield figure(
        words, "uptime", [Query(f"(time() - {started}) / 3600")], words.word("hours"), width=8
    ).decimals(1)
    yield figure(words, "restarts", [Query(restarts)], width=8)
    yield figure(
        words, "revised", [Query(f"sum(increase({_OWN}_rows_revised_total{_AT}[30d]))")], width=8
    ).decimals(0)


def _versions(words: Words) -> table.Panel:
    columns = {
        "instance": words.word("instance"),
        "job": words.word("job"),
        "version": words.word("version"),
        "pythonversion": words.word("python"),
    }
    query = Query(f"max by (job, instance, version, pythonversion) ({BUILD_INFO}{_AT})")
    return listing(words, "versions", [query], columns, words.word("instance"), Size(24, 4))


def _shards(words: Words) -> Iterator[stat.Panel | table.Panel]:
    shards = [
        Query(f"count(count by (shard) ({SHARD_INFO}{_AT}))", words.word("with_exporter")),
        Query(f"max({_OWN}_total_shards{_AT})", words.word("of_shards")),
    ]
    yield figure(words, "shards", shards)
    columns = {
        "shard": words.word("shard"),
        "total_shards": words.word("of_shards"),
        "instance": words.word("instance"),
        "job": words.word("job"),
    }
    apps = (
        f"max by (job, instance, shard, total_shards) ({SHARD_INFO}{_AT}\n"
        f"* on ({TARGET}) group_left () {_OWN}_apps{_AT})"
    )
    yield listing(
        words, "places", [Query(apps, words.word("apps"), COUNT)], columns, words.word("shard"), Size(20, 6)
    )


def _data(words: Words) -> Iterator[bargauge.Panel | timeseries.Panel]:
    dates, answers, expiries = (
        f"max by (appid) ({metric}{_AT})"
        for metric in (daily(REF_DATE), LAST_SUCCESS.metric, TOKEN_EXPIRY.metric)
    )
    age = f"topk(20, {named(f'(time() - {dates} - {DAY_SECONDS}) / 3600', _CHOSEN)})"
    since = f"topk(20, {named(f'(time() - {answers}) / 3600', _CHOSEN)})"
    left = f"bottomk(20, {named(f'({expiries} - time()) / 60', _CHOSEN)})"
    hours, minutes = words.word("hours"), words.word("minutes")
    yield bars_of(words, "data_age", [Query(age, "{{name}}")], hours, _THIRD, _AGES).decimals(1)
    yield bars_of(words, "last_success", [Query(since, "{{name}}")], hours, _THIRD, _ROW_AGES).decimals(1)
    tokens = bars_of(words, "token_expiry", [Query(left, "{{name}}")], minutes, _THIRD, _TOKENS)
    yield tokens.max(_TOKEN_MINUTES).decimals(0)


def _calls(words: Words) -> Iterator[bargauge.Panel | timeseries.Panel]:
    apps = f"max by (appid) ({UP.metric}{_AT})"
    states = [
        Query(f"count({apps} == 1) or 0 * count({apps})", words.word("answered")),
        Query(f"count({apps} == 0) or 0 * count({apps})", words.word("failed")),
    ]
    yield stacked(lines(words, "states", states, COUNT, _HALF).min(0).fill_opacity(40))
    rounds = [
        Query(f"max({_OWN}_refresh_round_duration_seconds{_AT})", words.word("round")),
        Query(f"max({_OWN}_refresh_interval_seconds{_AT})", words.word("interval")),
    ]
    yield lines(words, "rounds", rounds, words.word("seconds"), _HALF).min(0)
    calls = (
        f"sum by (endpoint) (increase({_OWN}_api_requests_total{_AT}[1h]))\n"
        f"and on (endpoint) sum by (endpoint) ({_OWN}_api_requests_total{_AT}) > 0"
    )
    by_endpoint = shaded_lines(words, "calls", Query(calls, "{{endpoint}}"), COUNT, _THIRD).min(0).decimals(0)
    for endpoint, colour in zip(endpoints.ALWAYS, SERIES, strict=False):
        by_endpoint.override_by_name(endpoint.name, [fixed(colour)])
    yield by_endpoint
    none = words.word("nothing_failed")
    yield (
        bars_of(words, "failures", [Query(_failures(), "{{reason}}")], COUNT, _THIRD)
        .decimals(0)
        .no_value(none)
    )
    quantiles = [
        Query(_quantile(share), words.word(key))
        for share, key in ((0.5, "half"), (0.95, "p95"), (0.99, "p99"))
    ]
    yield lines(words, "latency", quantiles, words.word("seconds"), _THIRD).min(0)


def _failures() -> str:
    """Count the failures of a day by reason.

    Prometheus' `increase` misses what came before the first scrape, VictoriaMetrics' does not.
    """
    failed = f"{_OWN}_api_request_failures_total{_AT}"
    return (
        f"sort_desc(sum by (reason) (\n"
        f"  ({failed} unless last_over_time({failed}[1d] offset 1d)) > increase({failed}[1d])\n"
        f"  or increase({failed}[1d])\n"
        f") > 0)"
    )


def _quantile(share: float) -> str:
    """Compute a quantile over the calls of the past hour or, without any, since the start."""
    buckets = f"{_OWN}_api_request_duration_seconds_bucket{_AT}"
    recent = f"histogram_quantile({share}, sum by (le) (rate({buckets}[1h])))"
    return f"({recent} >= 0)\nor\nhistogram_quantile({share}, sum by (le) ({buckets}))"


def _resources(words: Words) -> Iterator[timeseries.Panel]:
    ours = f"\nand on (job, instance) {BUILD_INFO}{_AT}"
    third = Size(8)
    cpu = f"rate(process_cpu_seconds_total{_AT}[$__rate_interval])"
    files = f"process_open_fds{_AT} / process_max_fds{_AT}"
    yield _per_exporter(words, "cpu", cpu + ours, SHARE, third)
    yield _per_exporter(words, "memory", f"process_resident_memory_bytes{_AT}{ours}", "bytes", third)
    yield _per_exporter(words, "files", files + ours, SHARE, third)
    errors = f"increase({_OWN}_storage_errors_total{_AT}[5m])"
    yield _per_exporter(words, "storage_errors", errors, COUNT, Size(12)).decimals(0)
    yield _per_exporter(
        words, "scrape", f"scrape_duration_seconds{_AT}{ours}", words.word("seconds"), Size(12)
    )


def _per_exporter(words: Words, key: str, expr: str, unit: str, size: Size) -> timeseries.Panel:
    return shaded_lines(words, key, Query(expr, "{{instance}}"), unit, size).min(0)
