from exporter.web.webconfig.format import RateSection
from exporter.web.webconfig.token_bucket import TokenBucket


def test_a_burst_is_allowed_and_then_one_request_per_interval() -> None:
    now = [100.0]
    bucket = TokenBucket(RateSection(0.5, 3), lambda: now[0])
    assert [bucket.take() for _ in range(5)] == [True, True, True, False, False]
    now[0] += 0.5
    assert [bucket.take() for _ in range(2)] == [True, False]


def test_a_long_silence_earns_no_more_than_a_burst() -> None:
    now = [0.0]
    bucket = TokenBucket(RateSection(1, 2), lambda: now[0])
    now[0] += 3600
    assert [bucket.take() for _ in range(3)] == [True, True, False]
