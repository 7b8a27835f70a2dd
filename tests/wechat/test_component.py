"""A platform's own token and list: few calls, whatever happens."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from exporter.config.settings import App, Platform, Secret, ThirdParty, TicketFile
from exporter.simulator.fleet import fake_appid, fleet
from exporter.simulator.platforms import SimPlatform
from exporter.simulator.server import Conditions, Simulator
from exporter.simulator.tokens import Kind
from exporter.store.interface import StoreError
from exporter.store.memory import MemoryStore
from exporter.trend import Row, yesterday
from exporter.wechat.component import GivenUpError, _page
from exporter.wechat.errors import Action, CallError, Failure, Reason
from exporter.wechat.line import Line
from exporter.wechat.third_party import OpenPlatform, open_platforms
from exporter.wechat.ways import Way, choose_way
from tests.wechat.lines import Clock, everything_told, opened

PLATFORM = SimPlatform("main", "wxfa4ec00000000001", "not-a-real-component-secret")
FIRST = fake_appid(1)


class Vault(MemoryStore):
    """A storage that can break."""

    broken = False

    def save_credential(self, key: str, value: str) -> None:
        if self.broken:
            raise StoreError("cannot write storage: No space left on device")
        super().save_credential(key, value)


@dataclass
class Scene:
    sim: Simulator
    line: Line
    clock: Clock
    ticket: Path
    vault: Vault

    def open(self, secret: str = PLATFORM.secret) -> OpenPlatform:
        settings = Platform("main", PLATFORM.component_appid, Secret(secret), TicketFile(self.ticket))
        return open_platforms([settings], self.line, self.vault)["main"]

    def way(self, platform: OpenPlatform, number: int = 1, start: Secret | None = None) -> Way:
        app = App(fake_appid(number), "app", (), ThirdParty("main", start))
        return choose_way(app, self.line, {"main": platform})

    def ask(self, way: Way) -> Row | Failure:
        try:
            return way.daily_trend(yesterday(self.clock()))
        except CallError as error:
            return error.failure

    def refused(self, way: Way) -> Failure:
        problem = self.ask(way)
        assert isinstance(problem, Failure)
        return problem


@pytest.fixture
def scene(tmp_path: Path, clock: Clock) -> Iterator[Scene]:
    conditions = Conditions(time_source=clock, always_published=True)
    with (
        Simulator(fleet(50, seed=1), conditions, platforms=[PLATFORM]) as sim,
        opened(sim.base_url, clock=clock) as line,
    ):
        ticket = tmp_path / "ticket"
        ticket.write_text(sim.new_ticket("main"))
        yield Scene(sim, line, clock, ticket, Vault())


def test_fifty_accounts_take_one_component_token_and_one_list_in_two_hours(scene: Scene) -> None:
    platform = scene.open()
    ways = [scene.way(platform, number) for number in range(1, 51)]
    for _ in range(7):
        assert all(isinstance(scene.ask(way), Row) for way in ways)
        scene.clock.now += 900
    assert scene.sim.calls("component_token") == 1
    assert scene.sim.calls("get_authorizer_list") == 1
    assert scene.sim.calls("authorizer_token") == 50
    scene.clock.now += 900
    assert all(isinstance(scene.ask(way), Row) for way in ways)
    assert scene.sim.calls("component_token") == 2


@pytest.mark.parametrize(
    ("ticket", "secret", "reason", "action"),
    [
        ("an-invented-ticket", PLATFORM.secret, Reason.THIRD_PARTY_TICKET, Action.NEXT_ROUND),
        (None, "not-the-right-fake-secret", Reason.INVALID_SECRET, Action.SUSPEND),
    ],
    ids=["ticket", "secret"],
)
def test_a_refused_credential_costs_one_call_a_minute_for_all_accounts(
    scene: Scene, ticket: str | None, secret: str, reason: Reason, action: Action
) -> None:
    if ticket is not None:
        scene.ticket.write_text(ticket)
    platform = scene.open(secret)
    for minute in range(1, 4):
        for number in range(1, 51):
            problem = scene.refused(scene.way(platform, number))
            assert (problem.reason, problem.action) == (reason, action)
        assert scene.sim.calls("component_token") == minute
        scene.clock.now += 61


def test_a_new_ticket_is_tried_at_once(scene: Scene) -> None:
    good = scene.ticket.read_text()
    scene.ticket.write_text("an-invented-ticket")
    way = scene.way(scene.open())
    assert scene.refused(way).errcode == 61006
    scene.ticket.write_text(good)
    assert isinstance(scene.ask(way), Row)


def test_an_old_ticket_is_told_as_such(scene: Scene) -> None:
    scene.clock.now += 12 * 3600
    problem = scene.refused(scene.way(scene.open()))
    assert (problem.reason, problem.errcode) == (Reason.THIRD_PARTY_TICKET, 61005)


def test_without_a_ticket_nothing_is_asked(scene: Scene) -> None:
    scene.ticket.unlink()
    problem = scene.refused(scene.way(scene.open()))
    assert (problem.reason, problem.errcode) == (Reason.THIRD_PARTY_TICKET, None)
    assert scene.sim.calls() == 0


def test_component_tokens_that_are_refused_again_and_again_are_not_fetched_without_end(scene: Scene) -> None:
    platform = scene.open()
    ways = [scene.way(platform, number) for number in range(1, 51)]
    for way in ways:
        scene.sim.revoke_token(PLATFORM.component_appid, Kind.COMPONENT)
        scene.ask(way)
    assert scene.sim.calls("component_token") == 5
    assert scene.refused(ways[-1]).reason is Reason.TOKEN_REJECTED
    scene.clock.now += 601
    assert isinstance(scene.ask(ways[-1]), Row)


def test_a_refresh_token_that_changed_elsewhere_is_found_in_the_list_which_is_read_once(scene: Scene) -> None:
    platform = scene.open()
    ways = [scene.way(platform, number) for number in range(1, 51)]
    assert all(isinstance(scene.ask(way), Row) for way in ways)
    for number in range(1, 51):
        scene.sim.platforms["main"].authorise(fake_appid(number))
    scene.clock.now += 7000
    assert all(isinstance(scene.ask(way), Row) for way in ways)
    assert scene.sim.calls("get_authorizer_list") == 2
    assert scene.sim.calls("authorizer_token", outcome="61023") == 50


def test_refresh_tokens_that_are_lost_for_good_suspend_and_cost_one_list_a_minute(scene: Scene) -> None:
    platform = scene.open()
    ways = [scene.way(platform, number) for number in range(1, 51)]
    assert all(isinstance(scene.ask(way), Row) for way in ways)
    for number in range(1, 51):
        scene.sim.platforms["main"].authorise(fake_appid(number))
    scene.sim.platforms["main"].lists_refresh_tokens = False
    scene.clock.now += 7000
    for way in ways:
        problem = scene.refused(way)
        assert (problem.errcode, problem.action) == (61023, Action.SUSPEND)
    assert scene.sim.calls("get_authorizer_list") == 2
    before = ways[0].fingerprint()
    scene.sim.platforms["main"].lists_refresh_tokens = True
    platform.component.list_accounts()
    assert ways[0].fingerprint() != before  # which ends the pause


def test_an_access_token_is_not_used_before_its_refresh_token_is_stored(scene: Scene) -> None:
    way = scene.way(scene.open())
    scene.vault.broken = True
    problem = scene.refused(way)
    assert (problem.reason, problem.action) == (Reason.INTERNAL, Action.NEXT_ROUND)
    assert "No space left" in problem.detail
    assert scene.sim.calls("daily_visit_trend") == 0
    assert scene.refused(way).reason is Reason.INTERNAL
    assert scene.sim.calls("authorizer_token") == 1  # not again before the first is safe
    scene.vault.broken = False
    assert isinstance(scene.ask(way), Row)
    assert scene.sim.calls("authorizer_token", outcome="61023") == 0


def test_a_configured_refresh_token_is_used_first_and_a_changed_one_again(scene: Scene) -> None:
    desk = scene.sim.platforms["main"]
    desk.lists_refresh_tokens = False
    start = Secret(desk.accounts[FIRST])
    assert isinstance(scene.ask(scene.way(scene.open(), start=start)), Row)
    assert isinstance(scene.ask(scene.way(scene.open(), start=start)), Row)  # the stored one: a restart
    again = Secret(desk.authorise(FIRST))
    assert isinstance(scene.ask(scene.way(scene.open(), start=again)), Row)
    assert scene.sim.calls("authorizer_token", outcome="61023") == 0


def test_a_refresh_token_that_does_not_rotate_is_stored_once(scene: Scene) -> None:
    scene.sim.platforms["main"].rotates = False
    way = scene.way(scene.open())
    scene.ask(way)
    scene.vault.broken = True
    scene.clock.now += 7000
    assert isinstance(scene.ask(way), Row)
    assert scene.sim.calls("authorizer_token") == 2


STATES = {
    61003: (Reason.PERMISSION, Action.SUSPEND, "withdrawn"),
    61004: (Reason.IP_NOT_ALLOWED, Action.SUSPEND, "*platform's* list"),
    61007: (Reason.PERMISSION, Action.SUSPEND, "permission set 18"),
}


@pytest.mark.parametrize("code", STATES)
def test_refusals_of_a_platform_have_their_reason_and_advice(scene: Scene, code: int) -> None:
    way = scene.way(scene.open())
    scene.ask(way)
    desk = scene.sim.platforms["main"]
    if code == 61003:
        desk.withdraw(FIRST)
    desk.ip_allowed = code != 61004
    desk.permitted = code != 61007
    problem = scene.refused(way)
    reason, action, advice = STATES[code]
    assert (problem.errcode, problem.reason, problem.action) == (code, reason, action)
    assert advice in problem.advice.en


def test_an_account_that_is_not_in_the_list_says_what_to_do(scene: Scene) -> None:
    scene.sim.platforms["main"].withdraw(FIRST)
    problem = scene.refused(scene.way(scene.open()))
    assert problem.reason is Reason.THIRD_PARTY_REFRESH_TOKEN
    assert "authorise the platform" in problem.advice.en


def test_nothing_that_is_told_has_a_secret_in_it(scene: Scene) -> None:
    platform = scene.open()
    secrets = [PLATFORM.secret, scene.ticket.read_text(), scene.sim.platforms["main"].accounts[FIRST]]
    way = scene.way(platform)
    scene.sim.platforms["main"].ip_allowed = False
    with pytest.raises(CallError) as caught:
        way.daily_trend(yesterday(scene.clock()))
    told = everything_told(caught.value) + repr(platform)
    assert not [secret for secret in secrets if secret in told]


def test_the_list_of_ten_thousand_accounts_takes_twenty_calls(tmp_path: Path, clock: Clock) -> None:
    conditions = Conditions(time_source=clock)
    with (
        Simulator(fleet(10_000, seed=1), conditions, platforms=[PLATFORM]) as sim,
        opened(sim.base_url, clock=clock) as line,
    ):
        ticket = tmp_path / "ticket"
        ticket.write_text(sim.new_ticket("main"))
        listing = Scene(sim, line, clock, ticket, Vault()).open().component.list_accounts()
        assert len(listing.refresh_tokens) == 10_000
        assert sim.calls("get_authorizer_list") == 20


@pytest.mark.parametrize(("goes_on", "pages"), [([False], 1), ([True, False], 2), ([True, True, False], 3)])
def test_a_list_that_is_not_wanted_any_more_is_given_up_and_not_kept(
    goes_on: list[bool], pages: int, tmp_path: Path, clock: Clock
) -> None:
    conditions = Conditions(time_source=clock)
    with (
        Simulator(fleet(1200, seed=1), conditions, platforms=[PLATFORM]) as sim,
        opened(sim.base_url, clock=clock) as line,
    ):
        ticket = tmp_path / "ticket"
        ticket.write_text(sim.new_ticket("main"))
        component = Scene(sim, line, clock, ticket, Vault()).open().component
        wanted = iter(goes_on)
        with pytest.raises(GivenUpError):
            component.list_accounts(lambda: next(wanted))
        assert sim.calls("get_authorizer_list") == pages
        assert component.held_listing() is None


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"total_count": 1},
        {"total_count": "1", "list": []},
        {"total_count": -1, "list": []},
        {"total_count": True, "list": []},
        {"total_count": 1, "list": {}},
        {"total_count": 1, "list": [{}]},
        {"total_count": 1, "list": ["wx0"]},
    ],
)
def test_a_list_that_is_none_is_malformed(body: dict[str, object]) -> None:
    with pytest.raises(CallError) as caught:
        _page(body)
    assert caught.value.failure.reason is Reason.MALFORMED


# With other exporters that have the same vault


def test_a_list_that_one_exporter_read_is_used_by_the_others(scene: Scene) -> None:
    first, second = scene.open(), scene.open()
    assert isinstance(scene.ask(scene.way(first, 1)), Row)
    assert isinstance(scene.ask(scene.way(second, 2)), Row)
    assert scene.sim.calls("get_authorizer_list") == 1
    assert second.component.held_listing() == first.component.held_listing()


def test_a_newer_list_of_another_exporter_replaces_the_one_held(scene: Scene) -> None:
    first, second = scene.open(), scene.open()
    old = first.component.list_accounts()
    assert second.component.held_listing() == old
    scene.clock.now += 60
    scene.sim.platforms["main"].authorise(FIRST)
    new = second.component.list_accounts()
    assert first.component.held_listing() == new != old
    scene.clock.now += 60
    scene.vault.save_credential(f"listing/{PLATFORM.component_appid}", '[5, {"wx": "older"}]')
    assert first.component.held_listing() == new


def test_a_refresh_token_that_changed_elsewhere_costs_a_fleet_one_list(scene: Scene) -> None:
    platforms = [scene.open(), scene.open()]
    ways = [scene.way(platforms[number % 2], number) for number in range(1, 51)]
    assert all(isinstance(scene.ask(way), Row) for way in ways)
    for number in range(1, 51):
        scene.sim.platforms["main"].authorise(fake_appid(number))
    scene.clock.now += 7000
    assert all(isinstance(scene.ask(way), Row) for way in ways)
    assert scene.sim.calls("get_authorizer_list") == 2


@pytest.mark.parametrize("kept", ["", "{", "[]", "[1]", "5", '["x", 5]', '[null, {"wx": "y"}]'])
def test_a_list_in_the_vault_that_cannot_be_understood_is_read_from_wechat(scene: Scene, kept: str) -> None:
    scene.vault.save_credential(f"listing/{PLATFORM.component_appid}", kept)
    platform = scene.open()
    assert platform.component.held_listing() is None
    assert isinstance(scene.ask(scene.way(platform)), Row)
    assert scene.sim.calls("get_authorizer_list") == 1


def test_a_list_that_cannot_be_stored_is_used_all_the_same(scene: Scene) -> None:
    scene.vault.broken = True
    platform = scene.open()
    assert platform.component.list_accounts() == platform.component.held_listing()


def test_what_could_not_be_stored_does_not_replace_what_another_exporter_stored_later(scene: Scene) -> None:
    first, second = scene.way(scene.open()), scene.way(scene.open())
    scene.vault.broken = True
    assert scene.refused(first).reason is Reason.INTERNAL  # its refresh token came, and waits
    scene.vault.broken = False
    scene.clock.now += 60
    scene.sim.platforms["main"].authorise(FIRST)
    assert isinstance(scene.ask(second), Row)
    assert isinstance(scene.ask(first), Row)
    assert scene.sim.calls("authorizer_token", outcome="61023") == 0  # nobody used an old one


def test_no_list_is_in_a_repr(scene: Scene) -> None:
    listing = scene.open().component.list_accounts()
    assert not any(token and token in repr(listing) for token in listing.refresh_tokens.values())
