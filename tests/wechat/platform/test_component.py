"""A platform's own token and list: few calls, whatever happens."""

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from exporter.beijing import yesterday
from exporter.config.settings import App, Platform, Secret, ThirdParty, TicketFile
from exporter.datasets.dataset import Row
from exporter.simulator.faults import CallKind, Fault
from exporter.simulator.fleet import fake_appid, fleet
from exporter.simulator.platforms import SimPlatform
from exporter.simulator.refusals import RefusedError
from exporter.simulator.server import Conditions, Simulator
from exporter.simulator.tokens import TokenKind
from exporter.store.interface import StoreError
from exporter.store.memory import MemoryStore
from exporter.wechat.access import Access, choose_access
from exporter.wechat.client import Client
from exporter.wechat.failures.failure import Action, CallError, Failure, Reason
from exporter.wechat.platform import authorizers
from exporter.wechat.platform.authorizers import read_page
from exporter.wechat.platform.open_platform import OpenPlatform
from tests.wechat.lines import Clock, daily_trend, everything_told, opened

PLATFORM = SimPlatform("main", "wxfa4ec00000000001", "not-a-real-component-secret")
FIRST = fake_appid(1)


class Vault(MemoryStore):
    """A storage that can break."""

    broken = False

    def put(self, key: str, expected: str | None, new: str) -> bool:
        if self.broken:
            raise StoreError("cannot write storage: No space left on device")
        return super().put(key, expected, new)


@dataclass
class Scene:
    sim: Simulator
    client: Client
    clock: Clock
    ticket: Path
    vault: Vault

    def open(self, secret: str = PLATFORM.secret) -> OpenPlatform:
        settings = Platform("main", PLATFORM.component_appid, Secret(secret), TicketFile(self.ticket))
        return OpenPlatform(settings, self.client, self.vault)

    def access(self, platform: OpenPlatform, number: int = 1, start: Secret | None = None) -> Access:
        app = App(fake_appid(number), "app", (), ThirdParty("main", start))
        return choose_access(app, self.client, {"main": platform})

    def ask(self, access: Access) -> Row | Failure:
        try:
            return daily_trend(access, yesterday(self.clock()))
        except CallError as error:
            return error.failure

    def refused(self, access: Access) -> Failure:
        problem = self.ask(access)
        assert isinstance(problem, Failure)
        return problem


@pytest.fixture
def scene(tmp_path: Path, clock: Clock) -> Iterator[Scene]:
    conditions = Conditions(time_source=clock, always_published=True)
    with (
        Simulator(fleet(50, seed=1), conditions, platforms=[PLATFORM]) as sim,
        opened(sim.base_url, clock=clock) as client,
    ):
        ticket = tmp_path / "ticket"
        ticket.write_text(sim.new_ticket("main"))
        yield Scene(sim, client, clock, ticket, Vault())


def test_fifty_accounts_take_one_component_token_and_one_list_in_two_hours(scene: Scene) -> None:
    platform = scene.open()
    accesses = [scene.access(platform, number) for number in range(1, 51)]
    for _ in range(7):
        assert all(isinstance(scene.ask(access), Row) for access in accesses)
        scene.clock.now += 900
    assert scene.sim.calls("component_token") == 1
    assert scene.sim.calls("get_authorizer_list") == 1
    assert scene.sim.calls("authorizer_token") == 50
    scene.clock.now += 900
    assert all(isinstance(scene.ask(access), Row) for access in accesses)
    assert scene.sim.calls("component_token") == 2


@pytest.mark.parametrize(
    ("ticket", "secret", "reason", "action"),
    [
        ("an-invented-ticket", PLATFORM.secret, Reason.THIRD_PARTY_TICKET, Action.NEXT_ROUND),
        (None, "not-the-right-fake-secret", Reason.INVALID_SECRET, Action.SUSPEND),
    ],
    ids=["ticket", "secret"],
)
def test_a_refused_credential_costs_one_call_in_half_a_minute_for_all_accounts(
    scene: Scene, ticket: str | None, secret: str, reason: Reason, action: Action
) -> None:
    if ticket is not None:
        scene.ticket.write_text(ticket)
    platform = scene.open(secret)
    for minute in range(1, 4):
        for number in range(1, 51):
            problem = scene.refused(scene.access(platform, number))
            assert (problem.reason, problem.action) == (reason, action)
        assert scene.sim.calls("component_token") == minute
        scene.clock.now += 31


