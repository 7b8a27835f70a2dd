"""The search for a platform's accounts, on a clock that stands still, turn by turn."""

from typing import Any

import pytest

from exporter.refresh.platforms import PlatformWatch
from exporter.simulator.fleet import DEMO_PLATFORM, fake_appid
from exporter.store.interface import StoreError
from exporter.wechat.line import Endpoint
from tests.refresh.leases import Leases
from tests.refresh.scenes import Scene


def test_accounts_are_shown_with_their_names_and_asked_for_once_an_interval(scene: Scene) -> None:
    watch = scene.watch()
    assert not watch.settled
    for seconds in (0, 1, 3598):
        scene.clock.now += seconds
        scene.turn(watch)
    assert [app.name for app in watch.apps()] == ["app-00001", "app-00002", "app-00003"]
    assert watch.settled
    assert scene.gauges.found == [(3, 0)]
    assert (scene.sim.calls("get_authorizer_list"), scene.sim.calls("get_authorizer_info")) == (1, 3)
    scene.clock.now += 1
    scene.turn(watch)
    assert (scene.sim.calls("get_authorizer_list"), scene.sim.calls("get_authorizer_info")) == (2, 3)


def test_names_are_refreshed_daily_and_known_after_a_restart(scene: Scene) -> None:
    scene.turn(scene.watch())
    again = scene.watch()
    assert again.settled
    assert [app.name for app in again.apps()] == ["app-00001", "app-00002", "app-00003"]
    scene.turn(again)
    assert scene.sim.calls("get_authorizer_info") == 3
    scene.clock.now += 86_400
    scene.ticket.write_text(scene.sim.new_ticket("main"))
    scene.turn(again)
    assert scene.sim.calls("get_authorizer_info") == 6


