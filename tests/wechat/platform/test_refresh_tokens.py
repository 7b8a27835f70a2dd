"""Refresh tokens: none is lost and none grows old again, whatever happens at whichever step."""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from exporter.beijing import yesterday
from exporter.config.settings import App, Platform, Secret, ThirdParty, TicketFile
from exporter.datasets.dataset import Row
from exporter.simulator.accounts import SimApp
from exporter.simulator.fleet import fake_appid, fake_secret
from exporter.simulator.platforms import PlatformDesk, SimPlatform
from exporter.simulator.server import Conditions, Simulator
from exporter.store.interface import StoreError
from exporter.store.memory import MemoryStore
from exporter.wechat.access import Access, choose_access
from exporter.wechat.client import Client
from exporter.wechat.failures.failure import CallError, Failure
from exporter.wechat.platform.open_platform import OpenPlatform
from exporter.wechat.platform.refresh_tokens import RefreshToken, stored
from tests.wechat.lines import Clock, daily_trend, opened

APPID = fake_appid(1)
PLATFORM = SimPlatform("main", "wxfa4ec00000000001", "not-a-real-component-secret")
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


class Vault(MemoryStore):
    """A storage to which something happens at one step of its use."""

    def __init__(self) -> None:
        super().__init__()
        self.steps_left = -1
        self.happens: Callable[[], None] = lambda: None

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

    def wipe(self) -> None:
        self._credentials.clear()


@dataclass
class Scene:
    sim: Simulator
    client: Client
    clock: Clock
    ticket: Path
    vault: Vault = field(default_factory=Vault)

    @property
    def desk(self) -> PlatformDesk:
        return self.sim.platforms["main"]

    def platform(self) -> OpenPlatform:
        settings = Platform(
            "main", PLATFORM.component_appid, Secret(PLATFORM.secret), TicketFile(self.ticket)
        )
        return OpenPlatform(settings, self.client, self.vault)

    def exporter(self) -> Access:
        """One that has just started, with the same storage."""
        app = App(APPID, "app", (), ThirdParty("main"))
        return choose_access(app, self.client, {"main": self.platform()})

    def ask(self, access: Access) -> Row | Failure:
        """Ask with a new access token, as the one before has ended."""
        self.clock.now += 7000
        self.ticket.write_text(self.sim.new_ticket("main"))
        try:
            return daily_trend(access, yesterday(self.clock()))
        except CallError as error:
            return error.failure

    def stored(self) -> list[str]:
        """The refresh tokens that are stored; the first version stored no spare one."""
        kept = json.loads(self.vault.credential(KEY) or "[]")
        return [kept[0], *kept[3:]] if kept else []


@pytest.fixture
def scene(tmp_path: Path, clock: Clock) -> Iterator[Scene]:
    conditions = Conditions(time_source=clock, always_published=True)
    app = SimApp(APPID, fake_secret(1), "app")
    with (
        Simulator([app], conditions, platforms=[PLATFORM]) as sim,
        opened(sim.base_url, clock=clock) as client,
    ):
        yield Scene(sim, client, clock, tmp_path / "ticket")


def test_what_the_first_versions_stored_is_read(scene: Scene) -> None:
    scene.vault.put(KEY, None, '["first", 1.0, ""]')
    assert stored(scene.platform(), APPID).load() == FIRST


STEPS = range(10)
EVENTS: dict[str, Callable[[Scene, Access], None]] = {
    "the storage comes back empty": lambda scene, _: scene.vault.wipe(),
    "paused while another exporter gets a token": lambda scene, other: _ignore(scene.ask(other)),
    "the storage fails": lambda *_: _fail(),
}


def _must_be_a_row(outcome: Row | Failure) -> None:
    assert isinstance(outcome, Row), outcome


def _ignore(_: object) -> None:
    """It may fail: the newest refresh token may be on its way to the storage."""


def _fail() -> None:
    raise StoreError("cannot write storage: No space left on device")


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("event", EVENTS)
def test_a_refresh_token_that_the_list_does_not_have_is_not_lost(scene: Scene, event: str, step: int) -> None:
    ours, other = scene.exporter(), scene.exporter()
    _must_be_a_row(scene.ask(ours))
    scene.desk.lists_refresh_tokens = False  # what is lost now is lost for ever
    scene.vault.happens = lambda: EVENTS[event](scene, other)
    scene.vault.steps_left = step
    scene.ask(ours)
    scene.vault.steps_left = -1
    for exporter in (ours, other, scene.exporter()):
        _must_be_a_row(scene.ask(exporter))
    assert scene.desk.accounts[APPID] in scene.stored()


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("event", EVENTS)
def test_the_first_refresh_token_of_an_account_is_not_lost(scene: Scene, event: str, step: int) -> None:
    ours, other = scene.exporter(), scene.exporter()
    scene.vault.happens = lambda: EVENTS[event](scene, other)
    scene.vault.steps_left = step
    scene.ask(ours)
    scene.vault.steps_left = -1
    scene.desk.lists_refresh_tokens = scene.sim.calls("authorizer_token") == 0
    for exporter in (ours, other, scene.exporter()):
        _must_be_a_row(scene.ask(exporter))
    assert scene.desk.accounts[APPID] in scene.stored()


@pytest.mark.parametrize("step", STEPS)
def test_a_kill_at_any_step_leaves_an_account_that_works(scene: Scene, step: int) -> None:
    def kill() -> None:
        raise Killed

    _must_be_a_row(scene.ask(scene.exporter()))
    scene.vault.happens, scene.vault.steps_left = kill, step
    killed = scene.exporter()
    with suppress(Killed):
        scene.ask(killed)
    scene.vault.steps_left = -1
    _must_be_a_row(scene.ask(scene.exporter()))


def test_a_refresh_token_beside_an_unusable_access_token_is_kept(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    access = scene.exporter()
    _must_be_a_row(scene.ask(access))
    scene.desk.lists_refresh_tokens = False
    give = scene.desk.authorizer_token

    def without_lifetime(*asked: Any) -> object:
        return {**give(*asked), "expires_in": None}  # type: ignore[dict-item]

    monkeypatch.setattr(scene.desk, "authorizer_token", without_lifetime)
    scene.clock.now += 300  # the token held has ended
    assert isinstance(scene.ask(access), Failure)
    assert scene.stored() == [scene.desk.accounts[APPID]]
    monkeypatch.undo()
    _must_be_a_row(scene.ask(access))


def test_a_refresh_token_is_stored_again_after_the_storage_came_back_empty(scene: Scene) -> None:
    scene.desk.rotates = False
    access = scene.exporter()
    _must_be_a_row(scene.ask(access))
    scene.vault.wipe()
    _must_be_a_row(scene.ask(access))
    assert scene.stored() == [scene.desk.accounts[APPID]]


def test_an_older_storage_that_comes_back_costs_no_account(scene: Scene) -> None:
    access = scene.exporter()
    _must_be_a_row(scene.ask(access))
    old = dict(scene.vault._credentials)
    _must_be_a_row(scene.ask(access))
    scene.desk.lists_refresh_tokens = False
    scene.vault._credentials = old
    _must_be_a_row(scene.ask(access))
    assert scene.desk.accounts[APPID] in scene.stored()
