"""The search for a platform's accounts, on a clock that stands still, turn by turn."""

import json
from dataclasses import replace
from typing import Any

import pytest

from exporter.config.platforms import Discovery
from exporter.discovery.accounts import Account
from exporter.discovery.platform_watch import PlatformWatch
from exporter.simulator.fleet import DEMO_PLATFORM, fake_appid
from exporter.store.interface import StoreError
from exporter.wechat.failures.failure import Reason
from exporter.wechat.platform import authorizers
from tests.discovery.scenes import Scene
from tests.wechat.lines import FakeLeases

OFFICIAL = "wx00000000000000aa"
STORED = f"accounts/{DEMO_PLATFORM.component_appid}"


def appids(watch: PlatformWatch) -> list[str]:
    return [app.appid for app in watch.apps()]


def names(watch: PlatformWatch) -> list[str]:
    return [app.name for app in watch.apps()]


def calls(scene: Scene) -> tuple[int, int]:
    """Return the numbers of calls for the list, and for single accounts."""
    return scene.sim.calls("get_authorizer_list"), scene.sim.calls("get_authorizer_info")


NAMES = ["app-00001", "app-00002", "app-00003"]


def test_accounts_are_shown_with_their_names_and_asked_for_once_an_interval(scene: Scene) -> None:
    watch = scene.watch()
    assert not watch.settled
    for seconds in (0, 1, 3598):
        scene.clock.now += seconds
        scene.turn(watch)
    assert names(watch) == NAMES
    assert watch.settled
    assert calls(scene) == (1, 3)
    scene.clock.now += 1
    scene.turn(watch)
    assert calls(scene) == (2, 3)


def test_accounts_are_asked_for_weekly_and_known_after_a_restart(scene: Scene) -> None:
    scene.turn(scene.watch())
    again = scene.watch()
    assert again.settled
    assert names(again) == NAMES
    scene.turn(again)
    assert calls(scene) == (2, 3)
    scene.clock.now += 7 * 86_400
    scene.ticket.write_text(scene.sim.new_ticket("main"))
    scene.turn(again)
    assert calls(scene) == (3, 6)


def test_without_the_thread_all_accounts_are_known_at_once(scene: Scene) -> None:
    watch = scene.watch()
    (search,) = watch.list_accounts()
    assert (search.failure, names(watch)) == (None, NAMES)


# Which accounts are mini programs


def test_official_accounts_are_no_apps_and_asked_for_no_sooner_than_others(scene: Scene) -> None:
    scene.sim.platforms["main"].official.add(OFFICIAL)
    scene.sim.platforms["main"].authorise(OFFICIAL)
    watch = scene.watch()
    for _ in range(24):
        scene.turn(watch)
        assert OFFICIAL not in appids(watch)
        scene.clock.now += 3600
    assert len(watch.apps()) == 3
    assert scene.sim.calls("get_authorizer_info") == 4
    assert OFFICIAL not in appids(scene.watch())


def test_an_account_is_no_app_while_it_is_not_known_to_be_a_mini_program(scene: Scene) -> None:
    watch = scene.watch()
    search = scene.search(watch)
    search._list()
    assert watch.apps() == []
    assert not watch.settled  # not ready with half of the apps
    scene.turn(watch)
    assert names(watch) == NAMES


def test_an_account_that_wechat_refuses_to_speak_of_becomes_an_app_that_says_why(scene: Scene) -> None:
    watch = scene.watch()
    scene.search(watch)._list()
    scene.sim.platforms["main"].withdraw(fake_appid(1))
    scene.turn(watch)
    assert names(watch) == [fake_appid(1), "app-00002", "app-00003"]
    assert watch.settled


def test_accounts_stay_unknown_while_the_platform_itself_is_refused(scene: Scene) -> None:
    watch = scene.watch()
    search = scene.search(watch)
    search._list()
    scene.sim.platforms["main"].ip_allowed = False
    scene.turn(watch)
    assert scene.sim.calls("get_authorizer_info", outcome="61004") == 3
    assert watch.settled
    refused = scene.sim.calls(outcome="61004")
    scene.clock.now += 59
    scene.turn(watch)
    assert scene.sim.calls(outcome="61004") == refused
    scene.sim.platforms["main"].ip_allowed = True
    scene.clock.now += 1
    scene.turn(watch)
    assert names(watch) == NAMES


