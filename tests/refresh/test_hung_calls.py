import threading

import pytest

from exporter.config.settings import RefreshSettings, WechatSettings
from exporter.refresh.hung_calls import HungCalls, patience
from exporter.refresh.plan import Ask
from tests.building import YESTERDAY

ASK = Ask("wx0000000000000001", YESTERDAY)


@pytest.mark.parametrize(("rate", "seconds"), [(0.0, 70.0), (1.0, 134.0)])
def test_patience_outlasts_every_deadline_and_turn(rate: float, seconds: float) -> None:
    refresh = RefreshSettings(3600.0, 9, 3, 16, rate)
    assert patience(WechatSettings("https://wechat.example", 10.0), refresh) == seconds


def test_an_ask_that_ends_in_time_is_never_given_up() -> None:
    told: list[int] = []
    hung_calls = HungCalls(told.append)
    hung_calls.begin(ASK, 100.0)
    assert hung_calls.give_up(100.0) == []
    assert not hung_calls.end()
    assert told == []


def test_one_that_hangs_is_given_up_once_and_told_until_it_returns() -> None:
    told: list[int] = []
    hung_calls = HungCalls(told.append)
    hung_calls.begin(ASK, 100.0)
    assert hung_calls.give_up(101.0) == [ASK]
    assert hung_calls.give_up(101.0) == []
    assert hung_calls.gave_up(threading.current_thread())
    assert hung_calls.hanging() == {ASK.appid}
    assert hung_calls.end()
    assert hung_calls.hanging() == set()
    assert told == [1, 0]
