import threading

import pytest

from exporter.config.settings import RefreshSettings, WechatSettings
from exporter.refresh.hung_calls import Vigil, patience
from exporter.refresh.plan import Ask
from tests.building import YESTERDAY

ASK = Ask("wx0000000000000001", YESTERDAY)


@pytest.mark.parametrize(("rate", "seconds"), [(0.0, 70.0), (1.0, 134.0)])
def test_patience_outlasts_every_deadline_and_turn(rate: float, seconds: float) -> None:
    refresh = RefreshSettings(3600.0, 9, 3, 16, rate)
    assert patience(WechatSettings("https://wechat.example", 10.0), refresh) == seconds


def test_an_ask_that_ends_in_time_is_never_given_up() -> None:
    told: list[int] = []
    vigil = Vigil(told.append)
    vigil.begin(ASK, 100.0)
    assert vigil.give_up(100.0) == []
    assert not vigil.end()
    assert told == []


def test_one_that_hangs_is_given_up_once_and_told_until_it_returns() -> None:
    told: list[int] = []
    vigil = Vigil(told.append)
    vigil.begin(ASK, 100.0)
    assert vigil.give_up(101.0) == [ASK]
    assert vigil.give_up(101.0) == []
    assert vigil.gave_up(threading.current_thread())
    assert vigil.hanging() == {ASK.appid}
    assert vigil.end()
    assert vigil.hanging() == set()
    assert told == [1, 0]
