"""Asking from WeChat's cloud: inside cloud hosting without a token, or through a cloud function.

Sources: https://developers.weixin.qq.com/miniprogram/dev/wxcloudrun/src/guide/weixin/open.html (hosting),
https://developers.weixin.qq.com/doc/oplatform/openApi/cloudbase-common/scf-management/api_invokecloudfunction.html
"""

import hashlib
import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date
from typing import Any, Final
from urllib.parse import urlsplit

from exporter.config.settings import CloudFunction, CloudHosting, FileToken, StableToken
from exporter.trend import Row, wire_date
from exporter.wechat.daily_trend import ask_trend, row_reader
from exporter.wechat.errcodes import errcode_failure, failure, of_function
from exporter.wechat.errors import CallError, Reason
from exporter.wechat.line import Endpoint, Line
from exporter.wechat.owners import TokenOwners
from exporter.wechat.token_sources import FileTokenSource, StableTokenSource
from exporter.wechat.tokens import OWN_SHELF, Shelf, Token, TokenKeeper
from exporter.wechat.transport import Answer, read_json

INVOKE_PATH: Final = "/tcb/invokecloudfunction"
_WECHATS_HOSTS: Final = ".weixin.qq.com"
_THREW: Final = -504002  # what WeChat says of a function that threw an error
_FINE: Final = ":ok"  # ends a cloud call's errMsg


class HostingWay:
    """From inside cloud hosting (云托管): the network, or a cloudbase_access_token, says who asks."""

    kind = "cloud_hosting"
    token_expires_at = None

    def __init__(self, line: Line, appid: str, settings: CloudHosting, owners: TokenOwners) -> None:
        self._line = line
        self._appid = appid
        self._settings = settings
        self._owners = owners
        file = settings.token_file
        self._keeper = None if file is None else TokenKeeper(FileTokenSource(FileToken(file)), line.clock)
        if self._keeper is not None:
            owners.join(appid, self._keeper)

    def fingerprint(self) -> bytes:
        """A hash of the token's file, or of what the settings say where there is none."""
        if self._keeper is not None:
            return self._keeper.source.fingerprint()
        return hashlib.sha256(f"{self._settings.from_appid}".encode()).digest()

    def daily_trend(self, day: date) -> Row:
        """Ask; the token's file is read for every call, and once more where WeChat refuses the token."""
        if self._keeper is not None:
            return self._keeper.use(lambda token: self._ask_with(token, day))
        from_appid = self._settings.from_appid
        params = {} if from_appid is None else {"from_appid": from_appid}
        return ask_trend(self._line, day, params, (), base_url=hosting_url(self._line.base_url))

    def _ask_with(self, token: Token, day: date) -> Row:
        self._owners.claim(self._appid, token)
        return ask_trend(self._line, day, {"cloudbase_access_token": token.value}, [token.value])


class FunctionWay:
    """A cloud function makes the call inside; it is started with the account's stable token."""

    kind = "cloud_function"

    def __init__(self, line: Line, appid: str, settings: CloudFunction, shelf: Shelf = OWN_SHELF) -> None:
        self._line = line
        self._settings = settings
        source = StableTokenSource(appid, StableToken(settings.secret), line)
        self._keeper = TokenKeeper(source, line.clock, shelf)

    @property
    def token_expires_at(self) -> float | None:
        """Unix time at which the token held ends."""
        return self._keeper.expires_at

    def fingerprint(self) -> bytes:
        """Changes when the operator changes the secret."""
        return self._keeper.source.fingerprint()

    def daily_trend(self, day: date) -> Row:
        """Start the function with the date, and read what it returned."""
        return self._keeper.use(lambda token: self._invoke(token, day))

    def _invoke(self, token: Token, day: date) -> Row:
        called = {"env": self._settings.env, "name": self._settings.function}
        return self._line.ask(
            Endpoint.CLOUD_FUNCTION,
            "POST",
            INVOKE_PATH,
            result_reader(day),
            params={"access_token": token.value, **called},
            body={"beginDate": wire_date(day), "endDate": wire_date(day)},
            secrets=[token.value],
        )


def hosting_url(base_url: str) -> str:
    """Where cloud hosting adds the credential: WeChat's address by plain HTTP, any other one as it is."""
    host = urlsplit(base_url).hostname or ""
    return f"http://{base_url.partition('://')[2]}" if host.endswith(_WECHATS_HOSTS) else base_url


def result_reader(day: date) -> Callable[[dict[str, Any]], Row]:
    """Reads an invocation's answer, whose `resp_data` is what the function returned, as a JSON text.

    The function may return a row, or the error object of the call inside, if it caught that.
    """
    read_row = row_reader(day)

    def read(body: dict[str, Any]) -> Row:
        text = body.get("resp_data")
        if not isinstance(text, str):
            raise CallError(failure(Reason.MALFORMED, "the invocation's answer has no resp_data"))
        problem = None
        with suppress(UnicodeEncodeError):
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
