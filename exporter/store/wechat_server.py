"""Which server an address of WeChat's API leads to: rows of one are never shown as another's."""

from typing import Final
from urllib.parse import urlsplit

WECHAT: Final = "api.weixin.qq.com"
_OWN_HOSTS: Final = frozenset(
    {WECHAT, *(f"{place}.api.weixin.qq.com" for place in ("sh", "sz", "hk")), "api2.weixin.qq.com"}
)
"""WeChat's general, spare, Shanghai, Shenzhen and Hong Kong entrances: one service behind all of them."""

_DEFAULT_PORTS: Final = {"https": 443, "http": 80}


def server_name(base_url: str) -> str:
    """Name the server behind `wechat.base_url`; WeChat's own hosts are one, whichever is nearest."""
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    if host in _OWN_HOSTS:
        return WECHAT
    port = "" if parts.port in (None, _DEFAULT_PORTS.get(parts.scheme)) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}{parts.path.rstrip('/')}"
