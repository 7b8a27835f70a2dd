"""The behaviour of every access, whatever its credential."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import get_args

import pytest

from exporter.config.apps import App
from exporter.config.platforms import Platform, TicketFile
from exporter.config.secret import Secret
from exporter.config.token_types import (
    ClassicToken,
    CloudFunction,
    CloudHosting,
    FileToken,
    HttpToken,
    StableToken,
    ThirdParty,
    TokenSettings,
)
from exporter.datasets.catalogue import CATALOGUE
from exporter.datasets.daily_trend import DAILY_TREND
from exporter.datasets.dataset import Dataset, Row
from exporter.simulator.faults import CallKind, Fault
from exporter.simulator.fleet import SimApp, fake_appid, fake_secret
from exporter.simulator.rules import CLOUD_ENV, CLOUD_FUNCTION
from exporter.simulator.server import Conditions, Simulator
from exporter.simulator.tokens import TokenKind
from exporter.store.memory import MemoryStore
from exporter.wechat import endpoints
from exporter.wechat.access import Access, choose_access
from exporter.wechat.client import Client
from exporter.wechat.failures.failure import Action, CallError, Failure, Reason
from exporter.wechat.platform.open_platform import OpenPlatform
from tests.wechat.conftest import PLATFORM
from tests.wechat.lines import Clock, Observed, daily_trend, everything_in, failure_of, opened, outcome
from tests.wechat.peers import Peer, json_body, says, whole

DAY = date(2026, 11, 23)
APPS = tuple(SimApp(fake_appid(n), fake_secret(n), f"app-{n}") for n in (1, 2))


@dataclass
class Scene:
    """A simulated WeChat, a client of it, and what the operator's other programs do."""

    sim: Simulator
    client: Client
    clock: Clock
    observed: Observed
    folder: Path
    services: ExitStack

    def access(self, kind: str, number: int = 1) -> Access:
        app = APPS[number - 1]
        return choose_access(
            App(app.appid, app.name, (), SETTINGS[kind](self, app)), self.client, self.platforms
        )

    def stable_token(self, app: SimApp) -> str:
        """Return a token that another program fetched."""
        return self.sim.tokens.stable(app.appid, self.clock())[0]

    def tokens(self) -> int:
        """Return how many calls for tokens reached WeChat."""
        return sum(self.sim.calls(each) for each in TOKEN_ENDPOINTS)

    def __post_init__(self) -> None:
        ticket = self.folder / "ticket"
        ticket.write_text(self.sim.new_ticket("main"))
        settings = Platform("main", PLATFORM.component_appid, Secret(PLATFORM.secret), TicketFile(ticket))
        self.platforms = {"main": OpenPlatform(settings, self.client, MemoryStore())}


TOKEN_ENDPOINTS = ("stable_token", "token", "component_token", "authorizer_token")


def file_token(scene: Scene, app: SimApp) -> TokenSettings:
    path = scene.folder / f"{app.appid}.token"
    path.write_text(scene.stable_token(app))
    return FileToken(path)


def http_token(scene: Scene, app: SimApp) -> TokenSettings:
    token = {"access_token": scene.stable_token(app), "expires_in": 7200}
    return HttpToken(scene.services.enter_context(Peer(says(whole(json_body(token))))).url)


def cloudbase_token(scene: Scene, app: SimApp) -> TokenSettings:
    path = scene.folder / f"{app.appid}.cloudbase"
    path.write_text(scene.sim.tokens.issue(app.appid, TokenKind.CLOUDBASE, scene.sim.clock.now())[0])
    return CloudHosting(None, path)


