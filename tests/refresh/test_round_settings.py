from dataclasses import replace
from pathlib import Path

import pytest

from exporter.config.settings import Config, RefreshSettings, WechatSettings
from exporter.config.storage import StorageSettings
from exporter.refresh.round_settings import round_settings
from tests.building import make_app

CONFIG = Config(
    Path("config.yaml"),
    WechatSettings("https://wechat.example", 10.0),
    RefreshSettings(3600.0, 9, 3, 16, 0.0),
    StorageSettings("memory://"),
    (make_app(1),),
)


@pytest.mark.parametrize(("rate", "seconds"), [(0.0, 70.0), (1.0, 134.0)])
def test_a_call_hangs_only_after_every_deadline_and_turn(rate: float, seconds: float) -> None:
    config = replace(CONFIG, refresh=replace(CONFIG.refresh, requests_per_second=rate))
    assert round_settings(config, {}, 0.0).hangs_after == seconds
    assert round_settings(config, {}, 60.0).hangs_after == seconds + 60.0
