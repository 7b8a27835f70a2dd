"""Which apps there are, configured and discovered, and the way to ask for each."""

from collections.abc import Mapping

from exporter.config.settings import App, Config, ThirdParty
from exporter.refresh.platforms import PlatformWatch
from exporter.shards import THE_WHOLE, Shard
from exporter.wechat.line import Line
from exporter.wechat.third_party import OpenPlatform, open_platforms
from exporter.wechat.tokens import Shelves, own_shelves
from exporter.wechat.vault import Vault
from exporter.wechat.ways import Way, choose_way


class Roster:
    """The shard's `apps`, and `everyone` of all shards.

    What did not change keeps its tokens when the configuration does.
    """

    def __init__(self, watch: PlatformWatch, vault: Vault, shard: Shard = THE_WHOLE) -> None:
        self._watch = watch
        self._vault = vault
        self._shard = shard
        self._shelves: Shelves = own_shelves
        self.everyone: tuple[App, ...] = ()
        self.apps: tuple[App, ...] = ()
        self.ways: Mapping[str, Way] = {}
        self.platforms: Mapping[str, OpenPlatform] = {}

    def forget(self) -> None:
        """Keep no token: the line is another one."""
        self.ways, self.platforms = {}, {}

    def configure(self, config: Config, line: Line, shelves: Shelves = own_shelves) -> list[tuple[App, str]]:
        """Take a configuration over; returns the shard's apps with the kind of their tokens."""
        self._shelves = shelves
        kept = {name: each for name, each in self.platforms.items() if each.settings in config.platforms}
        new = [settings for settings in config.platforms if settings.name not in kept]
        self.platforms = kept | open_platforms(new, line, self._vault, shelves)
        renewed = {settings.name for settings in new}
        self.ways = {
            app.appid: self.ways[app.appid]
            for app in self.apps
            if app.appid in self.ways and _platform(app) not in renewed
        }
        self._watch.configure(self.platforms)
        return self.gather(config, line)

    def gather(self, config: Config, line: Line) -> list[tuple[App, str]]:
        """The same once accounts have come or gone; configured apps come first, no appid comes twice."""
        before = {app.appid: app.token for app in self.apps}
        apps: dict[str, App] = {}
        for app in (*config.apps, *self._watch.apps()):
            apps.setdefault(app.appid.lower(), app)
        everyone = tuple(apps.values())
        if everyone != self.everyone:  # what is made of it need not be made again
            self.everyone = everyone
        self.apps = tuple(app for appid, app in apps.items() if self._shard.owns(appid))
        self.ways = {
            app.appid: self.ways[app.appid]
            if app.appid in self.ways and before[app.appid] == app.token
            else choose_way(app, line, self.platforms, self._shelves)
            for app in self.apps
        }
        return [(app, self.ways[app.appid].kind) for app in self.apps]


def _platform(app: App) -> str | None:
    return app.token.platform if isinstance(app.token, ThirdParty) else None
