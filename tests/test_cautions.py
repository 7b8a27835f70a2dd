import resource
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.typing import FilteringBoundLogger

from exporter.cautions import Cautions, is_exposed
from exporter.config.settings import (
    AccessToken,
    App,
    Config,
    Platform,
    RefreshSettings,
    Secret,
    StorageSettings,
    TicketFile,
    WechatSettings,
)
from tests.building import make_app

SECRET = Secret("not-a-real-secret")
CONFIG = Config(
    Path("config.yaml"),
    WechatSettings("https://api.weixin.qq.com", 10.0),
    RefreshSettings(3600.0, 9, 3, 16, 50.0),
    StorageSettings("sqlite:////data/exporter.db"),
    (make_app(1),),
)
PLATFORM = Platform("main", "wxabcdefabcdefabcd", SECRET, TicketFile(Path("ticket")))


def classic(number: int) -> App:
    return replace(make_app(number), token=AccessToken(SECRET))


def test_a_usual_configuration_is_nothing_to_warn_of(log: FilteringBoundLogger, events: list[Any]) -> None:
    Cautions(log).tell(CONFIG)
    assert events == []


def test_a_platform_without_a_storage_is_told(log: FilteringBoundLogger, events: list[Any]) -> None:
    Cautions(log).tell(replace(CONFIG, platforms=(PLATFORM,), storage=StorageSettings("memory://")))
    assert "refresh tokens and tickets do not survive" in events[0]["event"]


def test_calls_at_a_time_that_the_descriptors_do_not_allow_are_told(
    log: FilteringBoundLogger, events: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (64, 256))
    Cautions(log).tell(CONFIG)
    assert "refresh.concurrency 16 needs about 316 file descriptors" in events[0]["event"]


def test_an_address_in_the_clear_is_told_once(log: FilteringBoundLogger, events: list[Any]) -> None:
    cautions = Cautions(log)
    exposed = replace(CONFIG, wechat=WechatSettings("http://proxy.example", 10.0))
    cautions.tell(exposed)
    cautions.tell(exposed)
    assert len(events) == 1
    assert "in the clear" in events[0]["event"]
    cautions.tell(replace(CONFIG, wechat=WechatSettings("http://other.example", 10.0)))
    assert len(events) == 2


@pytest.mark.parametrize(
    ("base_url", "exposed"),
    [
        ("http://proxy.example", True),
        ("https://api.weixin.qq.com", False),
        ("http://localhost:8080", False),
        ("http://127.0.0.1:8080", False),
        ("http://[::1]:8080", False),
    ],
)
def test_only_what_leaves_the_machine_is_exposed(base_url: str, exposed: object) -> None:
    assert is_exposed(base_url) == exposed


def test_classic_tokens_are_told_once_per_app_that_brings_them(
    log: FilteringBoundLogger, events: list[Any]
) -> None:
    cautions = Cautions(log)
    for apps in ((classic(1),), (classic(1),), (classic(1), classic(2))):
        cautions.tell(replace(CONFIG, apps=apps))
    assert [event["apps"] for event in events] == [1, 2]
    assert {event["first"] for event in events} == {classic(1).name}