SETTINGS: dict[str, Callable[[Scene, SimApp], TokenSettings]] = {
    "stable_token": lambda _, app: StableToken(Secret(app.secret)),
    "access_token": lambda _, app: ClassicToken(Secret(app.secret)),
    "file": file_token,
    "http": http_token,
    "third_party": lambda _, __: ThirdParty("main"),
    "cloud_hosting": lambda _, app: CloudHosting(app.appid),
    "cloudbase_access_token": cloudbase_token,
    "cloud_function": lambda _, app: CloudFunction(CLOUD_ENV, CLOUD_FUNCTION, Secret(app.secret)),
}
FETCHING = {  # those that fetch tokens of WeChat: the kind of token, fetches for one app
    "stable_token": (TokenKind.STABLE, 1),
    "access_token": (TokenKind.CLASSIC, 1),
    "third_party": (TokenKind.AUTHORIZER, 2),
    "cloud_function": (TokenKind.STABLE, 1),
}
HOSTING = ["cloud_hosting", "cloudbase_access_token"]
KINDS = {"cloudbase_access_token": "cloud_hosting"}
CALL = {"cloud_function": endpoints.CLOUD_FUNCTION}

every_kind = pytest.mark.parametrize("kind", SETTINGS)
every_fetching_kind = pytest.mark.parametrize("kind", FETCHING)


@pytest.fixture
def scene(tmp_path: Path, clock: Clock) -> Iterator[Scene]:
    observed = Observed()
    conditions = Conditions(time_source=clock, hosting_appid=APPS[0].appid)
    with (
        Simulator(APPS, conditions, platforms=[PLATFORM]) as sim,
        opened(sim.base_url, observed=observed, clock=clock) as client,
        ExitStack() as services,
    ):
        yield Scene(sim, client, clock, observed, tmp_path, services)


def asked(access: Access) -> Row | Failure:
    return outcome(lambda: daily_trend(access, DAY))


def test_every_type_of_token_is_in_this_table(scene: Scene) -> None:
    assert {type(make(scene, APPS[0])) for make in SETTINGS.values()} == set(get_args(TokenSettings))


@every_kind
@pytest.mark.parametrize("dataset", CATALOGUE, ids=lambda each: each.name)
def test_every_dataset_is_the_same_by_every_access(kind: str, dataset: Dataset, scene: Scene) -> None:
    period = dataset.calendar.newest(date(2026, 11, 20))
    access = scene.access(kind)
    row = access.fetch(dataset, period)
    assert row == scene.access("stable_token").fetch(dataset, period)
    assert (row.period, access.kind) == (period, KINDS.get(kind, kind))


@pytest.mark.parametrize("kind", sorted(SETTINGS.keys() - set(HOSTING)))
def test_every_kind_but_cloud_hosting_has_the_quota_of_an_interface(kind: str, scene: Scene) -> None:
    limit, used, left = scene.access(kind).quota(DAILY_TREND.path)
    assert limit == 100_000
    assert (used or 0) + (left or 0) == limit


@pytest.mark.parametrize("kind", HOSTING)
def test_cloud_hosting_says_that_there_is_no_cloud_call_for_quotas_without_asking(
    kind: str, scene: Scene
) -> None:
    problem = failure_of(lambda: scene.access(kind).quota(DAILY_TREND.path))
    assert "no cloud call" in problem.detail
    assert problem.reason is Reason.PERMISSION
    assert "leave this dataset out" in problem.advice.en
    assert scene.observed.calls == []


@every_kind
def test_each_app_gets_its_own_row(kind: str, scene: Scene) -> None:
    first, second = (daily_trend(scene.access(kind, number), DAY) for number in (1, 2))
    assert first != second
    assert second == daily_trend(scene.access("stable_token", 2), DAY)


@every_kind
def test_the_data_call_is_one_call_and_counted_as_such(kind: str, scene: Scene) -> None:
    access = scene.access(kind)
    daily_trend(access, DAY)
    scene.observed.calls.clear()
    daily_trend(access, DAY)
    made = [call for call in scene.observed.calls if call[0] != endpoints.HTTP_TOKEN]
    assert made == [(CALL.get(kind, endpoints.DAILY_VISIT_TREND), None)]


@every_fetching_kind
def test_one_token_serves_many_calls_and_threads(kind: str, scene: Scene) -> None:
    access = scene.access(kind)
    with ThreadPoolExecutor(8) as threads:
        assert all(isinstance(each, Row) for each in threads.map(lambda _: asked(access), range(24)))
    assert scene.tokens() == FETCHING[kind][1]


