"""Refresh tokens: none is lost and none grows old again, whatever happens at whichever step."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from exporter.simulator.fleet import fake_appid
from exporter.store.interface import StoreError
from exporter.wechat.access import Access
from exporter.wechat.platform.refresh_tokens import RefreshToken, stored
from tests.wechat.conftest import PLATFORM
from tests.wechat.platform.conftest import Scene, Vault

APPID = fake_appid(1)
KEY = f"refresh_token/{PLATFORM.component_appid}/{APPID}"
FIRST, SECOND, THIRD = (
    RefreshToken("first", 1.0, ""),
    RefreshToken("second", 2.0, "hash"),
    RefreshToken("third", 3.0, ""),
)


@pytest.mark.parametrize(("earlier", "later"), [(FIRST, SECOND), (SECOND, THIRD), (FIRST, THIRD)])
def test_of_two_at_the_same_time_the_later_call_leads_and_the_other_stays_at_hand(
    earlier: RefreshToken, later: RefreshToken
) -> None:
    expected = replace(later, spare=earlier.value)
    assert earlier.beside(later) == later.beside(earlier) == expected


def test_no_refresh_token_is_in_a_repr() -> None:
    shown = repr(RefreshToken("first", 1.0, "", "second"))
    assert not any(value in shown for value in ("first", "second"))


# At every step between WeChat's answer and the use of it


class Killed(BaseException):
    """The process ends here."""


class SteppedVault(Vault):
    """A storage to which something happens at one step of its use."""

    def __init__(self) -> None:
        super().__init__()
        self.steps_left = -1
        self.happens: Callable[[], object] = lambda: None

    def _step(self, key: str) -> None:
        if key != KEY or self.steps_left < 0:
            return
        self.steps_left -= 1
        if self.steps_left < 0:
            self.happens()

    def credential(self, key: str) -> str | None:
        self._step(key)
        found = super().credential(key)
        self._step(key)
        return found

    def put(self, key: str, expected: str | None, new: str) -> bool:
        self._step(key)
        done = super().put(key, expected, new)
        self._step(key)
        return done


@pytest.fixture(name="vault")
def _vault() -> Vault:
    return SteppedVault()


def ask(scene: Scene, access: Access) -> bool:
    """Ask with a new access token, as the last one has expired; return whether a row comes."""
    scene.clock.now += 7000
    scene.ticket.write_text(scene.sim.new_ticket("main"))
    return scene.works(access)


def asked_while(happens: Callable[[], object], step: int, scene: Scene, access: Access) -> None:
    """Ask while something happens at this step of the storage's use."""
    assert isinstance(scene.vault, SteppedVault)
    scene.vault.happens, scene.vault.steps_left = happens, step
    ask(scene, access)
    scene.vault.steps_left = -1


def current_is_stored(scene: Scene) -> bool:
    """Return whether what is stored has the refresh token that WeChat takes now, be it as the spare one."""
    kept = json.loads(scene.vault.credential(KEY) or "[]")
    return scene.desk.accounts[APPID] in [kept[0], *kept[3:]]


def test_what_the_first_versions_stored_is_read(scene: Scene) -> None:
    scene.vault.put(KEY, None, '["first", 1.0, ""]')
    assert stored(scene.platform(), APPID).load() == FIRST


@pytest.mark.parametrize("rotates", [True, False])
@pytest.mark.parametrize("listed_before", [True, False])
@pytest.mark.parametrize("met_in", ["the list", "a fetch"])
def test_only_the_merchant_changes_the_fingerprint_not_the_exporters_own_calls(
    scene: Scene, *, met_in: str, listed_before: bool, rotates: bool
) -> None:
    scene.desk.rotates = rotates
    platform = scene.platform()
    access, other = scene.access(platform), scene.access()
    if listed_before:
        assert ask(scene, other)
        platform.accounts.read()
    assert ask(scene, access)
    before = access.fingerprint()
    for exporter in (access, other, access):
        platform.accounts.read()
        assert access.fingerprint() == before
        assert ask(scene, exporter)
        assert access.fingerprint() == before
    scene.desk.authorise(APPID)
    if met_in == "the list":
        platform.accounts.read()
    else:
        assert ask(scene, access)
    assert access.fingerprint() != before  # which ends a pause


def test_a_refusal_of_the_data_has_the_fingerprint_of_the_authorisation_that_a_fetch_met(
    scene: Scene,
) -> None:
    access = scene.access()
    assert scene.works(access)
    scene.desk.ip_allowed = False
    assert scene.refused(access).credential == access.fingerprint()


STEPS = range(10)
EVENTS: dict[str, Callable[[Scene, Access], object]] = {
    "the storage comes back empty": lambda scene, _: scene.vault.wipe(),
    "paused while another exporter gets a token": ask,
    "the storage fails": lambda *_: raise_error(StoreError("cannot write storage: No space left on device")),
}


def raise_error(error: BaseException) -> None:
    raise error


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("event", EVENTS)
def test_a_refresh_token_that_the_list_does_not_have_is_not_lost(scene: Scene, event: str, step: int) -> None:
    ours, other = scene.access(), scene.access()
    assert ask(scene, ours)
    scene.desk.lists_refresh_tokens = False  # what is lost now is lost for ever
    asked_while(lambda: EVENTS[event](scene, other), step, scene, ours)
    assert all(ask(scene, exporter) for exporter in (ours, other, scene.access()))
    assert current_is_stored(scene)


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("event", EVENTS)
def test_the_first_refresh_token_of_an_account_is_not_lost(scene: Scene, event: str, step: int) -> None:
    ours, other = scene.access(), scene.access()
    asked_while(lambda: EVENTS[event](scene, other), step, scene, ours)
    scene.desk.lists_refresh_tokens = scene.sim.calls("authorizer_token") == 0
    assert all(ask(scene, exporter) for exporter in (ours, other, scene.access()))
    assert current_is_stored(scene)


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_at_any_step_leaves_an_account_that_works(scene: Scene, step: int) -> None:
    assert ask(scene, scene.access())
    with suppress(Killed):
        asked_while(lambda: raise_error(Killed()), step, scene, scene.access())
    assert ask(scene, scene.access())


def test_a_refresh_token_beside_an_unusable_access_token_is_kept(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    access = scene.access()
    assert ask(scene, access)
    scene.desk.lists_refresh_tokens = False
    give = scene.desk.authorizer_token

    def without_lifetime(*asked: Any) -> object:
        return {**give(*asked), "expires_in": None}  # type: ignore[dict-item]

    scene.clock.now += 300  # the token held has ended
    with monkeypatch.context() as patch:
        patch.setattr(scene.desk, "authorizer_token", without_lifetime)
        assert not ask(scene, access)
    assert current_is_stored(scene)
    assert ask(scene, access)


def test_a_refresh_token_is_stored_again_after_the_storage_came_back_empty(scene: Scene) -> None:
    scene.desk.rotates = False
    access = scene.access()
    assert ask(scene, access)
    scene.vault.wipe()
    assert ask(scene, access)
    assert current_is_stored(scene)


def test_an_older_storage_that_comes_back_costs_no_account(scene: Scene) -> None:
    access = scene.access()
    assert ask(scene, access)
    old = scene.vault.credential(KEY)
    assert ask(scene, access)
    scene.desk.lists_refresh_tokens = False
    assert scene.vault.put(KEY, scene.vault.credential(KEY), old or "")
    assert ask(scene, access)
    assert current_is_stored(scene)