def test_a_new_ticket_is_tried_at_once(scene: Scene) -> None:
    good = scene.ticket.read_text()
    scene.ticket.write_text("an-invented-ticket")
    access = scene.access(scene.open())
    assert scene.refused(access).errcode == 61006
    scene.ticket.write_text(good)
    assert isinstance(scene.ask(access), Row)


def test_without_a_ticket_nothing_is_asked(scene: Scene) -> None:
    scene.ticket.unlink()
    problem = scene.refused(scene.access(scene.open()))
    assert (problem.reason, problem.errcode) == (Reason.THIRD_PARTY_TICKET, None)
    assert scene.sim.calls() == 0


def test_component_tokens_that_are_refused_again_and_again_are_not_fetched_without_end(scene: Scene) -> None:
    platform = scene.open()
    accesses = [scene.access(platform, number) for number in range(1, 51)]
    for access in accesses:
        scene.sim.revoke_token(PLATFORM.component_appid, TokenKind.COMPONENT)
        scene.ask(access)
    assert scene.sim.calls("component_token") == 5
    assert scene.refused(accesses[-1]).reason is Reason.TOKEN_REJECTED
    scene.clock.now += 601
    assert isinstance(scene.ask(accesses[-1]), Row)


@pytest.mark.parametrize("exporters", [1, 2])
def test_a_refresh_token_that_changed_elsewhere_is_found_in_the_list_which_all_exporters_read_once(
    scene: Scene, exporters: int
) -> None:
    platforms = [scene.open() for _ in range(exporters)]
    accesses = [scene.access(platforms[number % exporters], number) for number in range(1, 51)]
    assert all(isinstance(scene.ask(access), Row) for access in accesses)
    for number in range(1, 51):
        scene.sim.platforms["main"].authorise(fake_appid(number))
    scene.clock.now += 7000
    assert all(isinstance(scene.ask(access), Row) for access in accesses)
    assert scene.sim.calls("get_authorizer_list") == 2
    assert scene.sim.calls("authorizer_token", outcome="61023") == 50


def test_refresh_tokens_that_are_lost_for_good_suspend_and_cost_one_list_a_minute(scene: Scene) -> None:
    platform = scene.open()
    accesses = [scene.access(platform, number) for number in range(1, 51)]
    assert all(isinstance(scene.ask(access), Row) for access in accesses)
    for number in range(1, 51):
        scene.sim.platforms["main"].authorise(fake_appid(number))
    scene.sim.platforms["main"].lists_refresh_tokens = False
    scene.clock.now += 7000
    for access in accesses:
        problem = scene.refused(access)
        assert (problem.errcode, problem.action) == (61023, Action.SUSPEND)
    assert scene.sim.calls("get_authorizer_list") == 2
    before = accesses[0].fingerprint()
    scene.sim.platforms["main"].lists_refresh_tokens = True
    platform.accounts.read()
    assert accesses[0].fingerprint() != before  # which ends the pause


