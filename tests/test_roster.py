"""Which apps an exporter has, of those configured and those found."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from exporter.config.settings import App, Config, RefreshSettings, StorageSettings, WechatSettings
from exporter.refresh.platforms import PlatformWatch
from exporter.roster import Roster
from exporter.shards import THE_WHOLE, Shard
from exporter.store.memory import MemoryStore
from exporter.wechat.line import Line
from exporter.wechat.tokens import OWN_SHELF, Shelf
from tests.building import make_app
from tests.wechat.lines import opened

CONFIG = Config(
    Path("config.yaml"),
    WechatSettings("http://127.0.0.1:1", 1.0),
    RefreshSettings(3600.0, 9, 3, 16, 50.0),
    StorageSettings("memory://"),
    tuple(make_app(number) for number in range(1, 31)),
)


class Watch(PlatformWatch):
    """A watch that has found these accounts."""

    def __init__(self, *found: App) -> None:
        self.found = list(found)

    def configure(self, platforms: object) -> None:
        pass

    def apps(self) -> list[App]:
        return self.found


@pytest.fixture
def line() -> Iterator[Line]:
    with opened("http://127.0.0.1:1") as line:
        yield line


def roster(shard: Shard = THE_WHOLE, *found: App) -> Roster:
    return Roster(Watch(*found), MemoryStore(), shard)


def appids(some: Roster) -> list[str]:
    return [app.appid for app in some.apps]


@pytest.mark.parametrize("total", [1, 2, 3, 7])
def test_the_shards_together_have_every_app_once_and_each_knows_of_all(line: Line, total: int) -> None:
    shards = [roster(Shard(number, total), make_app(99)) for number in range(total)]
    for shard in shards:
        told = shard.configure(CONFIG, line)
        assert [app.appid for app, _ in told] == appids(shard) == list(shard.ways)
        assert len(shard.everyone) == 31
    owned = sorted(appid for shard in shards for appid in appids(shard))
    assert owned == sorted(app.appid for app in shards[0].everyone)


def test_an_appid_written_in_another_case_stays_in_its_shard_and_comes_once(line: Line) -> None:
    lower = make_app(0xABCDEF)
    upper = replace(lower, appid=f"wx{lower.appid[2:].upper()}")
    for number in range(3):
        one, other = roster(Shard(number, 3), upper), roster(Shard(number, 3), lower)
        one.configure(replace(CONFIG, apps=(lower,)), line)
        other.configure(replace(CONFIG, apps=(upper,)), line)
        assert len(one.everyone) == len(other.everyone) == 1
        assert len(one.apps) == len(other.apps)


def test_while_no_app_comes_or_goes_the_list_of_all_stays_the_same_one(line: Line) -> None:
    one = roster(THE_WHOLE, make_app(99))
    one.configure(CONFIG, line)
    everyone = one.everyone
    one.gather(CONFIG, line)
    assert one.everyone is everyone
    one.gather(replace(CONFIG, apps=CONFIG.apps[1:]), line)
    assert len(one.everyone) == len(everyone) - 1


def test_an_account_that_is_found_goes_to_its_shard(line: Line) -> None:
    shards = [roster(Shard(number, 2)) for number in range(2)]
    for shard in shards:
        shard.configure(CONFIG, line)
        assert isinstance(shard._watch, Watch)
        shard._watch.found.append(make_app(77))
        shard.gather(CONFIG, line)
    assert sum(make_app(77).appid in appids(shard) for shard in shards) == 1
    assert all(shard.everyone[-1].appid == make_app(77).appid for shard in shards)


def test_what_did_not_change_keeps_its_way_and_so_its_token(line: Line) -> None:
    some = roster()
    some.configure(CONFIG, line)
    before = dict(some.ways)
    some.configure(replace(CONFIG, apps=CONFIG.apps[1:]), line)
    assert some.ways == {appid: before[appid] for appid in appids(some)}
    some.forget()
    some.configure(CONFIG, line)
    assert all(some.ways[appid] is not before[appid] for appid in appids(some))


def test_accounts_found_later_get_the_shelves_of_the_configuration(line: Line) -> None:
    asked: list[tuple[str, str]] = []

    def shelves(kind: str, appid: str) -> Shelf:
        asked.append((kind, appid))
        return OWN_SHELF

    some = roster()
    some.configure(replace(CONFIG, apps=CONFIG.apps[:1]), line, shelves)
    assert isinstance(some._watch, Watch)
    some._watch.found.append(make_app(77))
    some.gather(replace(CONFIG, apps=CONFIG.apps[:1]), line)
    assert asked == [("stable_token", make_app(1).appid), ("stable_token", make_app(77).appid)]
