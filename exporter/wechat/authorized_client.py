"""Calls with an access token, repeated once with a new token if WeChat refuses the held one."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final, TypeVar

from exporter.wechat.client import Client, Verdict, as_it_is
from exporter.wechat.endpoints import Endpoint
from exporter.wechat.failures.failure import Action, CallError
from exporter.wechat.tokens.cache import Token, TokenCache

_Result = TypeVar("_Result")
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


class AuthorizedClient:
    """Calls WeChat with the tokens of a cache, in the URL parameters named `parameters`."""

    parameters: tuple[str, ...] = ("access_token",)

    def __init__(self, client: Client, tokens: TokenCache) -> None:
        self.client = client
        self.tokens = tokens

    def token(self) -> Token:
        """Return a token for a call; raise CallError."""
        return self.tokens.get()

    def ask(
        self,
        endpoint: Endpoint,
        read: Callable[[dict[str, Any]], _Result],
        *,
        body: object,
        params: Mapping[str, str] = _NOTHING,
        secrets: Iterable[str] = (),
        judged: Verdict = as_it_is,
    ) -> _Result:
        """Make a call as `Client.ask` does; if WeChat refuses the token, renew it and repeat the call once.

        Raises:
            CallError: the call or the fetch of a token failed; the failure has the token's credential.
        """
        renewed = False
        while True:
            token = self.token()
            credential = dict.fromkeys(self.parameters, token.value)
            try:
                return self.client.ask(
                    endpoint,
                    read,
                    secrets=[token.value, *secrets],
                    judged=judged,
                    params={**credential, **params},
                    body=body,
                )
            except CallError as error:
                error.failure = replace(error.failure, credential=token.credential)
                if renewed or error.failure.action is not Action.RENEW_TOKEN:
                    raise
            self.tokens.drop(token)
            renewed = True
