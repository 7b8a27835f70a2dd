"""The access to an app's data, chosen by its token settings."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Protocol, TypeVar, assert_never

from structlog.typing import FilteringBoundLogger

from exporter.config.apps import App
from exporter.config.token_types import (
    ClassicToken,
    CloudFunction,
    CloudHosting,
    FileToken,
    HttpToken,
    StableToken,
    ThirdParty,
)
from exporter.datasets.dataset import Dataset, Row
from exporter.datasets.period import Period
from exporter.wechat.client import Client
from exporter.wechat.cloud import FunctionAccess, HostingAccess, HostingTokenAccess
from exporter.wechat.datacube import DirectAccess, Figures
from exporter.wechat.failures.errcodes import failure
from exporter.wechat.failures.failure import CallError, Failure, Reason
from exporter.wechat.platform.open_platform import OpenPlatform
from exporter.wechat.platform.refresh_tokens import AuthorizerTokenSource
from exporter.wechat.tokens.cache import Share, TokenSource, unshared
from exporter.wechat.tokens.duplicates import TokenOwners
from exporter.wechat.tokens.sources import (
    AccessTokenSource,
    FileTokenSource,
    HttpTokenSource,
    StableTokenSource,
)

_Result = TypeVar("_Result")


class Access(Protocol):
    """The way to fetch one app's data."""

    @property
    def kind(self) -> str:
        """Return the token type, as in the configuration."""

    @property
    def token_expires_at(self) -> float | None:
        """Return the Unix time at which the held token expires; None without one, or if unknown."""

    def fetch(self, dataset: Dataset, period: Period) -> Row:
        """Return the app's row of a period; raise CallError, also if WeChat has no row (yet)."""

    def quota(self, cgi_path: str) -> Figures:
        """Return limit, used and left calls of an interface today; raise CallError."""

    def fingerprint(self) -> bytes:
        """Return a hash that changes when the operator changes the credential; empty if that is unknown."""


_AccessByToken = Callable[[Client, str, TokenSource, TokenOwners], Access]


class DiscoveredAccess(DirectAccess):
    """The access to a discovered account, whose failures need other advice than a configured app's."""

    __slots__ = ()

    def fetch(self, dataset: Dataset, period: Period) -> Row:
        """Fetch the row; a failure has the advice for discovered accounts."""
        try:
            return super().fetch(dataset, period)
        except CallError as error:
            advice = error.failure.advice
            error.failure = replace(error.failure, advice=advice.discovered or advice)
            raise


def choose_access(
    app: App,
    client: Client,
    platforms: Mapping[str, OpenPlatform] = MappingProxyType({}),
    share: Share = unshared,
    owners: TokenOwners | None = None,
) -> Access:
    """Return the access for an app's token settings.

    `share` keeps tokens, or shares them with other exporters, unless another program keeps them. `owners`
    prevents two apps from using one token.
    """
    owners = owners or TokenOwners(client.stopwatch)
    appid, token = app.appid, app.token
    access: _AccessByToken = DirectAccess
    source: TokenSource
    match token:
        case StableToken():
            source = StableTokenSource(appid, token.secret, client)
        case ClassicToken():
            source = AccessTokenSource(appid, token.secret, client)
        case FileToken():
            source = FileTokenSource(token)
        case HttpToken():
            source = HttpTokenSource(token, client)
        case ThirdParty():
            source = AuthorizerTokenSource(appid, token, platforms[token.platform])
            access = DiscoveredAccess if token.discovered else DirectAccess
        case CloudHosting():
            if token.token_file is None:
                return HostingAccess(client, token.from_appid)
            source, access = FileTokenSource(FileToken(token.token_file)), HostingTokenAccess
        case CloudFunction():
            source = StableTokenSource(appid, token.secret, client)
            access = partial(FunctionAccess, settings=token)
        case _:  # pragma: no cover - mypy proves that there is no other
            assert_never(token)
    return access(client, appid, source if source.kept_elsewhere else share(source, appid), owners)


def attempt(call: Callable[[], _Result], log: FilteringBoundLogger) -> _Result | Failure:
    """Make a call and turn any exception into a failure, so that one app's trouble stays its own."""
    try:
        return call()
    except Exception as error:  # noqa: BLE001 - logged there
        return failure_of(error, log)


def failure_of(error: Exception, log: FilteringBoundLogger) -> Failure:
    """Return the failure for an exception that is being handled; log unexpected ones."""
    if isinstance(error, CallError):
        return error.failure
    log.error("internal fault", error=type(error).__name__, exc_info=error)
    return failure(Reason.INTERNAL, f"internal fault ({type(error).__name__}), see the log")
