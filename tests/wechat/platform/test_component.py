"""A platform's own token and list: few calls, whatever happens."""

import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest

from exporter.beijing import yesterday
from exporter.config.apps import App
from exporter.config.secret import Secret
from exporter.config.token_types import ThirdParty
from exporter.simulator.faults import CallKind, Fault
from exporter.simulator.fleet import fake_appid
from exporter.simulator.messages import RefusedError
from exporter.simulator.platforms import PlatformDesk
from exporter.simulator.tokens import TokenKind
from exporter.wechat.access import choose_access
from exporter.wechat.failures.failure import Action, CallError, Reason
from exporter.wechat.platform import authorizers
from exporter.wechat.platform.authorizers import read_page
from tests.wechat.conftest import PLATFORM
from tests.wechat.lines import daily_trend, everything_in, failure_of
from tests.wechat.platform.conftest import Scene

FIRST = fake_appid(1)


def test_all_accounts_take_one_component_token_and_one_list_in_two_hours(scene: Scene) -> None:
    accesses = scene.accesses(scene.platform())
    for _ in range(7):
        assert scene.works(*accesses)
        scene.clock.now += 900
    calls = [scene.sim.calls(name) for name in ("component_token", "get_authorizer_list", "authorizer_token")]
    assert calls == [1, 1, len(accesses)]
    scene.clock.now += 900
    assert scene.works(*accesses)
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
    platform = scene.platform(secret)
    for minute in range(1, 4):
        for access in scene.accesses(platform):
            problem = scene.refused(access)
            assert (problem.reason, problem.action) == (reason, action)
        assert scene.sim.calls("component_token") == minute
        scene.clock.now += 31


@pytest.mark.parametrize(("before", "errcode"), [("an-invented-ticket", 61006), (None, None)])
def test_a_new_ticket_is_used_at_once_and_without_one_nothing_is_asked(
    scene: Scene, before: str | None, errcode: int | None
) -> None:
    good = scene.ticket.read_text()
    if before is None:
        scene.ticket.unlink()
    else:
        scene.ticket.write_text(before)
    access = scene.access()
    problem = scene.refused(access)
    assert (problem.reason, problem.errcode) == (Reason.THIRD_PARTY_TICKET, errcode)
    assert scene.sim.calls() == (0 if before is None else 1)
    scene.ticket.write_text(good)
    assert scene.works(access)


def test_component_tokens_that_are_refused_again_and_again_are_not_fetched_without_end(scene: Scene) -> None:
    accesses = scene.accesses(scene.platform())
    for access in accesses:
        scene.sim.tokens.revoke(PLATFORM.component_appid, scene.sim.clock.now(), TokenKind.COMPONENT)
        scene.ask(access)
    assert scene.sim.calls("component_token") == 5
    assert scene.refused(accesses[-1]).reason is Reason.TOKEN_REJECTED
    scene.clock.now += 601
    assert scene.works(accesses[-1])


def change_elsewhere(desk: PlatformDesk) -> None:
    """Authorise the platform again for every account, which ends its refresh token."""
    for appid in list(desk.accounts):
        desk.authorise(appid)


@pytest.mark.parametrize("exporters", [1, 2])
def test_a_refresh_token_that_changed_elsewhere_is_found_in_the_list_which_all_exporters_read_once(
    scene: Scene, exporters: int
) -> None:
    accesses = scene.accesses(*(scene.platform() for _ in range(exporters)))
    assert scene.works(*accesses)
    change_elsewhere(scene.desk)
    scene.clock.now += 7000
    assert scene.works(*accesses)
    assert scene.sim.calls("get_authorizer_list") == 2
    assert scene.sim.calls("authorizer_token", outcome="61023") == len(accesses)


def test_refresh_tokens_that_are_lost_for_good_suspend_and_cost_one_list_a_minute(scene: Scene) -> None:
    platform = scene.platform()
    accesses = scene.accesses(platform)
    assert scene.works(*accesses)
    change_elsewhere(scene.desk)
    scene.desk.lists_refresh_tokens = False
    scene.clock.now += 7000
    for access in accesses:
        problem = scene.refused(access)
        assert (problem.errcode, problem.action) == (61023, Action.SUSPEND)
    assert scene.sim.calls("get_authorizer_list") == 2
    before = accesses[0].fingerprint()
    scene.desk.lists_refresh_tokens = True
    platform.accounts.read()
    assert accesses[0].fingerprint() != before  # which ends the pause