@pytest.mark.parametrize("code", ["40125", "41004", "40013", "40001"])
def test_a_refused_credential_of_the_platform_leads_to_the_platforms_console(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    def refuse(*_: object) -> None:
        raise RefusedError(int(code))

    monkeypatch.setattr(scene.sim.platforms["main"], "component_token", refuse)
    problem = scene.refused(scene.access(scene.open()))
    assert "open.weixin.qq.com > 管理中心 > 第三方平台" in problem.advice.en
    assert "微信开放平台 > 管理中心 > 第三方平台" in problem.advice.zh
    assert "mp.weixin" not in problem.advice.en


DISCOVERED = {
    Fault.MINI_GAME: "mini game",
    Fault.FROZEN: "limited, frozen or migrated",
}


@pytest.mark.parametrize("fault", DISCOVERED)
def test_the_advice_for_an_account_without_figures_depends_on_where_it_stands(
    scene: Scene, fault: Fault
) -> None:
    platform = scene.open()
    scene.sim.set_fault(FIRST, fault, on=CallKind.DATA)
    configured = scene.refused(scene.access(platform))
    assert "`exclude`" not in configured.advice.en
    app = App(FIRST, "app", (), ThirdParty("main", discovered=True))
    found = scene.refused(choose_access(app, scene.client, {"main": platform}))
    assert "platform's `exclude`" in found.advice.en
    assert "exclude" in found.advice.zh
    assert DISCOVERED[fault] in found.advice.en
    assert (found.reason, found.errcode) == (configured.reason, configured.errcode)


def test_an_access_token_is_not_used_before_its_refresh_token_is_stored(scene: Scene) -> None:
    access = scene.access(scene.open())
    scene.vault.broken = True
    problem = scene.refused(access)
    assert (problem.reason, problem.action) == (Reason.INTERNAL, Action.NEXT_ROUND)
    assert "No space left" in problem.detail
    assert scene.sim.calls("daily_visit_trend") == 0
    assert scene.refused(access).reason is Reason.INTERNAL
    assert scene.sim.calls("authorizer_token") == 1  # not again before the first is safe
    scene.vault.broken = False
    assert isinstance(scene.ask(access), Row)
    assert scene.sim.calls("authorizer_token", outcome="61023") == 0


def test_a_configured_refresh_token_is_used_first_and_a_changed_one_again(scene: Scene) -> None:
    desk = scene.sim.platforms["main"]
    desk.lists_refresh_tokens = False
    start = Secret(desk.accounts[FIRST])
    assert isinstance(scene.ask(scene.access(scene.open(), start=start)), Row)
    assert isinstance(scene.ask(scene.access(scene.open(), start=start)), Row)  # the stored one: a restart
    again = Secret(desk.authorise(FIRST))
    assert isinstance(scene.ask(scene.access(scene.open(), start=again)), Row)
    assert scene.sim.calls("authorizer_token", outcome="61023") == 0


def test_a_refresh_token_that_does_not_rotate_is_stored_once(scene: Scene) -> None:
    scene.sim.platforms["main"].rotates = False
    access = scene.access(scene.open())
    scene.ask(access)
    scene.vault.broken = True
    scene.clock.now += 7000
    assert isinstance(scene.ask(access), Row)
    assert scene.sim.calls("authorizer_token") == 2


STATES = {
    61003: (Reason.PERMISSION, Action.SUSPEND, "withdrawn"),
    61004: (Reason.IP_NOT_ALLOWED, Action.SUSPEND, "*platform's* list"),
    61007: (Reason.PERMISSION, Action.SUSPEND, "permission set 18"),
}


@pytest.mark.parametrize("code", STATES)
def test_refusals_of_a_platform_have_their_reason_and_advice(scene: Scene, code: int) -> None:
    access = scene.access(scene.open())
    scene.ask(access)
    desk = scene.sim.platforms["main"]
    if code == 61003:
        desk.withdraw(FIRST)
    desk.ip_allowed = code != 61004
    desk.permitted = code != 61007
    problem = scene.refused(access)
    reason, action, advice = STATES[code]
    assert (problem.errcode, problem.reason, problem.action) == (code, reason, action)
    assert advice in problem.advice.en


def test_an_account_that_is_not_in_the_list_says_what_to_do(scene: Scene) -> None:
    scene.sim.platforms["main"].withdraw(FIRST)
    problem = scene.refused(scene.access(scene.open()))
    assert problem.reason is Reason.THIRD_PARTY_REFRESH_TOKEN
    assert "authorise the platform" in problem.advice.en


def test_nothing_that_is_told_has_a_secret_in_it(scene: Scene) -> None:
    platform = scene.open()
    secrets = [PLATFORM.secret, scene.ticket.read_text(), scene.sim.platforms["main"].accounts[FIRST]]
    access = scene.access(platform)
    scene.sim.platforms["main"].ip_allowed = False
    with pytest.raises(CallError) as caught:
        daily_trend(access, yesterday(scene.clock()))
    told = everything_told(caught.value) + repr(platform)
    assert not [secret for secret in secrets if secret in told]


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
        read_page(body)
    assert caught.value.failure.reason is Reason.MALFORMED


def test_a_list_that_finds_no_thread_is_read_at_the_next_call(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_thread(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    accounts = scene.open().accounts
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", no_thread)
        with pytest.raises(RuntimeError):
            accounts.read()
    assert accounts.read().whole


# With other exporters that have the same vault


def test_a_newer_list_of_another_exporter_replaces_the_one_held(scene: Scene) -> None:
    first, second = scene.open(), scene.open()
    old = first.accounts.read()
    assert second.accounts.held() == old
    scene.clock.now += 60
    scene.sim.platforms["main"].authorise(FIRST)
    new = second.accounts.read()
    assert first.accounts.held() == new != old
    scene.clock.now += 60
    key = f"listing/{PLATFORM.component_appid}"
    assert scene.vault.put(key, scene.vault.credential(key), '[5, {"wx": "older"}]')
    assert first.accounts.held() == new


def test_a_list_that_cannot_be_stored_is_used_all_the_same(scene: Scene) -> None:
    scene.vault.broken = True
    platform = scene.open()
    assert platform.accounts.read() == platform.accounts.held()


def test_what_could_not_be_stored_does_not_replace_what_another_exporter_stored_later(scene: Scene) -> None:
    first, second = scene.access(scene.open()), scene.access(scene.open())
    scene.vault.broken = True
    assert scene.refused(first).reason is Reason.INTERNAL  # its refresh token came, and waits
    scene.vault.broken = False
    scene.clock.now += 60
    scene.sim.platforms["main"].authorise(FIRST)
    assert isinstance(scene.ask(second), Row)
    assert isinstance(scene.ask(first), Row)
    assert scene.sim.calls("authorizer_token", outcome="61023") == 0  # nobody used an old one


def test_no_list_is_in_a_repr(scene: Scene) -> None:
    listing = scene.open().accounts.read()
    assert not any(token and token in repr(listing) for token in listing.refresh_tokens.values())


# A list of many pages


def test_who_waits_for_a_long_list_is_sent_away_after_seconds_and_asked_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_go = threading.Event()
    desk = scene.sim.platforms["main"]
    page = desk.page

    def slow(asked: Mapping[str, object]) -> object:
        if asked["offset"]:
            let_go.wait(10)
        return {**page({"offset": 0, "count": 500}), "total_count": 100}  # type: ignore[dict-item]

    monkeypatch.setattr(desk, "page", slow)
    monkeypatch.setattr(authorizers, "PAGE_SIZE", 50)
    monkeypatch.setattr(authorizers, "_WAIT_SECONDS", 0.2)
    platform = scene.open()
    accesses = [scene.access(platform, number) for number in range(1, 9)]
    with ThreadPoolExecutor(8) as threads:
        problems = list(threads.map(scene.refused, accesses))
    assert {(each.reason, each.action) for each in problems} == {(Reason.BUSY, Action.RETRY)}
    assert all("still being read" in each.detail for each in problems)
    let_go.set()
    assert platform.accounts.read() == platform.accounts.held()
    assert all(isinstance(scene.ask(access), Row) for access in accesses)
    assert scene.sim.calls("get_authorizer_list") < 8  # one thread has read it for all


def test_a_list_that_fails_is_not_asked_for_by_every_account(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: object) -> None:
        raise RefusedError(48001)

    monkeypatch.setattr(scene.sim.platforms["main"], "page", refuse)
    platform = scene.open()
    for number in range(1, 51):
        assert scene.refused(scene.access(platform, number)).errcode == 48001
    assert scene.sim.calls("get_authorizer_list") == 1
    monkeypatch.undo()
    scene.clock.now += 61
    assert isinstance(scene.ask(scene.access(platform)), Row)


def test_a_ticket_that_comes_is_used_at_once_by_accounts_that_need_the_list(scene: Scene) -> None:
    ticket = scene.ticket.read_text()
    scene.ticket.unlink()
    access = scene.access(scene.open())
    assert scene.refused(access).reason is Reason.THIRD_PARTY_TICKET
    scene.ticket.write_text(ticket)
    assert isinstance(scene.ask(access), Row)


def test_what_a_list_that_is_not_whole_lacks_is_still_known(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts = scene.open().accounts
    before = accounts.read().refresh_tokens
    desk = scene.sim.platforms["main"]
    page = desk.page
    monkeypatch.setattr(desk, "page", lambda asked: {**page(asked), "total_count": 60})  # type: ignore[dict-item]
    desk.withdraw(FIRST)
    listing = accounts.read()
    assert not listing.whole
    assert listing.refresh_tokens == before