@pytest.mark.parametrize("apps", [120])
def test_the_accounts_of_a_large_platform_are_shown_as_they_become_known(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(authorizers, "PAGE_SIZE", 50)
    monkeypatch.setattr("exporter.discovery.account_search._IN_ONE_GO", 50)
    watch = scene.watch()
    seen = []
    for _ in range(3):
        assert scene.search(watch).wait() == 0
        scene.turn(watch)
        seen.append((*calls(scene), len(watch.apps()), watch.settled))
    assert seen == [(3, 50, 50, False), (3, 100, 100, False), (3, 120, 120, True)]
    assert scene.search(watch).wait() > 0


@pytest.mark.parametrize("apps", [30])
def test_a_line_that_is_down_ends_the_asking_for_accounts_soon(scene: Scene) -> None:
    watch = scene.watch()
    search = scene.search(watch)
    search._list()
    scene.sim.stop()
    search.go_on()
    assert watch.settled  # as far as it can be for now
    assert watch.apps() == []
    assert search._to_identify() == []


# Lists that fail, or are not to be believed


def test_a_list_that_fails_is_tried_again_within_minutes_and_logged_once(
    scene: Scene, events: list[Any]
) -> None:
    scene.ticket.write_text("an-invented-ticket")
    watch = scene.watch()
    delays = []
    for _ in range(6):
        scene.turn(watch)
        delays.append(scene.search(watch).wait())
        scene.clock.now += delays[-1]
    assert delays == [60, 120, 240, 300, 300, 300]
    assert watch.settled
    warnings = [event for event in events if event["log_level"] == "warning"]
    assert [event["event"] for event in warnings] == ["discovery failing"]
    assert "start_push_ticket" in warnings[0]["advice"].en


def test_a_secret_that_was_refused_is_tried_seldom(scene: Scene) -> None:
    scene.secret = "not-the-right-fake-secret"
    watch = scene.watch()
    delays = []
    for _ in range(8):
        scene.turn(watch)
        delays.append(scene.search(watch).wait())
        scene.clock.now += delays[-1]
    assert delays == [60, 120, 240, 480, 960, 1920, 3600, 3600]


def test_a_list_that_is_not_whole_changes_nothing(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = scene.watch()
    scene.turn(watch)
    desk = scene.sim.platforms["main"]
    page = desk.page
    monkeypatch.setattr(desk, "page", lambda asked: {**page(asked), "total_count": 4})  # type: ignore[dict-item]
    desk.withdraw(fake_appid(1))
    desk.authorise("wx00000000000000bb")
    scene.clock.now += 3600
    scene.turn(watch)
    assert names(watch) == NAMES
    failure = scene.search(watch).failure
    assert failure is not None
    assert failure.reason is Reason.MALFORMED
    monkeypatch.setattr(desk, "page", page)
    scene.clock.now += 60
    scene.turn(watch)
    assert fake_appid(1) not in appids(watch)


def gone_at(scene: Scene, watch: PlatformWatch) -> list[float]:
    """Return the seconds after which the number of apps changes, within 20 minutes."""
    changes, before, start = [], len(watch.apps()), scene.clock.now
    while scene.clock.now < start + 1200:
        scene.turn(watch)
        if len(watch.apps()) != before:
            before = len(watch.apps())
            changes.append(scene.clock.now - start)
        scene.clock.now += 15
    return changes


def test_an_empty_list_once_makes_no_account_vanish(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, events: list[Any]
) -> None:
    watch = scene.watch()
    scene.turn(watch)
    desk = scene.sim.platforms["main"]
    page = desk.page
    answers = iter([{"total_count": 0, "list": []}])
    monkeypatch.setattr(desk, "page", lambda asked: next(answers, None) or page(asked))
    scene.clock.now += 3600
    assert gone_at(scene, watch) == []
    assert [event["event"] for event in events if event["log_level"] == "warning"] == [
        "accounts gone from the list: believed after a second look in some minutes"
    ]


def test_accounts_that_are_gone_after_a_second_look_vanish_with_a_warning(
    scene: Scene, events: list[Any]
) -> None:
    watch = scene.watch()
    scene.turn(watch)
    for number in (1, 2, 3):
        scene.sim.platforms["main"].withdraw(fake_appid(number))
    scene.clock.now += 3600
    assert gone_at(scene, watch) == [180]
    assert calls(scene)[0] == 3
    gone = events[-1]
    assert (gone["event"], gone["log_level"], gone["gone"]) == ("accounts gone", "warning", 3)


def test_an_exporter_that_was_ready_stays_so_when_an_account_comes(scene: Scene) -> None:
    watch = scene.watch()
    scene.turn(watch)
    assert watch.settled
    scene.sim.platforms["main"].authorise("wx00000000000000bb")
    scene.clock.now += 3600
    scene.search(watch)._list()
    assert not scene.search(watch).complete
    assert watch.settled


def test_an_account_in_three_vanishes_at_once(scene: Scene, events: list[Any]) -> None:
    watch = scene.watch()
    scene.turn(watch)
    scene.sim.platforms["main"].withdraw(fake_appid(2))
    scene.clock.now += 3600
    assert gone_at(scene, watch) == [0]
    assert (events[-1]["event"], events[-1]["first"]) == ("accounts gone", fake_appid(2))


def test_an_event_brings_a_new_list_but_not_a_flood_of_them(scene: Scene) -> None:
    watch = scene.watch()
    scene.turn(watch)
    for _ in range(20):
        watch.accounts_changed("main")
        scene.turn(watch)
        scene.clock.now += 1
    assert scene.sim.calls("get_authorizer_list") == 2


@pytest.mark.parametrize("ahead", [3600, 86_400])
def test_a_clock_that_was_ahead_makes_the_next_list_no_later(scene: Scene, ahead: float) -> None:
    scene.clock.now += ahead
    watch = scene.watch()
    scene.ticket.write_text(scene.sim.new_ticket("main"))
    scene.turn(watch)
    scene.clock.now -= ahead
    scene.ticket.write_text(scene.sim.new_ticket("main"))
    scene.turn(watch)
    assert scene.sim.calls("get_authorizer_list") == 2
    assert scene.search(watch).wait() <= 3600


def test_accounts_that_are_excluded_vanish_without_a_second_look(scene: Scene) -> None:
    scene.turn(scene.watch())
    scene.discovery = Discovery(3600.0, exclude=("wx*2", "wx*3"))
    assert names(scene.watch()) == ["app-00001"]


def test_a_fault_of_the_exporters_own_is_not_met_again_at_once(scene: Scene) -> None:
    search = scene.search(scene.watch())
    search.known = {fake_appid(1): Account()}
    assert search.wait() == 0
    search.postpone()
    assert search.wait() == 60


# Together with other exporters


class Replicas:
    """Two exporters' watches over one platform, with one vault."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.leases = FakeLeases(scene.clock)
        self.first, self.second = (
            scene.watch(replace(self.leases, holder=holder)) for holder in ("first", "second")
        )

    def turns(self, *watches: PlatformWatch) -> None:
        for watch in watches:
            self.scene.turn(watch)


def test_of_two_exporters_one_lists_and_asks_for_names_and_the_other_takes_them_over(scene: Scene) -> None:
    two = Replicas(scene)
    assert two.leases.take(STORED, 1)
    two.turns(two.second)
    assert not two.second.settled
    scene.clock.now += 1
    two.turns(two.first)
    scene.clock.now += 30
    two.turns(two.second)
    assert names(two.first) == names(two.second) == NAMES
    assert two.second.settled
    assert calls(scene) == (1, 3)


def test_an_interval_later_again_one_of_them_lists(scene: Scene) -> None:
    two = Replicas(scene)
    for _ in range(2 * 3600 // 10):
        two.turns(two.first, two.second)
        scene.clock.now += 10
    assert scene.sim.calls("get_authorizer_list") == 2


def test_an_account_that_comes_is_shown_by_the_other_exporter_within_a_minute(scene: Scene) -> None:
    two = Replicas(scene)
    two.turns(two.first)
    scene.clock.now += 181
    two.turns(two.second)
    scene.sim.platforms["main"].withdraw(fake_appid(2))
    two.second.accounts_changed("main")
    two.turns(two.second)
    assert len(two.second.apps()) == 2
    scene.clock.now += 31
    two.turns(two.first)
    assert len(two.first.apps()) == 2
    assert scene.sim.calls("get_authorizer_list") == 2


def test_one_that_dies_while_it_is_its_turn_is_followed(scene: Scene) -> None:
    two = Replicas(scene)
    assert two.leases.take(STORED, 60)
    for _ in range(12):
        two.turns(two.second)
        assert two.second.apps() == []
        scene.clock.now += 5
    two.turns(two.second)
    assert names(two.second) == NAMES


def test_an_exporter_that_was_paused_does_not_put_its_old_list_over_a_newer_one(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = scene.watch(FakeLeases(scene.clock)), scene.watch(FakeLeases(scene.clock))
    listing = scene.search(first).platform.accounts
    read = listing.read

    def paused() -> Any:
        found = read()
        scene.sim.platforms["main"].withdraw(fake_appid(1))
        scene.clock.now += 300
        scene.turn(second)
        return found

    monkeypatch.setattr(listing, "read", paused)
    scene.turn(first)
    kept = json.loads(scene.vault.credential(STORED) or "")
    assert list(kept["accounts"]) == [fake_appid(2), fake_appid(3)]
    scene.turn(first)
    assert appids(first) == [fake_appid(2), fake_appid(3)]


def test_while_leases_cannot_be_taken_nobody_lists(scene: Scene) -> None:
    watch = scene.watch(FakeLeases(scene.clock, away=True))
    scene.turn(watch)
    assert calls(scene) == (0, 0)


def test_a_vault_that_is_away_changes_nothing(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    two = Replicas(scene)
    two.turns(two.first)
    scene.clock.now += 31

    def away(key: str) -> str | None:
        raise StoreError("cannot read storage redis://cache/0: Connection refused")

    monkeypatch.setattr(scene.vault, "credential", away)
    two.turns(two.first)
    assert names(two.first) == NAMES


def test_a_list_of_an_exporter_whose_clock_was_ahead_keeps_nobody_from_listing(scene: Scene) -> None:
    two = Replicas(scene)
    scene.clock.now += 36_000
    two.turns(two.first)
    scene.clock.now -= 36_000
    listed = scene.sim.calls("get_authorizer_list")
    scene.ticket.write_text(scene.sim.new_ticket("main"))
    two.leases.held.clear()
    two.turns(two.second)
    assert scene.sim.calls("get_authorizer_list") == listed + 1
    assert names(two.second) == NAMES
