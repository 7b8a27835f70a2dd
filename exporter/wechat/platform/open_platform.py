"""A third-party platform: its token, the component_access_token, and calls with it for all its accounts.

Source: https://developers.weixin.qq.com/doc/oplatform/Third-party_Platforms/2.0/api/ThirdParty/token/component_access_token.html
"""

import hashlib
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar

from exporter.config.platforms import Platform
from exporter.not_before import NotBefore
from exporter.wechat import endpoints
from exporter.wechat.client import AuthorizedClient, Client
from exporter.wechat.credential_vault import Vault
from exporter.wechat.endpoints import Endpoint
from exporter.wechat.failures.advice import PLATFORM_APPID, PLATFORM_SECRET
from exporter.wechat.failures.errcodes import failure
from exporter.wechat.failures.failure import CallError, Failure, Reason
from exporter.wechat.platform.authorizers import AuthorizerList
from exporter.wechat.platform.tickets import TicketSource, choose_ticket_source
from exporter.wechat.tokens.cache import Share, Token, TokenCache, TokenSource, unshared
from exporter.wechat.tokens.sources import fingerprint, read_secret, token_reader

_Result = TypeVar("_Result")
_PAUSE_SECONDS: Final = 30.0  # seconds after a failure, so that not every account repeats it
_BUDGET: Final = (5, 600.0)  # most tokens per period; WeChat allows 2,000 fetches a day
_OWN_ADVICE: Final = {Reason.INVALID_SECRET: PLATFORM_SECRET, Reason.INVALID_APPID: PLATFORM_APPID}
"""Advice on refused credentials of the platform, for its console instead of the mini program's."""


class ComponentTokenSource(TokenSource):
    """Fetches api_component_token with appid, secret and verify ticket."""

    kind = "component_token"

    def __init__(self, settings: Platform, tickets: TicketSource, client: Client) -> None:
        self._settings = settings
        self._tickets = tickets
        self._client = client
        self.failure: Failure | None = None  # of the last fetch
        self._refused: tuple[bytes, NotBefore, Failure] | None = None  # secret and ticket, end, failure
        self._fetched: deque[float] = deque(maxlen=_BUDGET[0])

    def fetch(self) -> Token:
        """Fetch a new component token; repeat a recent refusal of an unchanged credential without a call."""
        try:
            token = self._fetch()
        except CallError as error:
            if error.failure.errcode is not None:
                text = _OWN_ADVICE.get(error.failure.reason, error.failure.advice)
                error.failure = replace(error.failure, advice=text)
            self.failure = error.failure
            raise
        self.failure = None
        return token

    def fingerprint(self) -> bytes:
        """Return a hash of appid and secret."""
        return fingerprint(self._settings.component_appid, self._settings.component_appsecret)

    def _fetch(self) -> Token:
        secret = read_secret(self._settings.component_appsecret)
        ticket = self._tickets.ticket().value
        now = self._client.clock()
        used = hashlib.sha256(f"{secret}\n{ticket}".encode()).digest()
        if self._refused is not None:
            refused, ask_after, problem = self._refused
            if used == refused and not ask_after.reached(now):
                raise CallError(problem)
        most, seconds = _BUDGET
        if len(self._fetched) == most and self._fetched[0] <= now < self._fetched[0] + seconds:
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
                token_reader(now, "component_access_token"),
                body=body,
                secrets=[secret, ticket],
            )
        except CallError as error:
            self._refused = used, NotBefore.after(_PAUSE_SECONDS, now), error.failure
            raise
        self._fetched.append(now)
        return token


class _ComponentClient(AuthorizedClient):
    parameters = ("access_token", "component_access_token")  # in new documentation, and in old


class OpenPlatform:
    """A platform: `accounts` have authorised it, `source` gives its token."""

    def __init__(self, settings: Platform, client: Client, vault: Vault, share: Share = unshared) -> None:
        self.settings = settings
        self.client = client
        self.vault = vault
        self.tickets = choose_ticket_source(settings, client, vault)
        self.source = ComponentTokenSource(settings, self.tickets, client)
        tokens = TokenCache(share(self.source, settings.component_appid), client.clock)
        self._component = _ComponentClient(client, tokens)
        self.accounts = AuthorizerList(self._component, settings.component_appid, vault)

    def ask(
        self,
        endpoint: Endpoint,
        body: Mapping[str, object],
        read: Callable[[dict[str, Any]], _Result],
        secrets: tuple[str, ...] = (),
    ) -> _Result:
        """Make a call with the component token; renew a refused token once for all accounts."""
        body = {"component_appid": self.settings.component_appid, **body}
        return self._component.ask(endpoint, read, body=body, secrets=secrets)
