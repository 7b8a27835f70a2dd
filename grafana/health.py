"""The Exporter dashboard: data age, rounds, calls, tokens, resources."""

from collections.abc import Iterator
from typing import Final

from grafana_foundation_sdk.builders import bargauge, stat, table, timeseries
from grafana_foundation_sdk.models.dashboard import Dashboard, ValueMap, ValueMappingResult

from exporter.exposition.families import INFO, LAST_SUCCESS, NAMESPACE, TOKEN_EXPIRY, UP
from exporter.trend import DAY_SECONDS
from exporter.wechat.line import Endpoint
from grafana.colours import ALL_IS_GOOD, BLUE, NONE_IS_GOOD, ORANGE, SERIES, VERMILION, Steps
from grafana.overrides import fixed, override
from grafana.panels import COUNT, NUMBER, SECONDS, SHARE, Size, bars_of, figure, lines, listing, shaded_lines
from grafana.sheet import BUILD_INFO, instance, job, numbered, section, sheet
from grafana.targets import Query
from grafana.texts import Words
from prometheus.expressions import REF_DATE, daily
from prometheus.shards import LEADER, TARGET, asking, placed, present, standing_by

_CHOSEN: Final = 'job=~"$job", instance=~"$instance"'
_AT: Final = f"{{{_CHOSEN}}}"
_OWN: Final = f"{NAMESPACE}_exporter"
_AGES: Final[Steps] = ((None, BLUE), (36 * 3600, ORANGE), (60 * 3600, VERMILION))
_ROW_AGES: Final[Steps] = ((None, BLUE), (26 * 3600, ORANGE), (50 * 3600, VERMILION))
_TOKENS: Final[Steps] = ((None, VERMILION), (-2 * 3600, ORANGE), (0, BLUE))
_THIRD: Final = Size(8)
_HALF: Final = Size(12)


def health(words: Words) -> Dashboard:
    """The dashboard in the language of the words; a day, as what it shows moves within hours."""
    variables = [job(words, BUILD_INFO), instance(words, BUILD_INFO)]
    board = sheet("exporter", words, "now-24h", variables)
    section(board, words.word("exporter_state"), [*_state(words), _versions(words)])
    section(board, words.word("exporter_shards"), [*_who_asks(words), _places(words)])
    section(board, words.word("exporter_data"), list(_data(words)))
    section(board, words.word("exporter_calls"), list(_calls(words)))
    section(board, words.word("exporter_resources"), list(_resources(words)))
    return numbered(board)