def refuse_with(code: int) -> Callable[..., None]:
    """Return an interface of the platform's that answers with an errcode."""

    def refuse(*_: object) -> None:
        raise RefusedError(code)

    return refuse


@pytest.mark.parametrize("code", [40125, 41004, 40013, 40001])
def test_a_refused_credential_of_the_platform_leads_to_the_platforms_console(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    monkeypatch.setattr(scene.desk, "component_token", refuse_with(code))
    problem = scene.refused(scene.access())
    assert "open.weixin.qq.com > 管理中心 > 第三方平台" in problem.advice.en
    assert "微信开放平台 > 管理中心 > 第三方平台" in problem.advice.zh
    assert "mp.weixin" not in problem.advice.en


@pytest.mark.parametrize(
    ("fault", "advice"),
    [(Fault.MINI_GAME, "mini game"), (Fault.FROZEN, "limited, frozen or migrated")],
)
def test_the_advice_for_an_account_without_figures_depends_on_where_it_stands(
    scene: Scene, fault: Fault, advice: str
) -> None:
    platform = scene.platform()
    scene.sim.faults.switch(FIRST, fault, on=CallKind.DATA)
    configured = scene.refused(scene.access(platform))
    assert "`exclude`" not in configured.advice.en
    app = App(FIRST, "app", (), ThirdParty("main", discovered=True))
    found = scene.refused(choose_access(app, scene.client, {"main": platform}))
    assert "platform's `exclude`" in found.advice.en
    assert "exclude" in found.advice.zh
    assert advice in found.advice.en
    assert (found.reason, found.errcode) == (configured.reason, configured.errcode)


def test_an_access_token_is_not_used_before_its_refresh_token_is_stored(scene: Scene) -> None:
    access = scene.access()
    scene.vault.broken = True
    problem = scene.refused(access)
    assert (problem.reason, problem.action) == (Reason.INTERNAL, Action.NEXT_ROUND)
    assert "No space left" in problem.detail
    assert scene.sim.calls("daily_visit_trend") == 0
    assert scene.refused(access).reason is Reason.INTERNAL
    assert scene.sim.calls("authorizer_token") == 1  # not again before the first is safe
    scene.vault.broken = False
    assert scene.works(access)
    assert scene.sim.calls("authorizer_token", outcome="61023") == 0


def test_a_configured_refresh_token_is_used_first_and_a_changed_one_again(scene: Scene) -> None:
    scene.desk.lists_refresh_tokens = False
    start = Secret(scene.desk.accounts[FIRST])
    assert scene.works(scene.access(start=start))
    assert scene.works(scene.access(start=start))  # the stored one: a restart
    assert scene.works(scene.access(start=Secret(scene.desk.authorise(FIRST))))
    assert scene.sim.calls("authorizer_token", outcome="61023") == 0


def test_a_refresh_token_that_does_not_rotate_is_stored_once(scene: Scene) -> None:
    scene.desk.rotates = False
    access = scene.access()
    scene.ask(access)
    scene.vault.broken = True
    scene.clock.now += 7000
    assert scene.works(access)
    assert scene.sim.calls("authorizer_token") == 2


@pytest.mark.parametrize(
    ("code", "happens", "reason", "advice"),
    [
        (61003, lambda desk: desk.withdraw(FIRST), Reason.PERMISSION, "withdrawn"),
        (61004, lambda desk: setattr(desk, "ip_allowed", False), Reason.IP_NOT_ALLOWED, "platform's list"),
        (61007, lambda desk: setattr(desk, "permitted", False), Reason.PERMISSION, "permission set 18"),
    ],
)
def test_refusals_of_a_platform_have_their_reason_and_advice(
    scene: Scene, code: int, happens: Callable[[PlatformDesk], None], reason: Reason, advice: str
) -> None:
    access = scene.access()
    scene.ask(access)
    happens(scene.desk)
    problem = scene.refused(access)
    assert (problem.errcode, problem.reason, problem.action) == (code, reason, Action.SUSPEND)
    assert advice in problem.advice.en


def test_an_account_that_is_not_in_the_list_says_what_to_do(scene: Scene) -> None:
    scene.desk.withdraw(FIRST)
    problem = scene.refused(scene.access())
    assert problem.reason is Reason.THIRD_PARTY_REFRESH_TOKEN
    assert "authorise the platform" in problem.advice.en


def test_nothing_that_is_shown_has_a_secret_in_it(scene: Scene) -> None:
    platform = scene.platform()
    secrets = [PLATFORM.secret, scene.ticket.read_text(), scene.desk.accounts[FIRST]]
    listing = platform.accounts.read()
    scene.desk.ip_allowed = False
    with pytest.raises(CallError) as caught:
        daily_trend(scene.access(platform), yesterday(scene.clock()))
    shown = everything_in(caught.value) + repr(platform) + repr(listing)
    secrets += [token for token in listing.refresh_tokens.values() if token]
    assert not [secret for secret in secrets if secret in shown]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"total_count": 1},
        *({"total_count": count, "list": []} for count in ("1", -1, True)),
        {"total_count": 1, "list": {}},
        {"total_count": 1, "list": [{}]},
        {"total_count": 1, "list": ["wx0"]},
    ],
)
def test_a_list_that_is_none_is_malformed(body: dict[str, object]) -> None:
    assert failure_of(lambda: read_page(body)).reason is Reason.MALFORMED


