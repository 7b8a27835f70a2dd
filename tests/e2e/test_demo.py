"""`demo`, the newcomer's first two minutes."""

import re
import time
from collections.abc import Callable, Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families

from exporter.wechat.failures.failure import Reason
from tests.running import Running, running


@pytest.fixture
def demo(free_port: Callable[[], int]) -> Iterator[Running]:
    port = free_port()
    with running(port, "demo", f"--web.listen-address=127.0.0.1:{port}") as demo:
        demo.wait_until(lambda: demo.get("/-/healthy").ok)
        yield demo


def test_figures_are_there_five_seconds_after_the_start_and_nothing_else_is_needed(demo: Running) -> None:
    start = time.monotonic()
    demo.wait_until(lambda: "daily_visit_pv{" in demo.metrics() and demo.get("/-/ready").ok, 5)
    assert "coffee-shop" in demo.get("/").text
    assert time.monotonic() - start < 5
    text = demo.metrics()
    shown = {
        sample.labels["name"]
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "wechat_miniprogram_daily_visit_pv"
    }
    assert len(shown) >= 6
    assert len(re.findall(r"^wechat_miniprogram_info\{", text, re.MULTILINE)) == 16


def test_one_app_of_each_failing_kind_is_among_them_with_advice(demo: Running) -> None:
    demo.wait_until(lambda: demo.get("/-/ready").ok, 10)
    reasons = set(re.findall(r'refresh_error_info\{[^}]*reason="(\w+)"', demo.metrics()))
    assert reasons == {
        Reason.INVALID_SECRET,
        Reason.IP_NOT_ALLOWED,
        Reason.PERMISSION,
        Reason.TIMEOUT,
        Reason.MALFORMED,
        Reason.QUOTA_DAILY,
        Reason.ACCOUNT,
    }
    assert "IP allow-list" in demo.get("/?lang=en").text
    assert "IP 白名单" in demo.get("/?lang=zh").text


def test_it_prints_the_addresses_to_open(demo: Running) -> None:
    report = demo.output()
    for address in (f"{demo.base_url}/", f"{demo.base_url}/metrics"):
        assert address in report
    assert all(address.startswith("http://127.0.0.1:") for address in re.findall(r"http://\S+", report))


def test_the_demo_stops_with_exit_code_0_and_without_a_traceback(demo: Running) -> None:
    assert demo.stop() == 0
    assert "Traceback" not in demo.output()
