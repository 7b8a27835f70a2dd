"""Asking from WeChat's cloud: inside cloud hosting without a token, or through a cloud function.

Sources: https://developers.weixin.qq.com/miniprogram/dev/wxcloudrun/src/guide/weixin/open.html (hosting),
https://developers.weixin.qq.com/doc/oplatform/openApi/cloudbase-common/scf-management/api_invokecloudfunction.html
"""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlsplit

from exporter.config.settings import CloudFunction, CloudHosting, FileToken, StableToken
from exporter.datasets.daily_trend import DAILY_TREND
from exporter.datasets.dataset import Dataset, Row
from exporter.datasets.field import camel
from exporter.datasets.period import Period
from exporter.wechat import endpoints
from exporter.wechat.client import Client
from exporter.wechat.datacube import Figures, advising, ask_dataset, ask_quota, row_reader
from exporter.wechat.endpoints import API_QUOTA
from exporter.wechat.failures import advice
from exporter.wechat.failures.errcodes import errcode_failure, failure, of_function
from exporter.wechat.failures.failure import Action, CallError, Reason
from exporter.wechat.network.transport import Answer
from exporter.wechat.tokens.cache import OWN_SHELF, Shelf, Token, TokenCache
from exporter.wechat.tokens.owners import TokenOwners
from exporter.wechat.tokens.sources import FileTokenSource, StableTokenSource
from exporter.wechat.verdict import decode, read_json

INVOKE_PATH: Final = "/tcb/invokecloudfunction"
_WECHATS_HOSTS: Final = ".weixin.qq.com"
_THREW: Final = -504002  # what WeChat says of a function that threw an error
_CALLED: Final = re.compile(r"openapi\.analysis\.(get[A-Za-z]{1,40}):")
_FINE: Final = ":ok"  # ends a cloud call's errMsg


class HostingAccess:
    """From inside cloud hosting (云托管): the network, or a cloudbase_access_token, says who asks."""

    kind = "cloud_hosting"
    token_expires_at = None

    def __init__(self, client: Client, appid: str, settings: CloudHosting, owners: TokenOwners) -> None:
        self._client = client
        self._appid = appid
        self._settings = settings
        self._owners = owners
        file = settings.token_file
        self._keeper = None if file is None else TokenCache(FileTokenSource(FileToken(file)), client.clock)
        if self._keeper is not None:
            owners.join(appid, self._keeper)

    def fingerprint(self) -> bytes:
        """A hash of the token's file, or of what the settings say where there is none."""
        if self._keeper is not None:
            return self._keeper.source.fingerprint()
        return hashlib.sha256(f"{self._settings.from_appid}".encode()).digest()

    def fetch(self, dataset: Dataset, period: Period) -> Row:
        """Ask; the token's file is read for every call, and once more where WeChat refuses the token."""
        if self._keeper is not None:
            return self._keeper.use(
                lambda token: ask_dataset(self._client, dataset, period, self._access(token), [token.value])
            )
        base_url = hosting_url(self._client.base_url)
        return ask_dataset(self._client, dataset, period, self._account, (), base_url=base_url)

    def quota(self, cgi_path: str) -> Figures:
        """Refuse: WeChat offers no cloud call for it."""
        with advising(API_QUOTA.name):
            detail = f"cloud hosting cannot ask for the quota of {cgi_path}: WeChat has no cloud call for it"
            raise CallError(failure(Reason.PERMISSION, detail, text=advice.PERMISSION))

    def _access(self, token: Token) -> Mapping[str, str]:
        self._owners.claim(self._appid, token)
        return {"cloudbase_access_token": token.value}

    @property
    def _account(self) -> Mapping[str, str]:
        from_appid = self._settings.from_appid
        return {} if from_appid is None else {"from_appid": from_appid}


