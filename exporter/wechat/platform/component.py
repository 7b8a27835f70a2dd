"""A platform's own token, the component_access_token, and the calls made with it.

Source: https://developers.weixin.qq.com/doc/oplatform/Third-party_Platforms/2.0/api/ThirdParty/token/component_access_token.html
"""

import hashlib
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, Final, TypeVar

from exporter.config.settings import Platform
from exporter.wechat import endpoints
from exporter.wechat.client import Client
from exporter.wechat.endpoints import Endpoint
from exporter.wechat.failures.advice import PLATFORM_APPID, PLATFORM_SECRET
from exporter.wechat.failures.errcodes import failure
from exporter.wechat.failures.failure import CallError, Failure, Reason
from exporter.wechat.platform.authorizers import PAGE_SIZE, AuthorizerList, Page, read_page
from exporter.wechat.platform.tickets import TicketSource
from exporter.wechat.tokens.cache import Shelves, Token, TokenCache, own_shelves
from exporter.wechat.tokens.sources import read_secret, token_reader
from exporter.wechat.vault import Vault

COMPONENT_PATH: Final = "/cgi-bin/component/"
_PAUSE_AFTER_FAILURE: Final = 30.0  # seconds; ten thousand accounts must not repeat one failure
_BUDGET: Final = (5, 600.0)  # component tokens in so many seconds; WeChat allows 2,000 fetches a day
_OWN_ADVICE: Final = {Reason.INVALID_SECRET: PLATFORM_SECRET, Reason.INVALID_APPID: PLATFORM_APPID}
"""Where the platform's own credential is refused, its console helps, not the mini program's."""

_Result = TypeVar("_Result")


class ComponentTokenSource:
    """api_component_token: from appid, secret and verify ticket."""

    kind = "component_token"

    def __init__(self, settings: Platform, tickets: TicketSource, client: Client) -> None:
        self._settings = settings
        self._tickets = tickets
        self._client = client
        self.failure: Failure | None = None  # of the last fetch
        self._refused: tuple[bytes, float, Failure] | None = None  # with which secret and ticket, and when
        self._fetched: deque[float] = deque(maxlen=_BUDGET[0])

    def fetch(self) -> Token:
        """Get a new component token; a refusal is repeated for a while unless secret or ticket change."""
        try:
            token = self._fetch()
        except CallError as error:
            own = _OWN_ADVICE.get(error.failure.reason) if error.failure.errcode is not None else None
            if own is not None:
                error.failure = replace(error.failure, advice=own)
            self.failure = error.failure
            raise
        self.failure = None
        return token

    def fingerprint(self) -> bytes:
        """A hash of appid and secret."""
        with suppress(OSError, ValueError):
            written = f"{self._settings.component_appid}\n{self._settings.component_appsecret.read()}"
            return hashlib.sha256(written.encode()).digest()
        return b""

    def _fetch(self) -> Token:
        secret = read_secret(self._settings.component_appsecret)
        ticket = self._tickets.ticket().value
        now = self._client.clock()
        used = hashlib.sha256(f"{secret}\n{ticket}".encode()).digest()
        if self._refused is not None:
            refused, at, problem = self._refused
            if refused == used and at <= now < at + _PAUSE_AFTER_FAILURE:
                raise CallError(problem)
        if len(self._fetched) == _BUDGET[0] and self._fetched[0] <= now < self._fetched[0] + _BUDGET[1]:
            text = "component tokens are refused again and again: another one is asked for in some minutes"
            raise CallError(failure(Reason.TOKEN_REJECTED, text))
        body = {
            "component_appid": self._settings.component_appid,
            "component_appsecret": secret,
            "component_verify_ticket": ticket,
        }
        try:
            token = self._client.ask(
                endpoints.COMPONENT_TOKEN,
                "POST",
                f"{COMPONENT_PATH}api_component_token",
                token_reader(now, "component_access_token"),
                body=body,
                secrets=[secret, ticket],
            )
        except CallError as error:
            self._refused = used, now, error.failure
            raise
        self._fetched.append(now)
        return token


class Component:
    """One platform: all its calls with the component token, which is kept once for all of its accounts.

    `accounts`: those that have authorised it.
    """

    def __init__(
        self,
        settings: Platform,
        tickets: TicketSource,
        client: Client,
        vault: Vault,
        shelves: Shelves = own_shelves,
    ) -> None:
        self.settings = settings
        self.tickets = tickets
        self.client = client
        self._source = ComponentTokenSource(settings, tickets, client)
        shelf = shelves(self._source.kind, settings.component_appid)
        self.keeper = TokenCache(self._source, client.clock, shelf)
        key = f"listing/{settings.component_appid}"
        self.accounts = AuthorizerList(self.keeper.get, self._ask_page, vault, key, client.clock)

    @property
    def failure(self) -> Failure | None:
        """Why there is no component token; None while there is, or none was needed yet."""
        return self._source.failure

    def ask(
        self,
        endpoint: Endpoint,
        body: Mapping[str, object],
        read: Callable[[dict[str, Any]], _Result],
        secrets: tuple[str, ...] = (),
    ) -> _Result:
        """Make one call with the component token; a refused one is renewed once, for all accounts."""

        def call(token: Token) -> _Result:
            return self.client.ask(
                endpoint,
                "POST",
                f"{COMPONENT_PATH}{endpoint.name}",
                read,
                # old pages name it component_access_token, new ones access_token
                params={"access_token": token.value, "component_access_token": token.value},
                body={"component_appid": self.settings.component_appid, **body},
                secrets=[token.value, *secrets],
            )

        return self.keeper.use(call)

    def _ask_page(self, offset: int) -> Page:
        return self.ask(endpoints.AUTHORIZER_LIST, {"offset": offset, "count": PAGE_SIZE}, read_page)
