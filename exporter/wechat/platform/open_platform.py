"""A third-party platform that can be asked, with the token that all of its accounts share."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from exporter.config.platforms import Platform
from exporter.wechat import endpoints
from exporter.wechat.client import Client
from exporter.wechat.credential_vault import Vault
from exporter.wechat.endpoints import Endpoint
from exporter.wechat.platform.authorizers import PAGE_SIZE, AuthorizerList, Page, read_page
from exporter.wechat.platform.component import ComponentTokenSource
from exporter.wechat.platform.tickets import choose_ticket
from exporter.wechat.tokens.cache import Share, Token, TokenCache, unshared

_Result = TypeVar("_Result")


class OpenPlatform:
    """One platform: `accounts` are those that have authorised it, `source` gives its own token."""

    def __init__(self, settings: Platform, client: Client, vault: Vault, share: Share = unshared) -> None:
        self.settings = settings
        self.client = client
        self.vault = vault
        self.tickets = choose_ticket(settings, client, vault)
        self.source = ComponentTokenSource(settings, self.tickets, client)
        self._cache = TokenCache(share(self.source, settings.component_appid), client.clock)
        key = f"listing/{settings.component_appid}"
        self.accounts = AuthorizerList(self._cache.get, self._ask_page, vault, key, client.clock)

    def ask(
        self,
        endpoint: Endpoint,
        body: Mapping[str, object],
        read: Callable[[dict[str, Any]], _Result],
        secrets: tuple[str, ...] = (),
    ) -> _Result:
        """Make one call with the component token; renew a refused one once, for all accounts."""

        def call(token: Token) -> _Result:
            return self.client.ask(
                endpoint,
                read,
                # old pages name it component_access_token, new ones access_token
                params={"access_token": token.value, "component_access_token": token.value},
                body={"component_appid": self.settings.component_appid, **body},
                secrets=[token.value, *secrets],
            )

        return self._cache.use(call)

    def _ask_page(self, offset: int) -> Page:
        return self.ask(endpoints.AUTHORIZER_LIST, {"offset": offset, "count": PAGE_SIZE}, read_page)