class FunctionAccess:
    """A cloud function makes the call inside; it is started with the account's stable token."""

    kind = "cloud_function"

    def __init__(self, client: Client, appid: str, settings: CloudFunction, shelf: Shelf = OWN_SHELF) -> None:
        self._client = client
        self._settings = settings
        source = StableTokenSource(appid, StableToken(settings.secret), client)
        self._keeper = TokenCache(source, client.clock, shelf)

    @property
    def token_expires_at(self) -> float | None:
        """Unix time at which the token held ends."""
        return self._keeper.expires_at

    def fingerprint(self) -> bytes:
        """Changes when the operator changes the secret."""
        return self._keeper.source.fingerprint()

    def fetch(self, dataset: Dataset, period: Period) -> Row:
        """Start the function with interface and dates, and read what it returned."""
        return self._keeper.use(lambda token: self._invoke(token, dataset, period))

    def quota(self, cgi_path: str) -> Figures:
        """Ask without the function: there is no cloud call for it, and the token is the account's own."""
        return self._keeper.use(
            lambda token: ask_quota(self._client, cgi_path, {"access_token": token.value}, [token.value])
        )

    def _invoke(self, token: Token, dataset: Dataset, period: Period) -> Row:
        called = {"env": self._settings.env, "name": self._settings.function}
        dates = {camel(key): value for key, value in dataset.request(period).items()}
        # A function older than 1.1.0 knows the daily trend alone, and nothing of `interface`.
        named = {} if dataset is DAILY_TREND else {"interface": dataset.interface}
        with advising(dataset.interface):
            return self._client.ask(
                endpoints.CLOUD_FUNCTION,
                "POST",
                INVOKE_PATH,
                result_reader(dataset, period),
                params={"access_token": token.value, **called},
                body={**named, **dates},
                secrets=[token.value],
            )


def hosting_url(base_url: str) -> str:
    """Where cloud hosting adds the credential: WeChat's address by plain HTTP, any other one as it is."""
    host = urlsplit(base_url).hostname or ""
    return f"http://{base_url.partition('://')[2]}" if host.endswith(_WECHATS_HOSTS) else base_url


def result_reader(dataset: Dataset, period: Period) -> Callable[[dict[str, Any]], Row]:
    """Reads an invocation's answer, whose `resp_data` is what the function returned, as a JSON text.

    The function may return a row, or the error object of the call inside, if it caught that.
    """
    read_row = row_reader(dataset, period)

    def read(body: dict[str, Any]) -> Row:
        text = body.get("resp_data")
        if not isinstance(text, str):
            raise CallError(failure(Reason.MALFORMED, "the invocation's answer has no resp_data"))
        problem = None
        with suppress(UnicodeEncodeError):
            _check_interface(text, dataset)
            try:
                returned = read_json(Answer(200, text.encode()))
            except CallError as error:
                problem = error.failure
            else:
                return read_row(_without_failure(returned))
        if problem is None:
            problem = failure(Reason.MALFORMED, "resp_data is no text")
        raise CallError(
            replace(of_function(problem), detail=f"the cloud function returned: {problem.detail}")
        )

    return read


def _check_interface(text: str, dataset: Dataset) -> None:
    """Refuse what another interface returned: an old function calls the daily trend whatever is asked."""
    body = decode(text.encode())
    message = body.get("errMsg") if isinstance(body, dict) else None
    called = _CALLED.match(message) if isinstance(message, str) else None
    if called is not None and called[1] != dataset.interface:
        detail = f"the cloud function called {called[1]}, asked for {dataset.interface}"
        raise CallError(failure(Reason.PERMISSION, detail, Action.SUSPEND, advice.OLD_FUNCTION))


def _without_failure(returned: dict[str, Any]) -> dict[str, Any]:
    """What the function returned, unless it is an error without a code: an errMsg that does not end `:ok`."""
    message = returned.get("errMsg", _FINE)
    if "list" in returned or (isinstance(message, str) and message.endswith(_FINE)):
        return returned
    told = message if isinstance(message, str) else json.dumps(message, ensure_ascii=False)
    problem = errcode_failure(_THREW, told)  # the text may name the code of the call inside
    if problem.errcode == _THREW:
        problem = replace(problem, errcode=None, detail=told)
    raise CallError(replace(problem, detail=f"the cloud function returned: {problem.detail}"))
