"""The interfaces to call, by WeChat's names (the metrics' label `endpoint`), and their servers."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from exporter.datasets.catalogue import BY_NAME
from exporter.datasets.daily_trend import DAILY_TREND
from exporter.datasets.dataset import Dataset
from exporter.datasets.quota import QUOTA, QUOTA_PATH

_WECHAT: Final = "api.weixin.qq.com"
_OWN_HOSTS: Final = frozenset(
    {_WECHAT, *(f"{place}.api.weixin.qq.com" for place in ("sh", "sz", "hk")), "api2.weixin.qq.com"}
)
"""WeChat's general, spare, Shanghai, Shenzhen and Hong Kong hosts, all of one service."""

_DEFAULT_PORTS: Final = {"https": 443, "http": 80}
_COMPONENT: Final = "/cgi-bin/component"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An interface.

    `path`: below WeChat's address; '' for an address of the operator's. `takes_secret`: it exchanges an
    AppSecret for a token, so that errcodes about a token mean a wrong secret. `repeatable`: a second call is
    harmless if the first one's connection breaks before the answer.
    """

    name: str
    path: str = ""
    method: str = "POST"
    takes_secret: bool = False
    repeatable: bool = True


def endpoint_of(dataset: Dataset) -> Endpoint:
    """Return the interface that a dataset comes from."""
    return Endpoint(dataset.interface, dataset.path)


DAILY_VISIT_TREND: Final = endpoint_of(DAILY_TREND)
STABLE_ACCESS_TOKEN: Final = Endpoint("getStableAccessToken", "/cgi-bin/stable_token", takes_secret=True)
ACCESS_TOKEN: Final = Endpoint(  # each token invalidates the one before
    "getAccessToken", "/cgi-bin/token", "GET", takes_secret=True, repeatable=False
)
HTTP_TOKEN: Final = Endpoint("http_token")  # token: {type: http}, not WeChat's
COMPONENT_TOKEN: Final = Endpoint(
    "api_component_token", f"{_COMPONENT}/api_component_token", takes_secret=True
)
AUTHORIZER_TOKEN: Final = Endpoint("api_authorizer_token", f"{_COMPONENT}/api_authorizer_token")
AUTHORIZER_LIST: Final = Endpoint("api_get_authorizer_list", f"{_COMPONENT}/api_get_authorizer_list")
AUTHORIZER_INFO: Final = Endpoint("api_get_authorizer_info", f"{_COMPONENT}/api_get_authorizer_info")
HTTP_TICKET: Final = Endpoint("http_ticket")  # verify_ticket: {http: …}, not WeChat's
CLOUD_FUNCTION: Final = Endpoint("invokecloudfunction", "/tcb/invokecloudfunction")
API_QUOTA: Final = Endpoint("getApiQuota", QUOTA_PATH)

ALWAYS: Final = (
    DAILY_VISIT_TREND,
    STABLE_ACCESS_TOKEN,
    ACCESS_TOKEN,
    HTTP_TOKEN,
    COMPONENT_TOKEN,
    AUTHORIZER_TOKEN,
    AUTHORIZER_LIST,
    AUTHORIZER_INFO,
    HTTP_TICKET,
    CLOUD_FUNCTION,
)
"""The interfaces that do not depend on the configured datasets."""


def endpoints_of(datasets: Iterable[str]) -> tuple[Endpoint, ...]:
    """Return the interfaces of datasets, given by name, quota included."""
    return tuple(API_QUOTA if name == QUOTA else endpoint_of(BY_NAME[name]) for name in datasets)


def server_name(base_url: str) -> str:
    """Return the name of the server behind a base URL: one server's rows are never shown as another's.

    WeChat's hosts have one name.
    """
    parts = urlsplit(base_url)
    host = parts.hostname or ""
    if host in _OWN_HOSTS:
        return _WECHAT
    port = "" if parts.port in (None, _DEFAULT_PORTS.get(parts.scheme)) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}{parts.path.rstrip('/')}"
