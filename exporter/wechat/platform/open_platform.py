"""A third-party platform: calls with the token that all its accounts share."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from exporter.config.platforms import Platform
from exporter.wechat import endpoints
from exporter.wechat.authorized_client import AuthorizedClient
from exporter.wechat.client import Client
from exporter.wechat.credential_vault import Vault
from exporter.wechat.endpoints import Endpoint
from exporter.wechat.platform.authorizers import PAGE_SIZE, AuthorizerList, Page, read_page
from exporter.wechat.platform.component import ComponentTokenSource
from exporter.wechat.platform.tickets import choose_ticket
from exporter.wechat.tokens.cache import Share, TokenCache, unshared

_Result = TypeVar("_Result")


class _ComponentClient(AuthorizedClient):
    parameters = ("access_token", "component_access_token")  # in new documentation, and in old


class OpenPlatform:
    """A platform: `accounts` have authorised it, `source` gives its token."""

    def __init__(self, settings: Platform, client: Client, vault: Vault, share: Share = unshared) -> None:
        self.settings = settings
        self.client = client
        self.vault = vault
        self.tickets = choose_ticket(settings, client, vault)
        self.source = ComponentTokenSource(settings, self.tickets, client)
        tokens = TokenCache(share(self.source, settings.component_appid), client.clock)
        self._component = _ComponentClient(client, tokens)
        key = f"listing/{settings.component_appid}"
        self.accounts = AuthorizerList(tokens.get, self._ask_page, vault, key, client.clock)

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

    def _ask_page(self, offset: int) -> Page:
        return self.ask(endpoints.AUTHORIZER_LIST, {"offset": offset, "count": PAGE_SIZE}, read_page)
