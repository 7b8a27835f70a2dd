"""The connection to WeChat that a configuration describes: client, platforms, and an access for every app."""

import threading
import time
from collections.abc import Callable, Mapping

from exporter.config.apps import App
from exporter.config.settings import Config
from exporter.config.token_types import ThirdParty
from exporter.discovery.account_search import AccountSearch
from exporter.discovery.platform_watch import PlatformWatch
from exporter.shards import THE_WHOLE, Shard
from exporter.store.interface import Store
from exporter.wechat.access import Access, choose_access
from exporter.wechat.client import Client, Observer, open_client
from exporter.wechat.network.transport import Transport
from exporter.wechat.pace import Pace
from exporter.wechat.platform.open_platform import OpenPlatform
from exporter.wechat.tokens.cache import TokenSource
from exporter.wechat.tokens.classic import KIND, ClassicSource
from exporter.wechat.tokens.duplicates import TokenOwners
from exporter.wechat.tokens.shared import KeptTokenSource, kept_in, lease_seconds


class Apps:
    """The apps of a configuration and the way to WeChat for each; every command that calls WeChat uses it.

    `own` are the shard's apps, configured and discovered, each with an access in `accesses`; `all` are those
    of all shards. An app that a new configuration leaves unchanged keeps its token.
    """

    def __init__(
        self,
        config: Config,
        store: Store,
        watch: PlatformWatch,
        *,
        stopping: threading.Event,
        observer: Observer = lambda *_: None,
        clock: Callable[[], float] = time.time,
        shard: Shard = THE_WHOLE,
    ) -> None:
        """Open the client and the platforms without a call to WeChat.

        `store` keeps the credentials that must survive, and shares tokens if other exporters use it. `watch`
        finds the platforms' accounts. `stopping` ends every wait. `observer` counts every call.
        """
        self.store = store
        self._watch = watch
        self._stopping = stopping
        self._observer = observer
        self._clock = clock
        self._shard = shard
        self.all: tuple[App, ...] = ()
        self.own: tuple[App, ...] = ()
        self.accesses: Mapping[str, Access] = {}
        self.platforms: Mapping[str, OpenPlatform] = {}
        self.config = config
        self.client = self._open_client(config)
        self._owners = TokenOwners(time.monotonic)
        self.configure(config)

    @property
    def kinds(self) -> list[tuple[App, str]]:
        """Return the shard's apps, each with its token type."""
        return [(app, self.accesses[app.appid].kind) for app in self.own]

    @property
    def unlisted(self) -> list[str]:
        """Return the names of the discovering platforms whose accounts are still unknown."""
        return self._watch.unlisted

    def configure(self, config: Config) -> None:
        """Replace the configuration as a whole; if that fails, the old one stays in force.

        A new address of WeChat's gets new client, accesses and platforms: a call under way keeps
        the old address together with its token.
        """
        before = self.config, self.client, self.platforms, self.accesses, self.all, self.own
        opened = (
            self._open_client(config) if _client_settings(config) != _client_settings(self.config) else None
        )
        moved = config.wechat.base_url != self.config.wechat.base_url
        try:
            if opened is not None and moved:
                self.client, self.accesses, self.platforms = opened, {}, {}
            self._take_over(config)
        except BaseException:
            self.config, self.client, self.platforms, self.accesses, self.all, self.own = before
            if opened is not None:
                opened.transport.stop()
            self._watch.configure(self.platforms)
            self._owners.arrange(self.accesses)
            raise
        if opened is not None:
            old_config, old_client, *_ = before
            self._retire(old_client.transport, old_config.wechat.timeout)
            if not moved:
                self.client.follow(opened)

    def _take_over(self, config: Config) -> None:
        self.config = config
        kept = {name: each for name, each in self.platforms.items() if each.settings in config.platforms}
        new = [settings for settings in config.platforms if settings.name not in kept]
        self.platforms = kept | {
            each.name: OpenPlatform(each, self.client, self.store, self._share) for each in new
        }
        renewed = {settings.name for settings in new}
        self.accesses = {
            app.appid: self.accesses[app.appid]
            for app in self.own
            if app.appid in self.accesses and _platform(app) not in renewed
        }
        self._watch.configure(self.platforms)
        self.gather()

    def gather(self) -> None:
        """Add new accounts and remove lost ones; configured apps come first, and no appid comes twice."""
        before = {app.appid: app.token for app in self.own}
        apps: dict[str, App] = {}
        for app in (*self.config.apps, *self._watch.apps()):
            apps.setdefault(app.appid.lower(), app)
        everyone = tuple(apps.values())
        if everyone != self.all:  # its accesses can stay
            self.all = everyone
        self.own = tuple(app for appid, app in apps.items() if self._shard.owns(appid))
        self.accesses = {
            app.appid: self.accesses[app.appid]
            if app.appid in self.accesses and before[app.appid] == app.token
            else choose_access(app, self.client, self.platforms, self._share, self._owners)
            for app in self.own
        }
        self._owners.arrange(self.accesses)

    def list_accounts(self) -> list[AccountSearch]:
        """List the accounts of all platforms now, make them apps, and return each platform's search."""
        searches = self._watch.list_accounts()
        self.gather()
        return searches

    def close(self) -> None:
        """End all waits and abort the calls under way."""
        self._stopping.set()
        self.client.transport.stop()

    def _share(self, source: TokenSource, appid: str) -> TokenSource:
        """Wrap a source so that classic tokens survive restarts, and exporters with one storage share tokens.

        Tokens of different addresses of WeChat's stay apart.
        """
        classic = source.kind == KIND
        if not classic and self.store.leases is None:
            return source
        record = kept_in(self.store, f"{source.kind}/{appid}@{self.config.wechat.base_url}")
        seconds, wait = lease_seconds(self.config), self._stopping.wait
        if not classic:
            return KeptTokenSource(source, record, self.store.leases, seconds, self._clock, wait)
        return ClassicSource(
            source,
            record,
            self.store.leases,
            seconds,
            self._clock,
            wait,
            interval=lambda: self.config.refresh.interval,
        )

    def _open_client(self, config: Config) -> Client:
        pace = Pace(config.refresh.requests_per_second, time.monotonic, self._stopping.wait)
        return open_client(config.wechat, config.refresh.concurrency, self._observer, pace.wait, self._clock)

    def _retire(self, transport: Transport, timeout: float) -> None:
        """Stop a transport once its calls are over; `timeout` is that of a call, in seconds."""
        timer = threading.Timer(2 * timeout, transport.stop)
        timer.daemon = True
        timer.start()


def _client_settings(config: Config) -> tuple[object, ...]:
    return config.wechat, config.refresh.concurrency, config.refresh.requests_per_second


def _platform(app: App) -> str | None:
    return app.token.platform if isinstance(app.token, ThirdParty) else None
