import re

import yaml

from exporter.simulator.faults import Fault
from exporter.simulator.fleet import config_yaml, demo_fleet, fake_appid, fake_secret, fleet


def test_the_demo_fleet_has_healthy_apps_and_one_of_each_trouble() -> None:
    faults = [app.fault for app in demo_fleet()]
    assert faults.count(Fault.NONE) >= 5
    troubles = [fault for fault in faults if fault is not Fault.NONE]
    assert len(troubles) == len(set(troubles))


def test_the_demo_fleet_has_names_in_both_languages() -> None:
    names = [app.name for app in demo_fleet()]
    assert len(set(names)) == len(names)
    assert {name.isascii() for name in names} == {True, False}


def test_appids_have_the_shape_of_real_ones() -> None:
    appids = [app.appid for app in (*demo_fleet(), *fleet(50, 1))]
    assert all(re.fullmatch(r"wx[0-9a-f]{16}", appid) for appid in appids)
    assert fake_appid(12) == "wxfa4e000000000012"
    assert fake_secret(12) == "not-a-real-secret-0012"


def test_a_fleet_is_healthy_and_varied() -> None:
    apps = fleet(200, 7)
    assert {app.fault for app in apps} == {Fault.NONE}
    assert len({app.appid for app in apps}) == 200
    assert len({app.published_at for app in apps}) > 50
    assert 0 < sum(bool(app.left_out) for app in apps) < 60
    assert all(30 <= app.size <= 1_000_000 for app in apps)


def test_a_configuration_names_every_app_with_its_secret() -> None:
    text = config_yaml(demo_fleet(), "http://127.0.0.1:18080")
    assert "奶茶小铺" in text
    document = yaml.safe_load(text)
    assert document["wechat"] == {"base_url": "http://127.0.0.1:18080", "timeout": "10s"}
    assert document["refresh"] == {"interval": "1h", "concurrency": 16}
    assert document["storage"] == {"url": "memory://"}
    assert document["apps"][0] == {
        "appid": "wxfa4e000000000001",
        "name": "coffee-shop",
        "labels": {"team": "food"},
        "secret": "not-a-real-secret-0001",
    }