def test_a_list_that_finds_no_thread_is_read_at_the_next_call(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_thread(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    accounts = scene.platform().accounts
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", no_thread)
        with pytest.raises(RuntimeError):
            accounts.read()
    assert accounts.read().whole


# With other exporters that have the same vault


def test_a_newer_list_of_another_exporter_replaces_the_one_held(scene: Scene) -> None:
    first, second = scene.platform(), scene.platform()
    old = first.accounts.read()
    assert second.accounts.held() == old
    scene.clock.now += 60
    scene.desk.authorise(FIRST)
    new = second.accounts.read()
    assert first.accounts.held() == new != old
    scene.clock.now += 60
    key = f"listing/{PLATFORM.component_appid}"
    assert scene.vault.put(key, scene.vault.credential(key), '[5, {"wx": "older"}]')
    assert first.accounts.held() == new


def test_a_list_that_cannot_be_stored_is_used_all_the_same(scene: Scene) -> None:
    scene.vault.broken = True
    accounts = scene.platform().accounts
    assert accounts.read() == accounts.held()


def test_what_could_not_be_stored_does_not_replace_what_another_exporter_stored_later(scene: Scene) -> None:
    first, second = scene.access(), scene.access()
    scene.vault.broken = True
    assert scene.refused(first).reason is Reason.INTERNAL  # its refresh token came, and waits
    scene.vault.broken = False
    scene.clock.now += 60
    scene.desk.authorise(FIRST)
    assert scene.works(second, first)
    assert scene.sim.calls("authorizer_token", outcome="61023") == 0  # nobody used an old one


# A list of many pages


def test_who_waits_for_a_long_list_is_sent_away_after_seconds_and_asked_again(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    let_go = threading.Event()
    page = scene.desk.page

    def slow(asked: Mapping[str, object]) -> object:
        if asked["offset"]:
            let_go.wait(10)
        return {**page({"offset": 0, "count": 500}), "total_count": 24}  # type: ignore[dict-item]

    monkeypatch.setattr(scene.desk, "page", slow)
    monkeypatch.setattr(authorizers, "PAGE_SIZE", 12)
    monkeypatch.setattr(authorizers, "_WAIT_SECONDS", 0.2)
    platform = scene.platform()
    accesses = scene.accesses(platform)
    with ThreadPoolExecutor(len(accesses)) as threads:
        problems = list(threads.map(scene.refused, accesses))
    assert {(each.reason, each.action) for each in problems} == {(Reason.BUSY, Action.RETRY)}
    assert all("still being read" in each.detail for each in problems)
    let_go.set()
    assert platform.accounts.read() == platform.accounts.held()
    assert scene.works(*accesses)
    assert scene.sim.calls("get_authorizer_list") < len(accesses)  # one thread has read it for all


def test_a_list_that_fails_is_not_asked_for_by_every_account(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scene.desk, "page", refuse_with(48001))
    platform = scene.platform()
    for access in scene.accesses(platform):
        assert scene.refused(access).errcode == 48001
    assert scene.sim.calls("get_authorizer_list") == 1
    monkeypatch.undo()
    scene.clock.now += 61
    assert scene.works(scene.access(platform))


def test_what_a_list_that_is_not_whole_lacks_is_still_known(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts = scene.platform().accounts
    before = accounts.read().refresh_tokens
    page = scene.desk.page
    monkeypatch.setattr(scene.desk, "page", lambda asked: {**page(asked), "total_count": 60})  # type: ignore[dict-item]
    scene.desk.withdraw(FIRST)
    listing = accounts.read()
    assert not listing.whole
    assert listing.refresh_tokens == before
