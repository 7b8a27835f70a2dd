import resource
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.typing import FilteringBoundLogger

from exporter.config.apps import App
from exporter.config.platforms import Platform, TicketFile
from exporter.config.secret import Secret
from exporter.config.settings import Config, RefreshSettings, WechatSettings
from exporter.config.storage import StorageSettings
from exporter.config.token_types import ClassicToken, StableToken
from exporter.config_warnings import ConfigWarnings, config_warnings, doubts, is_exposed
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
    return replace(make_app(number), token=ClassicToken(SECRET))


def with_secret(folder: Path, written: str) -> Config:
    path = folder / "secret"
    path.touch(0o600)
    path.write_text(written, "utf-8")
    return replace(CONFIG, apps=(replace(CONFIG.apps[0], token=StableToken(Secret(path=path))),))


def test_a_usual_configuration_is_nothing_to_warn_of(log: FilteringBoundLogger, events: list[Any]) -> None:
    ConfigWarnings(log).log_new(CONFIG)
    assert events == []


def test_a_platform_without_a_storage_is_warned_of(log: FilteringBoundLogger, events: list[Any]) -> None:
    ConfigWarnings(log).log_new(replace(CONFIG, platforms=(PLATFORM,), storage=StorageSettings("memory://")))
    assert "refresh tokens and tickets do not survive" in events[0]["event"]


def test_calls_at_a_time_that_the_descriptors_do_not_allow_are_warned_of(
    log: FilteringBoundLogger, events: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (64, 256))
    ConfigWarnings(log).log_new(CONFIG)
    assert "refresh.concurrency 16 needs about 316 file descriptors" in events[0]["event"]


def test_an_address_in_the_clear_is_warned_of_once(log: FilteringBoundLogger, events: list[Any]) -> None:
    config_warnings = ConfigWarnings(log)
    exposed = replace(CONFIG, wechat=WechatSettings("http://proxy.example", 10.0))
    config_warnings.log_new(exposed)
    config_warnings.log_new(exposed)
    assert len(events) == 1
    assert "in the clear" in events[0]["event"]
    config_warnings.log_new(replace(CONFIG, wechat=WechatSettings("http://other.example", 10.0)))
    assert len(events) == 2


def test_what_looks_like_an_app_secret_in_a_file_of_its_owners_is_no_doubt(tmp_path: Path) -> None:
    assert list(doubts(with_secret(tmp_path, "0123456789abcdef" * 2))) == []


@pytest.mark.parametrize(
    "written", ["'0123456789abcdef0123456789abcdef'", "0123456789abcdef", "not-a-real-secret"]
)
def test_a_secret_of_another_shape_is_warned_of_and_not_shown(tmp_path: Path, written: str) -> None:
    (doubt,) = map(str, doubts(with_secret(tmp_path, written)))
    assert doubt.startswith(f"{CONFIG.apps[0].name}: secrets that are not 32 hexadecimal digits, as WeChat's")
    assert written not in doubt


def test_an_appid_with_capitals_is_warned_of(tmp_path: Path) -> None:
    config = with_secret(tmp_path, "0123456789abcdef" * 2)
    app = replace(config.apps[0], appid="wxFA4E000000000001", name="shop")
    assert [str(each) for each in doubts(replace(config, apps=(app,)))] == [
        "shop: appids with capitals: WeChat writes them in lower case"
    ]


def test_a_secret_file_that_everybody_can_read_is_warned_of(tmp_path: Path) -> None:
    config = with_secret(tmp_path, "0123456789abcdef" * 2)
    (tmp_path / "secret").chmod(0o644)
    (doubt,) = map(str, doubts(config))
    assert doubt.startswith(f"{tmp_path / 'secret'}: secret files that every user")


def test_the_secrets_of_a_stand_in_are_as_it_likes(tmp_path: Path) -> None:
    stand_in = WechatSettings("http://127.0.0.1:10951", 10.0)
    assert list(doubts(replace(with_secret(tmp_path, "not-a-real-secret"), wechat=stand_in))) == []


def test_apps_of_one_name_are_warned_of(log: FilteringBoundLogger, events: list[Any]) -> None:
    namesakes = tuple(replace(make_app(number), name="coffee-shop") for number in (1, 2, 3))
    config = replace(CONFIG, apps=(*namesakes, make_app(4)))
    ConfigWarnings(log).log_new(config)
    assert [(event["apps"], event["first"]) for event in events] == [(3, "coffee-shop")]
    (warning,) = map(str, config_warnings(config))
    assert warning.startswith("coffee-shop and 2 more: apps with one name: ")


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


def test_classic_tokens_are_warned_of_once_per_app_that_brings_them(
    log: FilteringBoundLogger, events: list[Any]
) -> None:
    config_warnings = ConfigWarnings(log)
    for apps in ((classic(1),), (classic(1),), (classic(1), classic(2))):
        config_warnings.log_new(replace(CONFIG, apps=apps))
    assert [event["apps"] for event in events] == [1, 2]
    assert {event["first"] for event in events} == {classic(1).name}
