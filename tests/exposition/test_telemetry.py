from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics

from exporter import __version__
from exporter.exposition.telemetry import Telemetry
from exporter.shards import Shard
from exporter.wechat import endpoints
from exporter.wechat.failures.failure import Reason

PREFIX = "wechat_miniprogram_exporter_"


def samples(telemetry: Telemetry) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    text = telemetry.render(openmetrics=True).decode()
    return {
        (sample.name.removeprefix(PREFIX), tuple(sorted(sample.labels.items()))): sample.value
        for family in parse_openmetrics(text)
        for sample in family.samples
    }


def test_every_counter_is_there_at_zero_before_anything_happens() -> None:
    found = samples(Telemetry(lambda: 0.0))
    for endpoint in endpoints.ALWAYS:
        assert found["api_requests_total", (("endpoint", endpoint.name),)] == 0
        for reason in Reason:
            labels = (("endpoint", endpoint.name), ("reason", reason.value))
            assert found["api_request_failures_total", labels] == 0
    assert found["rows_revised_total", ()] == 0
    assert found["points_dropped_total", ()] == 0


def test_the_interfaces_of_datasets_are_counted_from_0_once_they_are_switched_on() -> None:
    telemetry = Telemetry(lambda: 0.0)
    weekly = ("api_requests_total", (("endpoint", "getWeeklyVisitTrend"),))
    quota = ("api_requests_total", (("endpoint", "getApiQuota"),))
    assert weekly not in samples(telemetry)
    telemetry.expect(endpoints.endpoints_of(["weekly_trend", "quota"]))
    assert (samples(telemetry)[weekly], samples(telemetry)[quota]) == (0, 0)


def test_calls_are_counted_and_timed() -> None:
    telemetry = Telemetry(lambda: 0.0)
    telemetry.call(endpoints.DAILY_VISIT_TREND, 0.15, None)
    telemetry.call(endpoints.DAILY_VISIT_TREND, 3.0, Reason.BUSY)
    found = samples(telemetry)
    endpoint = ("endpoint", "getDailyVisitTrend")
    assert found["api_requests_total", (endpoint,)] == 2
    assert found["api_request_failures_total", (endpoint, ("reason", "busy"))] == 1
    assert found["api_request_duration_seconds_bucket", (endpoint, ("le", "0.2"))] == 1
    assert found["api_request_duration_seconds_sum", (endpoint,)] == 3.15


def test_reloads_and_rounds_are_recorded() -> None:
    telemetry = Telemetry(lambda: 1000.0)
    telemetry.configured(3, 3600)
    telemetry.round_finished(2.5)
    telemetry.row_revised()
    telemetry.points_dropped(12)
    telemetry.reload_failed()
    found = samples(telemetry)
    assert found["apps", ()] == 3
    assert found["refresh_interval_seconds", ()] == 3600
    assert found["refresh_round_duration_seconds", ()] == 2.5
    assert found["rows_revised_total", ()] == 1
    assert found["points_dropped_total", ()] == 12
    assert found["config_last_reload_successful", ()] == 0
    assert found["config_last_reload_success_timestamp_seconds", ()] == 1000


def test_there_are_no_created_series() -> None:
    for openmetrics in (False, True):
        assert b"_created" not in Telemetry(lambda: 0.0).render(openmetrics=openmetrics)


def test_the_process_and_the_versions_are_recorded() -> None:
    text = Telemetry(lambda: 0.0).render(openmetrics=False).decode()
    assert f'version="{__version__}"' in text
    assert "process_resident_memory_bytes" in text
    assert "python_info" in text


def test_only_openmetrics_has_an_end_mark() -> None:
    telemetry = Telemetry(lambda: 0.0)
    assert telemetry.render(openmetrics=True).endswith(b"# EOF\n")
    assert b"# EOF" not in telemetry.render(openmetrics=False)


def test_the_storage_has_no_time_before_its_first_write() -> None:
    telemetry = Telemetry(lambda: 1000.0)
    telemetry.storage_written(succeeded=False)
    assert ("storage_last_write_timestamp_seconds", ()) not in samples(telemetry)
    telemetry.storage_written(succeeded=True)
    found = samples(telemetry)
    assert found["storage_last_write_timestamp_seconds", ()] == 1000
    assert found["storage_errors_total", ()] == 1


def test_hanging_calls_are_recorded() -> None:
    telemetry = Telemetry(lambda: 0.0)
    telemetry.calls_hang(3)
    assert samples(telemetry)["hung_calls", ()] == 3


def test_only_the_present_shard_has_a_series() -> None:
    telemetry = Telemetry(lambda: 0.0)
    telemetry.sharded(Shard(2, 5))
    found = samples(telemetry)
    assert (found["shard", ()], found["total_shards", ()]) == (2, 5)
    telemetry.sharded(Shard(2, 6))
    infos = {key: value for key, value in samples(telemetry).items() if key[0] == "shard_info"}
    assert infos == {("shard_info", (("shard", "2"), ("total_shards", "6"))): 1}


def test_states_are_counted_apart_from_failures() -> None:
    telemetry = Telemetry(lambda: 0.0)
    telemetry.call(endpoints.DAILY_VISIT_TREND, 0.1, Reason.NOT_READY)
    labels = (("endpoint", "getDailyVisitTrend"), ("reason", "not_ready"))
    found = samples(telemetry)
    assert found["api_request_states_total", labels] == 1
    assert found["api_request_failures_total", labels] == 0
