"""The whole exporter in its own process against the stand-in WeChat."""

import gzip
import os
import re
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
import yaml

from exporter.beijing import yesterday
from exporter.simulator.daily_figures import row
from exporter.simulator.faults import Fault
from exporter.simulator.fleet import SimApp, fake_appid, fake_secret, fleet
from exporter.simulator.server import Conditions, Simulator
from tests.running import Running, running, serving

FIRST, SECOND, THIRD = (fake_appid(number) for number in (1, 2, 3))


@pytest.fixture
def wechat() -> Iterator[Simulator]:
    with Simulator(fleet(3, seed=1), Conditions(always_published=True)) as simulator:
        yield simulator


class Setup:
    """A configuration file that can be changed, and the exporter that reads it."""

    def __init__(self, folder: Path, wechat: Simulator, port: int) -> None:
        self.path = folder / "config.yaml"
        self.folder = folder
        self.port = port
        self.settings = {
            "wechat": {"base_url": wechat.base_url, "timeout": "1s"},
            "refresh": {"interval": "1s", "history_days": 3, "requests_per_second": 0},
            "storage": {"url": "sqlite:///data/exporter.db"},
            "apps": [self.app(app) for app in wechat.apps],
        }
        self.write()

    def app(self, app: SimApp) -> dict[str, object]:
        secret = self.folder / f"{app.appid}.secret"
        secret.write_text(app.secret)
        return {"appid": app.appid, "name": app.name, "secret_file": str(secret)}

    def write(self, **changes: object) -> None:
        self.settings |= changes
        self.path.write_text(yaml.safe_dump(self.settings, allow_unicode=True), "utf-8")


@pytest.fixture
def setup(tmp_path: Path, wechat: Simulator, free_port: Callable[[], int]) -> Setup:
    return Setup(tmp_path, wechat, free_port())


@pytest.fixture
def exporter(setup: Setup) -> Iterator[Running]:
    with serving(setup.path, setup.port, "--web.enable-lifecycle") as exporter:
        exporter.wait_until(lambda: exporter.get("/-/ready").ok)
        yield exporter


def value(exporter: Running, metric: str, appid: str, **labels: str) -> float | None:
    for (_, pairs), found in exporter.samples(f"wechat_miniprogram_{metric}").items():
        if {"appid": appid, **labels}.items() <= dict(pairs).items():
            return found
    return None


def test_every_figure_on_the_page_is_the_one_that_wechat_gave(exporter: Running, wechat: Simulator) -> None:
    day = yesterday(wechat.clock.now())
    exporter.wait_until(lambda: value(exporter, "by_date_visit_pv", THIRD, ref_date=f"{day}") is not None)
    for app in wechat.apps:
        for field, figure in row(app.appid, day, app.size).items():
            if field not in {"ref_date", *app.left_out}:
                metric = f"{field}_seconds" if field.startswith("stay") else field
                assert value(exporter, f"daily_{metric}", app.appid) == figure
                assert value(exporter, f"by_date_{metric}", app.appid, ref_date=f"{day}") == figure


def test_text_openmetrics_and_gzip_are_one_page(exporter: Running) -> None:
    plain = requests.get(exporter.base_url + "/metrics", headers={"Accept-Encoding": "identity"}, timeout=5)
    assert plain.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "content-encoding" not in plain.headers
    packed = requests.get(
        exporter.base_url + "/metrics", headers={"Accept-Encoding": "gzip"}, timeout=5, stream=True
    )
    unpacked = gzip.decompress(packed.raw.read(decode_content=False)).decode()

    def ours(page: str) -> list[str]:
        return [
            line for line in page.splitlines() if re.match(r"wechat_miniprogram_(daily|by_date|up)", line)
        ]

    assert ours(plain.text) == ours(unpacked)
    strict = exporter.get("/metrics", Accept="application/openmetrics-text")
    assert strict.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    assert ours(strict.text) == ours(plain.text)
    assert strict.text.endswith("# EOF\n")


