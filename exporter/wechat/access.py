"""The ways in which an app's figures can be asked for; one `Way` per app, chosen by its token settings."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final, Protocol, TypeVar, assert_never

from structlog.typing import FilteringBoundLogger

from exporter.config.settings import (
    AccessToken,
    App,
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
from exporter.wechat.cloud import FunctionAccess, HostingAccess
from exporter.wechat.datacube import Figures, ask_dataset, ask_quota
from exporter.wechat.failures.errcodes import failure
from exporter.wechat.failures.failure import CallError, Failure, Reason
from exporter.wechat.platform.open_platform import OpenPlatform
from exporter.wechat.tokens.cache import (
    OwnShelf,
    Shelf,
    Shelves,
    Token,
    TokenCache,
    TokenSource,
    own_shelves,
)
from exporter.wechat.tokens.owners import TokenOwners
from exporter.wechat.tokens.sources import (
    AccessTokenSource,
    FileTokenSource,
    HttpTokenSource,
    KeeperShelf,
    StableTokenSource,
)

_WithToken = StableToken | AccessToken | FileToken | HttpToken | ThirdParty
_Result = TypeVar("_Result")
_NO_PLATFORMS: Final[Mapping[str, OpenPlatform]] = MappingProxyType({})


class Access(Protocol):
    """How one app's figures are asked for."""

    @property
    def kind(self) -> str:
        """The token type as the configuration names it."""

    @property
    def token_expires_at(self) -> float | None:
        """Unix time at which the token held ends; None where there is none or its end is unknown."""

    def fetch(self, dataset: Dataset, period: Period) -> Row:
        """The app's row of that period; raises CallError, also where WeChat has no row (yet)."""

    def quota(self, cgi_path: str) -> Figures:
        """Limit, used and left calls of an interface today; raises CallError."""

    def fingerprint(self) -> bytes:
        """Changes when the operator changes the credential."""


class DirectAccess:
    """HTTPS with the account's own access token, or with the one that it has granted to a platform."""

    __slots__ = ("_appid", "_client", "_keeper", "_owners")

    def __init__(
        self, client: Client, appid: str, source: TokenSource, shelf: Shelf, owners: TokenOwners
    ) -> None:
        self._client = client
        self._appid = appid
        self._owners = owners
        self._keeper = TokenCache(source, client.clock, shelf)
        if isinstance(source, FileTokenSource | HttpTokenSource):
            owners.join(appid, self._keeper)

    @property
    def kind(self) -> str:
        """The token type as the configuration names it."""
        return self._keeper.source.kind

    @property
    def token_expires_at(self) -> float | None:
        """Unix time at which the token held ends."""
        return self._keeper.expires_at

    def fingerprint(self) -> bytes:
        """Changes when the operator changes the credential."""
        return self._keeper.source.fingerprint()

    def fetch(self, dataset: Dataset, period: Period) -> Row:
        """Ask with the token held; one that WeChat refuses is renewed once, and the call made once more."""
        return self._keeper.use(
            lambda token: ask_dataset(self._client, dataset, period, self._access(token), [token.value])
        )

    def quota(self, cgi_path: str) -> Figures:
        """Ask likewise."""
        return self._keeper.use(
            lambda token: ask_quota(self._client, cgi_path, self._access(token), [token.value])
        )

    def _access(self, token: Token) -> Mapping[str, str]:
        self._owners.claim(self._appid, token)
        return {"access_token": token.value}


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
    platforms: Mapping[str, OpenPlatform] = _NO_PLATFORMS,
    shelves: Shelves = own_shelves,
    owners: TokenOwners | None = None,
) -> Access:
    """The way that the app's settings ask for.

    Args:
        app: the app.
        client: where to ask.
        platforms: those that third-party apps name.
        shelves: where tokens are kept or shared with other exporters; not those that another program keeps.
        owners: see to it that no two apps use one token.
    """
    token = app.token
    owners = owners or TokenOwners(client.stopwatch)
    if isinstance(token, CloudHosting):
        return HostingAccess(client, app.appid, token, owners)
    if isinstance(token, CloudFunction):
        return FunctionAccess(client, app.appid, token, shelves(StableTokenSource.kind, app.appid))
    source = _source(app.appid, token, client, platforms)
    shelf = shelves(source.kind, app.appid)
    if isinstance(token, FileToken | HttpToken):
        shelf = KeeperShelf(source) if isinstance(source, HttpTokenSource) else OwnShelf()
    access = DiscoveredAccess if isinstance(token, ThirdParty) and token.discovered else DirectAccess
    return access(client, app.appid, source, shelf, owners)


def _source(
    appid: str, token: _WithToken, client: Client, platforms: Mapping[str, OpenPlatform]
) -> TokenSource:
    match token:
        case StableToken():
            return StableTokenSource(appid, token, client)
        case AccessToken():
            return AccessTokenSource(appid, token, client)
        case FileToken():
            return FileTokenSource(token)
        case HttpToken():
            return HttpTokenSource(token, client)
        case ThirdParty():
            return platforms[token.platform].source(appid, token)
        case _:  # pragma: no cover - mypy proves that there is no other
            assert_never(token)


def fetch_row(access: Access, dataset: Dataset, period: Period, log: FilteringBoundLogger) -> Row | Failure:
    """Ask once; whatever goes wrong is a failure, so that one app's trouble stays its own."""
    return _attempt(lambda: access.fetch(dataset, period), log)


def fetch_quota(access: Access, cgi_path: str, log: FilteringBoundLogger) -> Figures | Failure:
    """Ask once for the quota of an interface, as `fetch_row` does for a row."""
    return _attempt(lambda: access.quota(cgi_path), log)


def _attempt(ask: Callable[[], _Result], log: FilteringBoundLogger) -> _Result | Failure:
    try:
        return ask()
    except CallError as error:
        return error.failure
    except Exception as error:
        log.exception("internal fault", error=type(error).__name__)
        return failure(Reason.INTERNAL, f"internal fault ({type(error).__name__}), see the log")
