"""Access through WeChat's cloud: inside cloud hosting without a secret, or by a cloud function.

Sources: https://developers.weixin.qq.com/miniprogram/dev/wxcloudrun/src/guide/weixin/open.html (hosting),
https://developers.weixin.qq.com/doc/oplatform/openApi/cloudbase-common/scf-management/api_invokecloudfunction.html
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final
from urllib.parse import urlsplit

from exporter.config.token_types import CloudFunction
from exporter.datasets.daily_trend import DAILY_TREND
from exporter.datasets.dataset import Dataset, Row
from exporter.datasets.field import camel
from exporter.datasets.period import Period
from exporter.wechat import endpoints
from exporter.wechat.client import Client
from exporter.wechat.datacube import DirectAccess, Figures, failure_conversion, read_row
from exporter.wechat.endpoints import endpoint_of
from exporter.wechat.failures import advice
from exporter.wechat.failures.errcodes import errcode_failure, failure, of_function
from exporter.wechat.failures.failure import Action, CallError, Failure, Reason
from exporter.wechat.network.transport import Answer
from exporter.wechat.tokens.cache import TokenSource
from exporter.wechat.tokens.duplicates import TokenOwners
from exporter.wechat.verdict import decode, read_json

_WECHATS_HOSTS: Final = ".weixin.qq.com"
_THREW: Final = -504002  # WeChat's text about a function that threw an error
_CALLED: Final = re.compile(r"openapi\.analysis\.(get[A-Za-z]{1,40}):")
_FINE: Final = ":ok"  # ends a cloud call's errMsg


class _InsideHosting:
    """The common part of both accesses inside cloud hosting (云托管): there is no cloud call for a quota."""

    __slots__ = ()
    kind = "cloud_hosting"

    def quota(self, cgi_path: str) -> Figures:
        """Raise CallError, as WeChat offers no cloud call for a quota."""
        detail = f"cloud hosting cannot ask for the quota of {cgi_path}: WeChat has no cloud call for it"
        text = advice.PERMISSION.about(endpoints.API_QUOTA.name)
        raise CallError(failure(Reason.PERMISSION, detail, text=text))


@dataclass(slots=True, eq=False)
class HostingAccess(_InsideHosting):
    """Access from inside cloud hosting without a token: the network identifies the caller."""

    client: Client
    from_appid: str | None

    token_expires_at = None

    def fingerprint(self) -> bytes:
        """Return a hash of the settings."""
        return hashlib.sha256(f"{self.from_appid}".encode()).digest()

    def fetch(self, dataset: Dataset, period: Period) -> Row:
        """Ask at the address where cloud hosting adds the credential."""
        account = {} if self.from_appid is None else {"from_appid": self.from_appid}
        return self.client.ask(
            endpoint_of(dataset),
            partial(read_row, dataset, period),
            secrets=(),
            convert=failure_conversion(dataset, period, self.client.clock),
            base_url=hosting_url(self.client.base_url),
            params=account,
            body=dataset.request(period),
        )


class HostingTokenAccess(_InsideHosting, DirectAccess):
    """Access with the cloudbase_access_token that cloud hosting keeps in a file, read for every call."""

    parameters = ("cloudbase_access_token",)


class FunctionAccess(DirectAccess):
    """Access by a cloud function, which the account's stable token starts.

    The quota comes without the function, as there is no cloud call for it, and the token is the account's.
    """

    kind = "cloud_function"

    def __init__(
        self, client: Client, appid: str, source: TokenSource, owners: TokenOwners, settings: CloudFunction
    ) -> None:
        super().__init__(client, appid, source, owners)
        self._settings = settings

    def fetch(self, dataset: Dataset, period: Period) -> Row:
        """Start the function with interface and dates, and read its result."""
        dates = {camel(key): value for key, value in dataset.request(period).items()}
        # A function older than 1.1.0 knows only the daily trend, and ignores `interface`.
        named = {} if dataset is DAILY_TREND else {"interface": dataset.interface}
        return self.ask(
            endpoints.CLOUD_FUNCTION,
            partial(read_result, dataset, period),
            params={"env": self._settings.env, "name": self._settings.function},
            body={**named, **dates},
            convert=failure_conversion(dataset, period, self.client.clock),
        )


def hosting_url(base_url: str) -> str:
    """Return the address where cloud hosting adds the credential: plain HTTP for WeChat's, else unchanged."""
    host = urlsplit(base_url).hostname or ""
    return f"http://{base_url.partition('://')[2]}" if host.endswith(_WECHATS_HOSTS) else base_url


def read_result(dataset: Dataset, period: Period, body: Mapping[str, Any]) -> Row:
    """Read an invocation's answer, whose `resp_data` is the function's result as a JSON text.

    The function returns a row, or the error object of its call, if it caught that.
    """
    text = body.get("resp_data")
    if not isinstance(text, str):
        raise CallError(failure(Reason.MALFORMED, "the invocation's answer has no resp_data"))
    content = text.encode("utf-8", "replace")
    _check_interface(content, dataset)
    try:
        returned = read_json(Answer(200, content))
    except CallError as error:
        problem = of_function(error.failure)
    else:
        uncoded = _uncoded_failure(returned)
        if uncoded is None:
            return read_row(dataset, period, returned)
        problem = uncoded
    raise CallError(replace(problem, detail=f"the cloud function returned: {problem.detail}"))


def _check_interface(content: bytes, dataset: Dataset) -> None:
    """Refuse the result of another interface, as an old function always asks for the daily trend."""
    body = decode(content)
    message = body.get("errMsg") if isinstance(body, dict) else None
    called = _CALLED.match(message) if isinstance(message, str) else None
    if called is not None and called[1] != dataset.interface:
        detail = f"the cloud function called {called[1]}, asked for {dataset.interface}"
        raise CallError(failure(Reason.PERMISSION, detail, Action.SUSPEND, advice.OLD_FUNCTION))


def _uncoded_failure(returned: Mapping[str, Any]) -> Failure | None:
    """Return the failure for an error without a code, whose errMsg does not end in `:ok`; else None."""
    message = returned.get("errMsg", _FINE)
    if "list" in returned or (isinstance(message, str) and message.endswith(_FINE)):
        return None
    text = message if isinstance(message, str) else json.dumps(message, ensure_ascii=False)
    problem = errcode_failure(_THREW, text)  # the text may name the code of the function's call
    return replace(problem, errcode=None, detail=text) if problem.errcode == _THREW else problem