def test_a_list_that_fails_is_tried_later_and_later_and_told_once(scene: Scene, events: list[Any]) -> None:
    scene.ticket.write_text("an-invented-ticket")
    watch = scene.watch()
    delays = []
    for _ in range(8):
        search = scene.turn(watch)
        delays.append(search.list_at - scene.clock.now)
        scene.clock.now = search.list_at
    assert delays == [60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert watch.settled
    warnings = [event for event in events if event["log_level"] == "warning"]
    assert [event["event"] for event in warnings] == ["discovery failing"]
    assert "start_push_ticket" in warnings[0]["advice"]
    scene.ticket.write_text(scene.sim.new_ticket("main"))
    watch.ticket_came("main", scene.clock.now)
    scene.turn(watch)
    assert len(watch.apps()) == 3


def test_an_event_brings_a_new_list_but_not_a_flood_of_them(scene: Scene) -> None:
    watch = scene.watch()
    scene.turn(watch)
    for _ in range(20):
        watch.accounts_changed("main")
        scene.turn(watch)
        scene.clock.now += 1
    assert scene.sim.calls("get_authorizer_list") == 2


def test_one_name_that_cannot_be_had_does_not_stop_the_others(scene: Scene) -> None:
    watch = scene.watch()
    search = watch._searches["main"]
    search._list()
    scene.sim.platforms["main"].withdraw(fake_appid(1))
    search._name(list(search.known))
    assert [app.name for app in watch.apps()] == [fake_appid(1), "app-00002", "app-00003"]
    assert search.names_at == 0


def test_names_wait_while_the_platform_itself_is_refused(scene: Scene) -> None:
    watch = scene.watch()
    search = watch._searches["main"]
    search._list()
    scene.sim.platforms["main"].ip_allowed = False
    search._name(list(search.known))
    assert scene.sim.calls("get_authorizer_info", outcome="61004") == 1
    assert search.names_at == scene.clock.now + 60
    refused = scene.sim.calls(outcome="61004")
    scene.turn(watch)
    assert scene.sim.calls(outcome="61004") == refused
    assert search.next_at >= scene.clock.now + 60


@pytest.mark.parametrize("apps", [1200])
def test_the_accounts_of_a_large_platform_are_shown_before_all_have_names(scene: Scene) -> None:
    watch = scene.watch()
    search = scene.turn(watch)
    assert scene.sim.calls("get_authorizer_list") == 3
    assert scene.shown == [1200, 1200]
    assert scene.sim.calls("get_authorizer_info") == 550
    for _ in range(2):
        assert search.next_at <= scene.clock.now
        scene.turn(watch)
    assert scene.sim.calls("get_authorizer_info") == 1200
    assert search.next_at > scene.clock.now


def test_a_line_that_is_down_ends_a_turn_at_its_first_name(scene: Scene) -> None:
    watch = scene.watch()
    search = watch._searches["main"]
    search._list()
    scene.sim.stop()
    search._name(list(search.known))
    assert sum(account.asked_at > 0 for account in search.known.values()) == 1


# Together with other exporters


class Replicas:
    """Two exporters' watches over one platform, with one vault."""

    work = f"accounts/{DEMO_PLATFORM.component_appid}"

    def __init__(self, scene: Scene, turn_seconds: float = 60.0) -> None:
        self.scene = scene
        self.leases = Leases(scene.clock)
        self.first, self.second = (
            scene.watch(lambda work, holder=holder: self.leases.take(work, holder, turn_seconds))  # type: ignore[misc]
            for holder in ("first", "second")
        )

    def turns(self, *watches: PlatformWatch) -> None:
        for watch in watches:
            self.scene.turn(watch)

    def names(self, watch: PlatformWatch) -> list[str]:
        return [app.name for app in watch.apps()]


NAMES = ["app-00001", "app-00002", "app-00003"]


def test_of_two_exporters_one_lists_and_asks_for_names_and_the_other_takes_them_over(scene: Scene) -> None:
    two = Replicas(scene)
    assert two.leases.take(two.work, "another", 1)
    two.turns(two.second)
    assert not two.second.settled
    scene.clock.now += 1
    two.turns(two.first)
    scene.clock.now += 30
    two.turns(two.second)
    assert two.names(two.first) == two.names(two.second) == NAMES
    assert two.second.settled
    assert (scene.sim.calls("get_authorizer_list"), scene.sim.calls("get_authorizer_info")) == (1, 3)
    assert scene.gauges.found == [(3, 0), (3, 0)]


def test_an_interval_later_again_one_of_them_lists(scene: Scene) -> None:
    two = Replicas(scene)
    for _ in range(2 * 3600 // 10):
        two.turns(two.first, two.second)
        scene.clock.now += 10
    assert scene.sim.calls("get_authorizer_list") == 2


def test_an_account_that_comes_is_shown_by_the_other_exporter_within_a_minute(scene: Scene) -> None:
    two = Replicas(scene)
    two.turns(two.first)
    scene.clock.now += 61
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
    assert two.leases.take(two.work, "one that died", 60)
    for _ in range(12):
        two.turns(two.second)
        assert two.second.apps() == []
        scene.clock.now += 5
    two.turns(two.second)
    assert two.names(two.second) == NAMES


@pytest.mark.parametrize("apps", [1200])
def test_a_list_that_takes_longer_than_a_turn_is_read_by_one_exporter(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    two = Replicas(scene)
    component = two.first._searches["main"].platform.component
    ask = component.ask

    def slow(endpoint: Endpoint, *about: Any) -> Any:
        answer = ask(endpoint, *about)
        if endpoint is Endpoint.AUTHORIZER_LIST:
            scene.clock.now += 50
            two.turns(two.second)
        return answer

    monkeypatch.setattr(component, "ask", slow)
    two.turns(two.first)
    assert len(two.first.apps()) == 1200
    assert two.second.apps() == []
    assert scene.sim.calls("get_authorizer_list") == 3


@pytest.mark.parametrize("apps", [1200])
def test_a_list_whose_turn_has_passed_to_another_is_given_up_and_not_stored(
    scene: Scene, events: list[Any]
) -> None:
    left = iter([True, True, False])
    watch = scene.watch(lambda _: next(left, False))
    search = scene.turn(watch)
    assert (watch.apps(), scene.shown, watch.settled) == ([], [], False)
    assert scene.sim.calls("get_authorizer_list") == 2
    assert scene.vault.credential(f"accounts/{DEMO_PLATFORM.component_appid}") is None
    assert search.next_at == scene.clock.now + 5  # to see whether the other one goes on
    assert [event["event"] for event in events] == ["accounts are listed by another exporter"]


@pytest.mark.parametrize("apps", [10])
def test_a_turn_that_passes_to_another_ends_the_asking_for_names(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = iter([True] * 5)  # to list, after the list, for each name but the first
    watch = scene.watch(lambda _: next(left, False))
    scene.turn(watch)
    assert scene.sim.calls("get_authorizer_info") == 4
    kept = scene.vault.credential(f"accounts/{DEMO_PLATFORM.component_appid}")
    assert "app-00001" not in (kept or "")  # the other one stores what it finds


def test_only_the_names_of_the_shards_own_accounts_are_asked_for(scene: Scene) -> None:
    watch = scene.watch(names=lambda appid: appid == fake_appid(2))
    search = scene.turn(watch)
    assert [app.name for app in watch.apps()] == [fake_appid(1), "app-00002", fake_appid(3)]
    assert scene.sim.calls("get_authorizer_info") == 1
    assert search.next_at == scene.clock.now + 3600


def test_a_vault_that_is_away_changes_nothing(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    two = Replicas(scene)
    two.turns(two.first)
    scene.clock.now += 31

    def away(key: str) -> str | None:
        raise StoreError("cannot read storage redis://cache/0: Connection refused")

    monkeypatch.setattr(scene.vault, "credential", away)
    two.turns(two.first)
    assert two.names(two.first) == NAMES


def test_a_list_of_an_exporter_whose_clock_was_ahead_keeps_nobody_from_listing(scene: Scene) -> None:
    two = Replicas(scene)
    scene.clock.now += 36_000
    two.turns(two.first)
    scene.clock.now -= 36_000
    listed = scene.sim.calls("get_authorizer_list")
    two.leases.held.clear()
    two.turns(two.second)
    assert scene.sim.calls("get_authorizer_list") == listed + 1
    assert two.names(two.second) == NAMES
