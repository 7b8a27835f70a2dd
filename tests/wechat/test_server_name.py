import pytest

from exporter.wechat.endpoints import server_name


@pytest.mark.parametrize("place", ["api", "api2", "sh.api", "sz.api", "hk.api", "API"])
def test_all_entrances_of_wechat_are_one_server(place: str) -> None:
    assert server_name(f"https://{place}.weixin.qq.com") == "api.weixin.qq.com"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://api.weixin.qq.com", "https://weixin.qq.com"),
        ("https://api.weixin.qq.com", "https://api.weixin.qq.com.example"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8081"),
        ("http://127.0.0.1:8080", "https://127.0.0.1:8080"),
        ("https://proxy.example/wechat", "https://proxy.example/test"),
    ],
)
def test_other_servers_have_different_names(one: str, other: str) -> None:
    assert server_name(one) != server_name(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://Proxy.example/", "https://proxy.example"),
        ("https://proxy.example:443/wechat", "https://proxy.example/wechat/"),
        ("http://[::1]:80", "http://[::1]"),
    ],
)
def test_two_ways_to_write_an_address_are_one_server(one: str, other: str) -> None:
    assert server_name(one) == server_name(other)
