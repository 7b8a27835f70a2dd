"""A third-party platform in a real process: accounts come and go, refresh tokens survive kill -9."""

import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from exporter.simulator import pushes
from exporter.simulator.faults import CallKind, Fault
from exporter.simulator.fleet import fake_appid, fleet
from exporter.simulator.platforms import SimPlatform
from exporter.simulator.server import Conditions, Simulator
from exporter.simulator.tokens import TokenKind
from tests.running import Running, serving

PLATFORM = SimPlatform("main", "wxfa4ec00000000001", "not-a-real-component-secret")
FIRST, SECOND = fake_appid(1), fake_appid(2)


@pytest.fixture
def wechat() -> Iterator[Simulator]:
    conditions = Conditions(always_published=True)
    with Simulator(fleet(2, seed=1), conditions, platforms=[PLATFORM]) as simulator:
        yield simulator


class Setup:
    """A configuration with a platform."""

    def __init__(self, folder: Path, wechat: Simulator) -> None:
        self.path = folder / "config.yaml"
        self.ticket = folder / "ticket"
        self.ticket.write_text(wechat.new_ticket("main"))
        self.platform: dict[str, Any] = {
            "name": "main",
            "component_appid": PLATFORM.component_appid,
            "component_appsecret": PLATFORM.secret,
            "verify_ticket": {"file": str(self.ticket)},
        }
        self.settings: dict[str, Any] = {
            "wechat": {"base_url": wechat.base_url, "timeout": "5s"},
            "refresh": {"interval": "1s", "history_days": 1, "requests_per_second": 0},
            "storage": {"url": "sqlite:///data/exporter.db"},
            "platforms": [self.platform],
        }

    def write(self, **changes: object) -> Path:
        self.settings |= changes
        self.path.write_text(yaml.safe_dump(self.settings), "utf-8")
        return self.path

    def discovering(self, **more: object) -> Path:
        self.platform |= {"discover": True, "discover_interval": "1s", **more}
        return self.write()


@pytest.fixture
def setup(tmp_path: Path, wechat: Simulator) -> Setup:
    return Setup(tmp_path, wechat)


def app(appid: str) -> dict[str, Any]:
    return {"appid": appid, "name": appid, "token": {"type": "third_party", "platform": "main"}}


def value(exporter: Running, metric: str, **labels: str) -> float | None:
    for (_, pairs), found in exporter.samples(f"wechat_miniprogram_{metric}").items():
        if labels.items() <= dict(pairs).items():
            return found
    return None


def test_two_apps_of_a_platform_share_one_component_token(
    setup: Setup, wechat: Simulator, free_port: Callable[[], int]
) -> None:
    with serving(setup.write(apps=[app(FIRST), app(SECOND)]), free_port()) as exporter:
        exporter.wait_until(lambda: wechat.calls("daily_visit_trend", appid=SECOND, outcome="ok") >= 3)
        exporter.wait_until(lambda: value(exporter, "up", appid=FIRST) == 1)
        assert value(exporter, "daily_visit_pv", appid=FIRST) is not None
        ticket_at = value(exporter, "exporter_verify_ticket_timestamp_seconds", platform="main")
        assert ticket_at == pytest.approx(setup.ticket.stat().st_mtime)
    assert wechat.calls("component_token") == 1
    assert wechat.calls("authorizer_token") == 2
    assert wechat.calls("get_authorizer_list") == 1


def test_a_kill_between_receiving_a_refresh_token_and_using_it_loses_nothing(
    setup: Setup, wechat: Simulator, free_port: Callable[[], int]
) -> None:
    path = setup.write(apps=[app(FIRST)])
    with serving(path, free_port()) as exporter:
        exporter.wait_until(lambda: value(exporter, "up", appid=FIRST) == 1)
    wechat.platforms["main"].lists_refresh_tokens = False  # what is lost now is lost for ever
    for _ in range(3):
        wechat.faults.switch(FIRST, Fault.HANG, on=CallKind.DATA)
        renewed = wechat.calls("authorizer_token", outcome="ok")
        with serving(path, free_port()) as exporter:
            # the data call hangs: the rotated token was received, and nothing was done with it
            exporter.wait_until(
                lambda before=renewed: wechat.calls("authorizer_token", outcome="ok") > before  # type: ignore[misc]
            )
            exporter.wait_until(lambda: wechat.log.in_flight > 0)
            assert wechat.calls("authorizer_token", outcome="ok") == renewed + 1
            exporter.process.kill()
            exporter.process.wait(15)
        wechat.faults.switch(FIRST, Fault.NONE)
    with serving(path, free_port()) as exporter:
        asked = wechat.calls("daily_visit_trend", outcome="ok")
        exporter.wait_until(lambda: wechat.calls("daily_visit_trend", outcome="ok") > asked)
    assert wechat.calls("authorizer_token", outcome="61023") == 0


def test_a_kill_at_any_moment_leaves_an_account_that_works_after_the_restart(
    setup: Setup, wechat: Simulator, free_port: Callable[[], int]
) -> None:
    moments = random.Random(5)
    path = setup.write(apps=[app(FIRST), app(SECOND)])
    for _ in range(6):
        with serving(path, free_port()) as exporter:
            for _ in range(5):  # of the tokens, so that refresh tokens rotate all the time
                time.sleep(moments.uniform(0, 0.15))
                wechat.tokens.revoke(FIRST, wechat.clock.now(), TokenKind.AUTHORIZER)
                wechat.tokens.revoke(SECOND, wechat.clock.now(), TokenKind.AUTHORIZER)
            exporter.process.kill()
            exporter.process.wait(15)
    with serving(path, free_port()) as exporter:
        exporter.wait_until(
            lambda: all(value(exporter, "up", appid=appid) == 1 for appid in (FIRST, SECOND)), 20
        )


