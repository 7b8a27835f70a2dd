"""The platform's address accepts only WeChat's pushes."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from exporter.simulator import pushes
from exporter.simulator.fleet import fleet
from exporter.simulator.platforms import SimPlatform
from exporter.simulator.pushes import PushRequest
from exporter.simulator.server import Conditions, Simulator
from exporter.web.ticket_callback import LARGEST_PUSH
from tests.running import Running, serving

pytestmark = pytest.mark.real
PLATFORM = SimPlatform("main", "wxfa4ec00000000001", "not-a-real-component-secret")
OTHER = SimPlatform("files", "wxfa4ec00000000002", "not-a-real-component-secret")


@pytest.fixture(scope="module")
def wechat() -> Iterator[Simulator]:
    conditions = Conditions(always_published=True)
    with Simulator(fleet(1, seed=1), conditions, platforms=[PLATFORM, OTHER]) as simulator:
        yield simulator


@pytest.fixture
def exporter(tmp_path: Path, wechat: Simulator, free_port: Callable[[], int]) -> Iterator[Running]:
    (tmp_path / "key").write_text(PLATFORM.aes_key + "\n")
    (tmp_path / "token").write_text(PLATFORM.token + "\n")
    callback = {"token_file": "token", "encoding_aes_key_file": "key"}
    settings: Any = {
        "wechat": {"base_url": wechat.base_url},
        "storage": {"url": "sqlite:///data/exporter.db"},
        "platforms": [
            {
                "name": platform.name,
                "component_appid": platform.component_appid,
                "component_appsecret": platform.secret,
                "verify_ticket": ticket,
                "discover": True,
            }
            for platform, ticket in ((PLATFORM, {"callback": callback}), (OTHER, {"file": "none"}))
        ],
    }
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(settings), "utf-8")
    with serving(path, free_port()) as exporter:
        yield exporter


def test_only_whole_true_and_fresh_pushes_are_taken(exporter: Running, wechat: Simulator) -> None:
    url = exporter.base_url + "/wechat/ticket/main"
    now = wechat.clock.now()

    def ticket(at: float = now, platform: SimPlatform = PLATFORM) -> PushRequest:
        fields = {"ComponentVerifyTicket": wechat.new_ticket("main")}
        return pushes.push(platform, at, "component_verify_ticket", fields)

    good = ticket()
    refused = {
        "tampered": PushRequest(good.query, good.body.replace(b"<Encrypt>", b"<Encrypt>A")),
        "replayed": ticket(now - 400),
        "another platform's": ticket(platform=OTHER),
        "oversized": PushRequest(good.query, good.body + b" " * LARGEST_PUSH),
    }
    for name, request in refused.items():
        assert pushes.send(url, request) == (400, ""), name
    assert pushes.send(exporter.base_url + "/wechat/ticket/files", ticket(platform=OTHER)) == (400, "")
    assert pushes.send(exporter.base_url + "/wechat/ticket/nobody", good) == (400, "")
    assert requests.get(url, timeout=5).status_code == 405
    assert wechat.calls("component_token") == 0
    assert pushes.send(url, good) == (200, "success")
    exporter.wait_until(lambda: wechat.calls("component_token", outcome="ok") == 1)
    refused_events = [line for line in exporter.output().splitlines() if "push refused" in line]
    assert len(refused_events) == 3  # a minute: of each platform, and of all made-up names together


def test_a_key_that_cannot_be_read_fills_no_log(exporter: Running, tmp_path: Path, wechat: Simulator) -> None:
    (tmp_path / "key").unlink()
    push = pushes.push(
        PLATFORM, wechat.clock.now(), "component_verify_ticket", {"ComponentVerifyTicket": "t"}
    )
    for _ in range(5):
        assert pushes.send(exporter.base_url + "/wechat/ticket/main", push) == (500, "")
    assert exporter.output().count("push not taken") == 1  # anybody can send these


def test_a_body_without_a_length_ends_at_its_limit(exporter: Running) -> None:
    url = exporter.base_url + "/wechat/ticket/main"
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(10_000):
            sent += 16 * 1024
            yield b"x" * 16 * 1024

    with suppress(requests.ConnectionError):  # it closes the connection while we are still sending
        assert requests.post(url, data=endless(), timeout=10).status_code == 400
    assert sent < 100 * LARGEST_PUSH


def test_an_older_ticket_does_not_take_the_place_of_a_newer_one(exporter: Running, wechat: Simulator) -> None:
    url = exporter.base_url + "/wechat/ticket/main"
    now = wechat.clock.now()
    fields = {"ComponentVerifyTicket": wechat.new_ticket("main")}
    newer = pushes.push(PLATFORM, now, "component_verify_ticket", fields)
    older = pushes.push(
        PLATFORM, now - 200, "component_verify_ticket", {"ComponentVerifyTicket": "old-ticket"}
    )
    assert [pushes.send(url, each)[0] for each in (newer, older)] == [200, 200]
    exporter.wait_until(lambda: wechat.calls("component_token") > 0)
    assert wechat.calls("component_token", outcome="61006") == 0
