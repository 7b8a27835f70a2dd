"""How one app's data is fetched: an `Access` for each app, chosen by its token settings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial, singledispatch
from types import MappingProxyType
from typing import Protocol, TypeVar

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
    TokenSettings,
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
from exporter.wechat.tokens.ownership import TokenOwners
from exporter.wechat.tokens.sources import (
    AccessTokenSource,
    FileTokenSource,
    HttpTokenSource,
    StableTokenSource,
)

_Result = TypeVar("_Result")


class Access(Protocol):
    """How one app's data is fetched."""

    @property
    def kind(self) -> str:
        """The token type as the configuration names it."""

    @property
    def token_expires_at(self) -> float | None:
        """Unix time at which the token held ends; None where there is none or its end is unknown."""

    def fetch(self, dataset: Dataset, period: Period) -> Row:
        """Return the app's row of that period; raises CallError, also where WeChat has no row (yet)."""

    def quota(self, cgi_path: str) -> Figures:
        """Return limit, used and left calls of an interface today; raises CallError."""

    def fingerprint(self) -> bytes:
        """Return a hash that changes when the operator changes the credential."""


_AccessByToken = Callable[[Client, str, TokenSource, TokenOwners], Access]


class DiscoveredAccess(DirectAccess):
    """That of an account which a platform's list has, and no configuration: the advice is another one."""

    __slots__ = ()

    def fetch(self, dataset: Dataset, period: Period) -> Row:
        """Ask as for any app."""
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
    """Make the access that the app's settings ask for.

    Args:
        app: the app.
        client: where to ask.
        platforms: those that third-party apps name.
        share: keeps tokens or shares them with other exporters; not those that another program keeps.
        owners: see to it that no two apps use one token.
    """
    owners = owners or TokenOwners(client.stopwatch)
    return _open(app.token, _Opening(app.appid, client, platforms, share, owners))


@dataclass(frozen=True, slots=True)
class _Opening:
    """What an access is made of beside the token's settings."""

    appid: str
    client: Client
    platforms: Mapping[str, OpenPlatform]
    share: Share
    owners: TokenOwners

    def by_token(self, source: TokenSource, access: _AccessByToken = DirectAccess) -> Access:
        """Return the access that sends the tokens of a source."""
        shared = source if source.kept_elsewhere else self.share(source, self.appid)
        return access(self.client, self.appid, shared, self.owners)


@singledispatch
def _open(token: TokenSettings, _opening: _Opening) -> Access:
    """Return the access of a token type; each type has its own function, registered below."""
    raise NotImplementedError(type(token).__name__)  # pragma: no cover - a test proves that each has one


@_open.register
def _stable(token: StableToken, opening: _Opening) -> Access:
    return opening.by_token(StableTokenSource(opening.appid, token.secret, opening.client))


@_open.register
def _classic(token: ClassicToken, opening: _Opening) -> Access:
    return opening.by_token(AccessTokenSource(opening.appid, token.secret, opening.client))


@_open.register
def _file(token: FileToken, opening: _Opening) -> Access:
    return opening.by_token(FileTokenSource(token))


@_open.register
def _http(token: HttpToken, opening: _Opening) -> Access:
    return opening.by_token(HttpTokenSource(token, opening.client))


@_open.register
def _third_party(token: ThirdParty, opening: _Opening) -> Access:
    source = AuthorizerTokenSource(opening.appid, token, opening.platforms[token.platform])
    return opening.by_token(source, DiscoveredAccess if token.discovered else DirectAccess)


@_open.register
def _cloud_hosting(token: CloudHosting, opening: _Opening) -> Access:
    if token.token_file is None:
        return HostingAccess(opening.client, token.from_appid)
    return opening.by_token(FileTokenSource(FileToken(token.token_file)), HostingTokenAccess)


@_open.register
def _cloud_function(token: CloudFunction, opening: _Opening) -> Access:
    source = StableTokenSource(opening.appid, token.secret, opening.client)
    return opening.by_token(source, partial(FunctionAccess, settings=token))


def attempt(call: Callable[[], _Result], log: FilteringBoundLogger) -> _Result | Failure:
    """Make a call; whatever goes wrong is a failure, so that one app's trouble stays its own."""
    try:
        return call()
    except Exception as error:  # noqa: BLE001 - logged there
        return failure_of(error, log)


def failure_of(error: Exception, log: FilteringBoundLogger) -> Failure:
    """Return what an exception of a call that is being handled stands for; log a fault of our own."""
    if isinstance(error, CallError):
        return error.failure
    log.error("internal fault", error=type(error).__name__, exc_info=error)
    return failure(Reason.INTERNAL, f"internal fault ({type(error).__name__}), see the log")
