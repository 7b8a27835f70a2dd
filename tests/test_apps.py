"""The apps of an exporter, configured and discovered."""

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from exporter.apps import Apps
from exporter.config.apps import App
from exporter.config.secret import Secret
from exporter.config.settings import Config, RefreshSettings, WechatSettings
from exporter.config.storage import StorageSettings
from exporter.config.token_types import ClassicToken, FileToken
from exporter.discovery.platform_watch import PlatformWatch
from exporter.shards import THE_WHOLE, Shard
from exporter.store.memory import MemoryStore
from exporter.wechat.failures import advice
from exporter.wechat.failures.failure import CallError, Reason
from exporter.wechat.tokens.cache import expiring_token
from exporter.wechat.tokens.shared import KeptToken, kept_in
from tests.building import YESTERDAY, make_app
from tests.wechat.lines import Clock, FakeLeases, daily_trend

CONFIG = Config(
    Path("config.yaml"),
    WechatSettings("http://127.0.0.1:1", 1.0),
    RefreshSettings(3600.0, 9, 3, 16, 50.0),
    StorageSettings("memory://"),
    tuple(make_app(number) for number in range(1, 31)),
)


class Watch(PlatformWatch):
    """A watch with given accounts."""

    def __init__(self, *found: App) -> None:
        self.found = list(found)
        self.broken = False

    def configure(self, platforms: object) -> None:
        pass

    def apps(self) -> list[App]:
        if self.broken:
            raise ZeroDivisionError
        return self.found


class SharedMemory(MemoryStore):
    """A partial storage of several exporters."""

    leases: Any = FakeLeases(Clock())


Door = Callable[..., Apps]


@pytest.fixture
def door() -> Iterator[Callable[..., Apps]]:
    opened: list[Apps] = []

    def opens(shard: Shard = THE_WHOLE, *found: App, config: Config = CONFIG, store: Any = None) -> Apps:
        watch, stopping = Watch(*found), threading.Event()
        opened.append(Apps(config, store or MemoryStore(), watch, stopping=stopping, shard=shard))
        return opened[-1]

    yield opens
    for apps in opened:
        apps.close()


def appids(some: Apps) -> list[str]:
    return [app.appid for app in some.own]


def find(some: Apps, app: App) -> None:
    assert isinstance(some._watch, Watch)
    some._watch.found.append(app)
    some.gather()


@pytest.mark.parametrize("total", [1, 2, 3, 7])
def test_the_shards_together_have_every_app_once_and_each_knows_of_all(door: Door, total: int) -> None:
    shards = [door(Shard(number, total), make_app(99)) for number in range(total)]
    for shard in shards:
        assert [app.appid for app, _ in shard.kinds] == appids(shard) == list(shard.accesses)
        assert len(shard.all) == 31
    owned = sorted(appid for shard in shards for appid in appids(shard))
    assert owned == sorted(app.appid for app in shards[0].all)


def test_an_appid_written_in_another_case_stays_in_its_shard_and_comes_once(door: Door) -> None:
    lower = make_app(0xABCDEF)
    upper = replace(lower, appid=f"wx{lower.appid[2:].upper()}")
    for number in range(3):
        one = door(Shard(number, 3), upper, config=replace(CONFIG, apps=(lower,)))
        other = door(Shard(number, 3), lower, config=replace(CONFIG, apps=(upper,)))
        assert len(one.all) == len(other.all) == 1
        assert len(one.own) == len(other.own)


def test_while_no_app_comes_or_goes_the_list_of_all_stays_the_same_one(door: Door) -> None:
    one = door(THE_WHOLE, make_app(99))
    everyone = one.all
    one.gather()
    assert one.all is everyone
    one.configure(replace(CONFIG, apps=CONFIG.apps[1:]))
    assert len(one.all) == len(everyone) - 1


def test_an_account_that_is_found_goes_to_its_shard(door: Door) -> None:
    shards = [door(Shard(number, 2)) for number in range(2)]
    for shard in shards:
        find(shard, make_app(77))
    assert sum(make_app(77).appid in appids(shard) for shard in shards) == 1
    assert all(shard.all[-1].appid == make_app(77).appid for shard in shards)