def test_one_app_in_trouble_changes_nothing_for_the_others(exporter: Running, wechat: Simulator) -> None:
    wechat.faults.switch(FIRST, Fault.HANG)
    wechat.faults.switch(SECOND, Fault.NEGATIVE)
    exporter.wait_until(lambda: value(exporter, "up", FIRST) == value(exporter, "up", SECOND) == 0)
    before = value(exporter, "last_success_timestamp_seconds", THIRD)
    exporter.wait_until(lambda: value(exporter, "last_success_timestamp_seconds", THIRD) != before)
    assert value(exporter, "refresh_error_info", FIRST, reason="timeout") == 1
    assert value(exporter, "refresh_error_info", SECOND, reason="malformed") == 1
    assert value(exporter, "daily_visit_pv", FIRST) is not None  # the last good row stays
    assert value(exporter, "daily_visit_pv", SECOND) is not None
    assert value(exporter, "up", THIRD) == 1
    wechat.faults.switch(FIRST, Fault.NONE)
    exporter.wait_until(lambda: value(exporter, "up", FIRST) == 1)
    assert value(exporter, "refresh_error_info", FIRST) is None


def test_a_restart_shows_the_rows_before_wechat_is_asked_and_without_it(
    setup: Setup, wechat: Simulator
) -> None:
    with serving(setup.path, setup.port) as exporter:
        exporter.wait_until(lambda: exporter.get("/-/ready").ok)
        shown = value(exporter, "daily_visit_pv", FIRST)
        exporter.process.kill()
        exporter.process.wait(15)
    wechat.stop()
    with serving(setup.path, setup.port) as exporter:
        assert value(exporter, "daily_visit_pv", FIRST) == shown
        assert exporter.get("/-/ready").ok
        exporter.wait_until(lambda: value(exporter, "up", FIRST) == 0)
        assert value(exporter, "daily_visit_pv", FIRST) == shown
        assert value(exporter, "refresh_error_info", FIRST, reason="network") == 1


def test_a_reload_swaps_everything_or_nothing(exporter: Running, setup: Setup) -> None:
    kept = value(exporter, "daily_visit_pv", SECOND)
    good = setup.settings["apps"]
    assert isinstance(good, list)
    setup.write(apps=[{"appid": "wx12"}])
    refused = requests.post(exporter.base_url + "/-/reload", timeout=5)
    assert refused.status_code == 500
    assert "apps[0].appid: 'wx12' is not an appid" in refused.text
    reloaded = ("wechat_miniprogram_exporter_config_last_reload_successful", ())
    exporter.wait_until(lambda: exporter.samples(reloaded[0])[reloaded] == 0)  # its own metrics lag
    assert value(exporter, "daily_visit_pv", FIRST) is not None

    setup.write(apps=[good[1] | {"name": "renamed"}])
    assert requests.post(exporter.base_url + "/-/reload", timeout=5).ok
    exporter.wait_until(lambda: value(exporter, "info", FIRST) is None)
    assert value(exporter, "daily_visit_pv", SECOND, name="renamed") == kept
    assert exporter.samples()["wechat_miniprogram_exporter_config_last_reload_successful", ()] == 1
    assert exporter.samples()["wechat_miniprogram_exporter_apps", ()] == 1


def test_sighup_reloads_the_configuration(exporter: Running, setup: Setup) -> None:
    good = setup.settings["apps"]
    assert isinstance(good, list)
    setup.write(apps=good[:1])
    exporter.process.send_signal(signal.SIGHUP)
    exporter.wait_until(lambda: value(exporter, "info", SECOND) is None)
    assert value(exporter, "daily_visit_pv", FIRST) is not None


def test_reload_over_http_needs_its_flag(setup: Setup) -> None:
    with serving(setup.path, setup.port) as exporter:
        refused = requests.post(exporter.base_url + "/-/reload", timeout=5)
        assert refused.status_code == 403
        assert "--web.enable-lifecycle" in refused.text


def test_a_wrong_secret_costs_one_token_call_until_the_secret_is_corrected(
    exporter: Running, setup: Setup, wechat: Simulator, tmp_path: Path
) -> None:
    (tmp_path / f"{FIRST}.secret").write_text("not-the-right-fake-secret")
    wechat.tokens.revoke(FIRST, wechat.clock.now())
    exporter.wait_until(lambda: value(exporter, "refresh_error_info", FIRST, reason="invalid_secret") == 1)
    refused = wechat.calls(endpoint="stable_token", appid=FIRST, outcome="40125")
    rounds = wechat.calls(endpoint="daily_visit_trend", appid=SECOND)
    exporter.wait_until(lambda: wechat.calls(endpoint="daily_visit_trend", appid=SECOND) >= rounds + 3)
    assert wechat.calls(endpoint="stable_token", appid=FIRST, outcome="40125") == refused == 1
    (tmp_path / f"{FIRST}.secret").write_text(fake_secret(1) + "\n")
    exporter.wait_until(lambda: value(exporter, "up", FIRST) == 1)


