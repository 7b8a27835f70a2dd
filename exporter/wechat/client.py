"""The client: sends calls at the configured pace, judges, reads, times and counts them.

Its calls with an access token are repeated once with a new token if WeChat refuses the held one.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final, TypeVar, Unpack
from urllib.parse import quote, quote_plus

from exporter.config.settings import WechatSettings
from exporter.wechat.endpoints import Endpoint
from exporter.wechat.failures.failure import Action, CallError, Failure, Reason
from exporter.wechat.network.connections import Adapter
from exporter.wechat.network.transport import Answer, RequestParts, Transport
from exporter.wechat.tokens.cache import Token, TokenCache
from exporter.wechat.verdict import read_json

_Result = TypeVar("_Result")
_SHORTEST_SECRET: Final = 8  # characters; shorter ones are words such as Bearer or true
_LONGEST_DETAIL: Final = 240  # characters
_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


Observer = Callable[[Endpoint, float, Reason | None], None]
"""Counts a call that left the exporter, and its length in seconds; the reason is None for a success."""


FailureConversion = Callable[[Failure], Failure]
"""Converts a general failure into the one to count, record and show for a certain call."""


def as_it_is(failure: Failure) -> Failure:
    """Return the failure unchanged."""
    return failure


@dataclass(slots=True)
class Client:
    """Calls WeChat.

    `base_url` has no slash at its end; `pace` waits until a call may start; `clock` gives Unix time,
    `stopwatch` is monotonic.
    """

    base_url: str
    transport: Transport
    observer: Observer
    pace: Callable[[], None]
    clock: Callable[[], float] = time.time
    stopwatch: Callable[[], float] = time.monotonic
    record: Callable[[Answer, Iterable[str]], None] = lambda *_: None
    """Called with each answer and the secrets of its request."""

    def follow(self, other: "Client") -> None:
        """Adopt the limits of another client of the same address, so that accesses and tokens can stay."""
        self.transport, self.pace = other.transport, other.pace

    def ask(
        self,
        endpoint: Endpoint,
        read: Callable[[dict[str, Any]], _Result],
        *,
        secrets: Iterable[str],
        convert: FailureConversion = as_it_is,
        base_url: str | None = None,
        **parts: Unpack[RequestParts],
    ) -> _Result:
        """Make a call to WeChat and return what `read` makes of the answer's JSON object.

        `secrets` of the request are removed from the answer's text. `convert` adapts a failure to this call
        before it is counted. `base_url`: an address in place of the client's. Raise CallError, safe to show.
        """
        url = (self.base_url if base_url is None else base_url) + endpoint.path
        secrets = tuple(secrets)
        with self.observed(endpoint, secrets, convert):
            answer = self.transport.send(endpoint.method, url, repeatable=endpoint.repeatable, **parts)
            self.record(answer, secrets)
            return read(read_json(answer, asking_for_token=endpoint.takes_secret))

    @contextmanager
    def observed(
        self, endpoint: Endpoint, secrets: Iterable[str], convert: FailureConversion = as_it_is
    ) -> Iterator[None]:
        """Wait for a call's turn, time and count it, and remove secrets from its failure."""
        self.pace()
        start = self.stopwatch()
        reason: Reason | None = Reason.INTERNAL
        try:
            yield
            reason = None
        except CallError as error:
            error.failure = _safe(convert(error.failure), secrets)
            reason = error.failure.reason
            raise
        finally:
            self.observer(endpoint, self.stopwatch() - start, reason)


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
        convert: FailureConversion = as_it_is,
    ) -> _Result:
        """Make a call as `Client.ask` does; if WeChat refuses the token, renew it and repeat the call once.

        A failure has the token's credential.
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
                    convert=convert,
                    params={**credential, **params},
                    body=body,
                )
            except CallError as error:
                error.failure = replace(error.failure, credential=token.credential)
                if renewed or error.failure.action is not Action.RENEW_TOKEN:
                    raise
            self.tokens.drop(token)
            renewed = True


def open_client(
    settings: WechatSettings,
    connections: int,
    observer: Observer,
    pace: Callable[[], None],
    clock: Callable[[], float] = time.time,
) -> Client:
    """Open a client that keeps at most `connections` to a host, until `client.transport.stop()`."""
    logging.getLogger("urllib3").propagate = False  # urllib3 logs whole URLs, some at level WARNING
    transport = Transport(Adapter(connections, settings.private_ca), settings.timeout)
    return Client(settings.base_url, transport, observer, pace, clock)


def _safe(failure: Failure, secrets: Iterable[str]) -> Failure:
    """Remove secrets, URL-encoded ones too, before shortening the text, which could leave half of one."""
    detail = failure.detail
    for secret in secrets:
        if len(secret) >= _SHORTEST_SECRET:
            for written in (secret, quote(secret, safe=""), quote_plus(secret)):
                detail = detail.replace(written, "***")
    return replace(failure, detail=detail[:_LONGEST_DETAIL])