def test_accounts_come_go_and_are_named_without_a_restart(
    setup: Setup, wechat: Simulator, free_port: Callable[[], int]
) -> None:
    desk = wechat.platforms["main"]
    desk.withdraw(SECOND)
    with serving(setup.discovering(), free_port()) as exporter:
        exporter.wait_until(
            lambda: value(exporter, "daily_visit_pv", appid=FIRST, name="app-00001") is not None
        )
        assert value(exporter, "up", appid=SECOND) is None
        desk.authorise(SECOND)
        exporter.wait_until(lambda: value(exporter, "up", appid=SECOND, name="app-00002") == 1)
        assert value(exporter, "exporter_discovered_apps", platform="main") == 2
        assert value(exporter, "exporter_apps") == 2
        desk.withdraw(FIRST)
        exporter.wait_until(lambda: value(exporter, "up", appid=FIRST) is None)
        exporter.process.kill()
        exporter.process.wait(15)
    names = wechat.calls("get_authorizer_info")
    wechat.stop()
    with serving(setup.path, free_port()) as exporter:  # WeChat is away, the storage knows
        assert value(exporter, "daily_visit_pv", appid=SECOND, name="app-00002") is not None
        assert exporter.get("/-/ready").ok
    assert wechat.calls("get_authorizer_info") == names == 2


def test_an_account_that_cannot_be_asked_is_reported(
    setup: Setup, wechat: Simulator, free_port: Callable[[], int]
) -> None:
    wechat.platforms["main"].authorise(SECOND, exchanged=False)
    with serving(setup.discovering(exclude=["wx000*"]), free_port()) as exporter:
        exporter.wait_until(lambda: value(exporter, "up", appid=FIRST) == 1)
        assert value(exporter, "exporter_authorizers_without_refresh_token", platform="main") == 1
        assert value(exporter, "up", appid=SECOND) is None
        assert "accounts without a refresh token" in exporter.output()
        assert exporter.output().count("accounts without a refresh token") == 1


def test_pushes_bring_tickets_and_accounts_and_survive_a_restart(
    setup: Setup, wechat: Simulator, free_port: Callable[[], int]
) -> None:
    key = PLATFORM.aes_key
    setup.platform["verify_ticket"] = {"callback": {"token": PLATFORM.token, "encoding_aes_key": key}}
    setup.settings["refresh"]["interval"] = "1h"
    path = setup.discovering(discover_interval="1h")
    desk = wechat.platforms["main"]
    desk.withdraw(SECOND)
    with serving(path, free_port()) as exporter:
        url = exporter.base_url + "/wechat/ticket/main"
        exporter.wait_until(lambda: exporter.get("/-/ready").ok)  # else the push would not reach it
        assert wechat.calls("component_token") == 0
        assert wechat.push_ticket("main", url) == (200, "success")
        exporter.wait_until(lambda: value(exporter, "up", appid=FIRST) == 1)
        came = value(exporter, "exporter_verify_ticket_timestamp_seconds", platform="main")
        assert came == pytest.approx(time.time(), abs=10)
        desk.authorise(SECOND)
        event = pushes.push(PLATFORM, time.time(), "authorized", {"AuthorizerAppid": SECOND})
        assert pushes.send(url, event) == (200, "success")
        exporter.wait_until(lambda: value(exporter, "up", appid=SECOND) == 1, 20)
        exporter.process.kill()
        exporter.process.wait(15)
    tokens = wechat.calls("component_token")
    with serving(path, free_port()) as exporter:
        exporter.wait_until(lambda: wechat.calls("component_token", outcome="ok") == tokens + 1)
        exporter.wait_until(lambda: value(exporter, "up", appid=SECOND) == 1)


def test_configured_apps_are_asked_as_soon_as_the_first_ticket_comes(
    setup: Setup, wechat: Simulator, free_port: Callable[[], int]
) -> None:
    key = PLATFORM.aes_key
    setup.platform["verify_ticket"] = {"callback": {"token": PLATFORM.token, "encoding_aes_key": key}}
    setup.settings["refresh"]["interval"] = "1h"
    with serving(setup.write(apps=[app(FIRST)]), free_port()) as exporter:
        exporter.wait_until(
            lambda: value(exporter, "refresh_error_info", appid=FIRST, reason="third_party_ticket") == 1
        )
        wechat.push_ticket("main", exporter.base_url + "/wechat/ticket/main")
        exporter.wait_until(lambda: value(exporter, "up", appid=FIRST) == 1)


def test_no_output_shows_a_ticket_a_refresh_token_or_a_secret(
    setup: Setup, wechat: Simulator, free_port: Callable[[], int]
) -> None:
    desk = wechat.platforms["main"]
    tokens = list(desk.accounts.values())
    with serving(setup.discovering(), free_port(), "--log.level=debug") as exporter:
        exporter.wait_until(lambda: value(exporter, "up", appid=FIRST) == 1)
        desk.ip_allowed = False
        exporter.wait_until(lambda: value(exporter, "refresh_error_info", reason="ip_not_allowed") == 1)
        report = exporter.output() + exporter.metrics() + exporter.get("/").text
    for secret in (PLATFORM.secret, setup.ticket.read_text(), *tokens, *desk.accounts.values()):
        assert secret not in report
    assert "access_token=" not in report