def test_the_token_is_fetched_once_and_never_forced(exporter: Running, wechat: Simulator) -> None:
    rounds = wechat.calls(endpoint="daily_visit_trend", appid=FIRST)
    exporter.wait_until(lambda: wechat.calls(endpoint="daily_visit_trend", appid=FIRST) >= rounds + 3)
    assert wechat.calls(endpoint="stable_token", appid=FIRST) == 1
    assert wechat.log.forced() == {}


def test_a_spent_quota_ends_the_asking_for_today(exporter: Running, wechat: Simulator) -> None:
    wechat.faults.switch(FIRST, Fault.QUOTA_DAILY)
    exporter.wait_until(lambda: value(exporter, "refresh_error_info", FIRST, reason="quota_daily") == 1)
    asked = wechat.calls(endpoint="daily_visit_trend", appid=FIRST)
    rounds = wechat.calls(endpoint="daily_visit_trend", appid=SECOND)
    exporter.wait_until(lambda: wechat.calls(endpoint="daily_visit_trend", appid=SECOND) >= rounds + 3)
    assert wechat.calls(endpoint="daily_visit_trend", appid=FIRST) == asked
    assert value(exporter, "daily_visit_pv", FIRST) is not None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_cleanly_within_five_seconds(
    exporter: Running, wechat: Simulator, number: signal.Signals
) -> None:
    wechat.faults.switch(FIRST, Fault.HANG)
    exporter.wait_until(lambda: wechat.log.in_flight > 0)
    start = time.monotonic()
    assert exporter.stop(number) == 0
    assert time.monotonic() - start < 5
    assert "event=stopped" in exporter.output()
    assert "Traceback" not in exporter.output()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_during_the_start_ends_it_cleanly(
    setup: Setup, tmp_path: Path, number: signal.Signals
) -> None:
    pipe = tmp_path / "pipe.yaml"
    os.mkfifo(pipe)
    with running(setup.port, f"--config.file={pipe}") as exporter, pipe.open("wb"):  # it reads, and waits
        assert exporter.stop(number) == 0
        assert exporter.output() == ""


def test_no_output_shows_a_secret_or_a_token(exporter: Running, wechat: Simulator) -> None:
    for fault in (Fault.RESET, Fault.HTML_200, Fault.TOKEN_REJECTED):
        wechat.faults.switch(SECOND, fault)
        seen = wechat.calls(appid=SECOND)
        exporter.wait_until(lambda seen=seen: wechat.calls(appid=SECOND) > seen)  # type: ignore[misc]
    report = exporter.output() + exporter.metrics() + exporter.get("/").text
    for app in wechat.apps:
        assert app.secret not in report
    assert "access_token=" not in report


def test_the_telemetry_path_can_be_another(setup: Setup) -> None:
    with serving(setup.path, setup.port, "--web.telemetry-path=/wechat") as exporter:
        assert exporter.get("/wechat").ok
        assert exporter.get("/metrics").status_code == 404


def test_a_port_in_use_is_a_clear_error(setup: Setup) -> None:
    with socket.create_server(("127.0.0.1", setup.port)) as taken:
        address = f"--web.listen-address=127.0.0.1:{taken.getsockname()[1]}"
        with running(setup.port, f"--config.file={setup.path}", address) as exporter:
            assert exporter.process.wait(15) == 1
            assert "cannot listen on" in exporter.output()


def test_a_broken_storage_is_a_clear_error_at_start(setup: Setup) -> None:
    (setup.folder / "data").mkdir()
    (setup.folder / "data" / "exporter.db").write_text("no database" * 1000)
    with pytest.raises(AssertionError, match="cannot open storage"), serving(setup.path, setup.port):
        pass