def _state(words: Words) -> Iterator[stat.Panel]:
    yes_no = ValueMap(
        {"0": ValueMappingResult(text=words.word("no")), "1": ValueMappingResult(text=words.word("yes"))}
    )
    scraped = f"sum(up{_AT} and on (job, instance) last_over_time({BUILD_INFO}{_AT}[1h])) or vector(0)"
    apps = f"max by (appid) ({UP.metric}{_AT})"
    failing = f"count({apps} == 0) or 0 * count({apps})"
    restarts = (
        f"sum(changes(process_start_time_seconds{_AT}[$__range])\nand on (job, instance) {BUILD_INFO}{_AT})"
    )
    started = f"max(process_start_time_seconds{_AT} and on (job, instance) {BUILD_INFO}{_AT})"
    yield figure(words, "scraped", [Query(scraped)], COUNT, ALL_IS_GOOD, width=3)
    configured = f"count(max by (appid) ({INFO.metric}{_AT})) or 0 * sum({_OWN}_apps{_AT})"
    yield figure(words, "exporter_apps", [Query(configured)], width=3)
    yield figure(words, "exporter_failing", [Query(failing)], COUNT, NONE_IS_GOOD, width=3)
    in_force = Query(f"min({_OWN}_config_last_reload_successful{_AT})")
    yield figure(words, "config_ok", [in_force], NUMBER, ALL_IS_GOOD, width=3).mappings([yes_no])
    yield figure(words, "uptime", [Query(f"time() - {started}")], SECONDS, width=4)
    yield figure(words, "restarts", [Query(restarts)], width=4)
    yield figure(
        words, "revised", [Query(f"sum(increase({_OWN}_rows_revised_total{_AT}[30d]))")], width=4
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


def _who_asks(words: Words) -> Iterator[stat.Panel | timeseries.Panel]:
    shards = [
        Query(f"count({present(_CHOSEN)})", words.word("with_exporter")),
        Query(f"max({_OWN}_total_shards{_AT})", words.word("of_shards")),
    ]
    exporters = [
        Query(f"sum({LEADER}{_AT})", words.word("asking")),
        Query(f"count({standing_by(_CHOSEN)}) or 0 * count({LEADER}{_AT})", words.word("standing_by")),
    ]
    unasked = f"count({asking(_CHOSEN)} == 0) or 0 * count({LEADER}{_AT})"
    errors = f"increase({_OWN}_storage_errors_total{_AT}[5m])"
    yield figure(words, "shards", shards)
    yield figure(words, "exporters_asking", exporters)
    yield figure(words, "unasked_shards", [Query(unasked)], COUNT, NONE_IS_GOOD)
    yield (
        shaded_lines(words, "asking", Query(asking(_CHOSEN), "{{shard}} / {{shards}}"), COUNT, Size(6, 4))
        .min(0)
        .decimals(0)
    )
    yield _per_exporter(words, "storage_errors", errors, COUNT, Size(6, 4)).decimals(0)


def _places(words: Words) -> table.Panel:
    columns = {
        "shard": words.word("shard"),
        "shards": words.word("of_shards"),
        "instance": words.word("instance"),
        "job": words.word("job"),
    }
    here = placed(_CHOSEN)
    joined = f"* on ({TARGET}) group_left ()"
    asked = [
        Query(
            f"max by (job, instance, shard, shards) ({here}\n{joined} {LEADER}{_AT})",
            words.word("asks"),
            NUMBER,
        ),
        Query(
            f"max by (job, instance, shard, shards) ({here}\n{joined} {_OWN}_apps{_AT})",
            words.word("apps"),
            COUNT,
        ),
    ]
    panel = listing(words, "places", asked, columns, words.word("shard"), Size(24, 6))
    texts = {"0": words.word("stands_by"), "1": words.word("asks_wechat")}
    mapping = {"type": "value", "options": {value: {"text": text} for value, text in texts.items()}}
    return panel.override_by_name(words.word("asks"), [override("mappings", [mapping])])


def _data(words: Words) -> Iterator[bargauge.Panel | timeseries.Panel]:
    age = f"topk(20, time() - max by (appid, name) ({daily(REF_DATE)}{_AT}) - {DAY_SECONDS})"
    since = f"topk(20, time() - max by (appid, name) ({LAST_SUCCESS.metric}{_AT}))"
    left = f"bottomk(20, max by (appid, name) ({TOKEN_EXPIRY.metric}{_AT}) - time())"
    yield bars_of(words, "data_age", [Query(age, "{{name}}")], SECONDS, _THIRD, _AGES)
    yield bars_of(words, "last_success", [Query(since, "{{name}}")], SECONDS, _THIRD, _ROW_AGES)
    yield bars_of(words, "token_expiry", [Query(left, "{{name}}")], SECONDS, _THIRD, _TOKENS)


def _calls(words: Words) -> Iterator[bargauge.Panel | timeseries.Panel]:
    apps = f"max by (appid) ({UP.metric}{_AT})"
    states = [
        Query(f"count({apps} == 1) or 0 * count({apps})", words.word("answered")),
        Query(f"count({apps} == 0) or 0 * count({apps})", words.word("failed")),
    ]
    yield lines(words, "states", states, COUNT, _HALF).min(0)
    own_rounds = (
        f"{_OWN}_refresh_round_duration_seconds{_AT}\nunless on (job, instance) {standing_by(_CHOSEN)}"
    )
    rounds = [
        Query(f"max({own_rounds})", words.word("round")),
        Query(f"max({_OWN}_refresh_interval_seconds{_AT})", words.word("interval")),
    ]
    yield lines(words, "rounds", rounds, SECONDS, _HALF).min(0)
    calls = f"sum by (endpoint) (increase({_OWN}_api_requests_total{_AT}[1h]))"
    by_endpoint = shaded_lines(words, "calls", Query(calls, "{{endpoint}}"), COUNT, _THIRD).min(0).decimals(0)
    for endpoint, colour in zip(Endpoint, SERIES, strict=False):
        by_endpoint.override_by_name(endpoint.value, [fixed(colour)])
    yield by_endpoint
    failures = f"sort_desc(sum by (reason) (increase({_OWN}_api_request_failures_total{_AT}[1d])))"
    yield bars_of(words, "failures", [Query(failures, "{{reason}}")], COUNT, _THIRD).decimals(0)
    quantiles = [
        Query(_quantile(share), words.word(key))
        for share, key in ((0.5, "half"), (0.95, "p95"), (0.99, "p99"))
    ]
    yield lines(words, "latency", quantiles, SECONDS, _THIRD).min(0)


def _quantile(share: float) -> str:
    """Over the calls of the past hour; where there was none, over those since the start."""
    buckets = f"{_OWN}_api_request_duration_seconds_bucket{_AT}"
    recent = f"histogram_quantile({share}, sum by (le) (rate({buckets}[1h])))"
    return f"({recent} >= 0)\nor\nhistogram_quantile({share}, sum by (le) ({buckets}))"


def _resources(words: Words) -> Iterator[timeseries.Panel]:
    ours = f"\nand on (job, instance) {BUILD_INFO}{_AT}"
    quarter = Size(6)
    cpu = f"rate(process_cpu_seconds_total{_AT}[$__rate_interval])"
    files = f"process_open_fds{_AT} / process_max_fds{_AT}"
    yield _per_exporter(words, "cpu", cpu + ours, NUMBER, quarter).decimals(3)
    yield _per_exporter(words, "memory", f"process_resident_memory_bytes{_AT}{ours}", "bytes", quarter)
    yield _per_exporter(words, "files", files + ours, SHARE, quarter)
    yield _per_exporter(words, "scrape", f"scrape_duration_seconds{_AT}{ours}", SECONDS, quarter)


def _per_exporter(words: Words, key: str, expr: str, unit: str, size: Size) -> timeseries.Panel:
    return shaded_lines(words, key, Query(expr, "{{instance}}"), unit, size).min(0)