def test_what_did_not_change_keeps_its_way_and_so_its_token(door: Door) -> None:
    some = door()
    before = dict(some.accesses)
    some.configure(replace(CONFIG, apps=CONFIG.apps[1:], refresh=RefreshSettings(60.0, 9, 3, 8, 5.0)))
    assert some.accesses == {appid: before[appid] for appid in appids(some)}


def test_another_address_of_wechat_changes_together_with_all_ways_while_calls_under_way_keep_the_old_one(
    door: Door,
) -> None:
    some = door()
    before, client = dict(some.accesses), some.client
    some.configure(replace(CONFIG, wechat=WechatSettings("http://127.0.0.1:2", 1.0)))
    assert all(some.accesses[appid] is not before[appid] for appid in appids(some))
    assert (client.base_url, some.client.base_url) == ("http://127.0.0.1:1", "http://127.0.0.1:2")


def parts(apps: Apps) -> tuple[object, ...]:
    """Return the parts that a configuration must replace as a whole."""
    return apps.config, apps.client, apps.client.transport, apps.platforms, apps.accesses, apps.all, apps.own


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://127.0.0.1:2"], ids=["limits", "address"])
def test_a_configuration_that_cannot_be_taken_over_leaves_the_old_one_whole(door: Door, url: str) -> None:
    some = door()
    assert isinstance(some._watch, Watch)
    before = parts(some)
    some._watch.broken = True
    new = replace(CONFIG, wechat=WechatSettings(url, 2.0), apps=(make_app(5), make_app(77)))
    with pytest.raises(ZeroDivisionError):
        some.configure(new)
    after = parts(some)
    assert all(one is other for one, other in zip(before, after, strict=True))
    some._watch.broken = False
    some.configure(new)
    assert appids(some) == [make_app(5).appid, make_app(77).appid]
    assert some.client.base_url == url


def test_two_apps_with_one_token_are_not_shown_as_two(tmp_path: Path, door: Door) -> None:
    paths = [tmp_path / "first", tmp_path / "second"]
    for path in paths:
        path.write_text("not-a-real-token", "utf-8")
    apps = tuple(replace(make_app(number), token=FileToken(path)) for number, path in enumerate(paths))
    some = door(config=replace(CONFIG, apps=apps))
    problems = []
    for app in reversed(apps):
        with pytest.raises(CallError) as caught:
            daily_trend(some.accesses[app.appid], YESTERDAY)
        problems.append(caught.value.failure)
    assert [problem.reason for problem in problems] == [Reason.TOKEN_REJECTED, Reason.NETWORK]
    assert problems[0].detail == f"its token is that of {apps[0].appid}, whose figures it would show"
    assert problems[0].advice == advice.SAME_TOKEN


def test_a_classic_token_is_kept_in_the_storage_for_each_address_of_wechat(door: Door) -> None:
    store, app = MemoryStore(), replace(make_app(), token=ClassicToken(Secret("not-a-real-secret")))
    config = replace(CONFIG, apps=(app,))
    some = door(store=store, config=config)
    with pytest.raises(CallError):  # nobody answers there
        daily_trend(some.accesses[app.appid], YESTERDAY)
    assert store.credential(f"access_token/{app.appid}@{CONFIG.wechat.base_url}")


def test_tokens_are_shared_where_the_storage_is_those_of_accounts_found_later_too(door: Door) -> None:
    clock = Clock(time.time())
    numbers = (1, 77)
    store, kept = SharedMemory(), KeptToken(expiring_token("not-a-real-token", 7200, clock()), clock())
    for number in numbers:
        key = f"stable_token/{make_app(number).appid}@{CONFIG.wechat.base_url}"
        kept_in(store, key).save(lambda _: kept)
    some = door(store=store, config=replace(CONFIG, apps=CONFIG.apps[:1]))
    find(some, make_app(77))
    for number in numbers:
        access = some.accesses[make_app(number).appid]
        with pytest.raises(CallError):  # nobody answers there
            daily_trend(access, YESTERDAY)
        assert access.token_expires_at == clock() + 7200