@every_fetching_kind
@pytest.mark.parametrize("calls", [1, 8])
def test_a_refused_token_is_renewed_once_for_all_threads_and_the_calls_made_once_more(
    kind: str, calls: int, scene: Scene
) -> None:
    access = scene.access(kind)
    daily_trend(access, DAY)
    before = scene.tokens()
    scene.clock.now += 1
    scene.sim.tokens.revoke(APPS[0].appid, scene.sim.clock.now(), FETCHING[kind][0])
    with ThreadPoolExecutor(8) as threads:
        assert all(isinstance(each, Row) for each in threads.map(lambda _: asked(access), range(calls)))
    assert scene.tokens() == before + 1


@every_fetching_kind
def test_a_token_that_is_refused_for_ever_costs_one_renewal_per_call(kind: str, scene: Scene) -> None:
    access = scene.access(kind)
    scene.sim.faults.switch(APPS[0].appid, Fault.TOKEN_REJECTED, on=CallKind.DATA)
    for call in range(1, 4):
        problem = asked(access)
        assert isinstance(problem, Failure)
        assert problem.reason is Reason.TOKEN_REJECTED
        assert scene.tokens() <= FETCHING[kind][1] + 2 * call - 1


@every_fetching_kind
def test_a_token_is_renewed_before_its_end(kind: str, scene: Scene) -> None:
    access = scene.access(kind)
    daily_trend(access, DAY)
    assert access.token_expires_at == scene.clock() + 7200
    before = scene.tokens()
    scene.clock.now += 6899
    daily_trend(access, DAY)
    assert scene.tokens() == before
    scene.clock.now += 2
    daily_trend(access, DAY)
    assert scene.tokens() > before
    refusals = [scene.sim.calls("daily_visit_trend", outcome=code) for code in ("40001", "42001")]
    assert refusals == [0, 0]


REFUSALS = {
    Fault.IP: Reason.IP_NOT_ALLOWED,
    Fault.PERMISSION: Reason.PERMISSION,
    Fault.MINI_GAME: Reason.ACCOUNT,
    Fault.QUOTA_DAILY: Reason.QUOTA_DAILY,
    Fault.NOT_READY: Reason.NOT_READY,
    Fault.BUSY: Reason.BUSY,
    Fault.MALFORMED_JSON: Reason.MALFORMED,
    Fault.NULL_FIGURE: Reason.MALFORMED,
    Fault.WRONG_DATE: Reason.MALFORMED,
    Fault.EMPTY: Reason.EMPTY,
}


@every_kind
@pytest.mark.parametrize("fault", REFUSALS)
def test_a_failure_has_its_reason_and_touches_no_other_app(kind: str, fault: Fault, scene: Scene) -> None:
    accesses = scene.access(kind), scene.access(kind, 2)
    scene.sim.faults.switch(APPS[0].appid, fault, on=CallKind.DATA)
    problem = asked(accesses[0])
    assert isinstance(problem, Failure)
    assert problem.reason is REFUSALS[fault]
    assert isinstance(asked(accesses[1]), Row)
    scene.sim.faults.switch(APPS[0].appid, Fault.NONE)
    assert isinstance(asked(accesses[0]), Row)


WRONG = Secret("sesame-that-opens-nothing")


@pytest.mark.parametrize(
    "settings",
    [StableToken(WRONG), ClassicToken(WRONG), CloudFunction(CLOUD_ENV, CLOUD_FUNCTION, WRONG)],
    ids=lambda each: type(each).__name__,
)
def test_a_wrong_secret_suspends_and_is_not_shown(settings: TokenSettings, scene: Scene) -> None:
    access = choose_access(App(APPS[0].appid, "app", (), settings), scene.client, scene.platforms)
    with pytest.raises(CallError) as caught:
        daily_trend(access, DAY)
    problem = caught.value.failure
    assert (problem.reason, problem.action) == (Reason.INVALID_SECRET, Action.SUSPEND)
    assert "sesame" not in everything_in(caught.value)


@every_kind
def test_an_accesss_fingerprint_is_a_hash_that_stays(kind: str, scene: Scene) -> None:
    access = scene.access(kind)
    assert access.fingerprint() == access.fingerprint()
    assert APPS[0].secret.encode() not in access.fingerprint()
