"""The simulated third-party platform: WeChat's rules for tickets, tokens and the list."""

import sys
from collections.abc import Iterator

import pytest
import requests

from exporter import simulator as simulator_package
from exporter.simulator.fleet import DEMO_PLATFORM, fake_appid, fleet
from exporter.simulator.server import Conditions, Simulator

NOW = 1_795_500_000.0
FIRST = fake_appid(1)


@pytest.fixture
def sim() -> Iterator[Simulator]:
    conditions = Conditions(always_published=True, time_source=lambda: NOW)
    with Simulator(fleet(3, seed=1), conditions, platforms=[DEMO_PLATFORM]) as simulator:
        yield simulator


def component(sim: Simulator, name: str, token: str = "", **asked: object) -> dict[str, object]:
    body = {"component_appid": DEMO_PLATFORM.component_appid} | asked
    url = f"{sim.base_url}/cgi-bin/component/{name}"
    answer: dict[str, object] = requests.post(
        url, params={"component_access_token": token}, json=body, timeout=5
    ).json()
    return answer


def token_of(sim: Simulator) -> str:
    answer = component(
        sim,
        "api_component_token",
        component_appsecret=DEMO_PLATFORM.secret,
        component_verify_ticket=sim.new_ticket("main"),
    )
    return str(answer["component_access_token"])


@pytest.mark.parametrize(
    ("asked", "errcode"),
    [
        ({"component_appid": ""}, 41018),
        ({"component_appid": "wx0"}, 61011),
        ({"component_appsecret": "wrong"}, 40125),
        ({"component_verify_ticket": "wrong"}, 61006),
    ],
)
def test_a_component_token_needs_appid_secret_and_ticket(
    sim: Simulator, asked: dict[str, str], errcode: int
) -> None:
    good = {"component_appsecret": DEMO_PLATFORM.secret, "component_verify_ticket": sim.new_ticket("main")}
    assert component(sim, "api_component_token", "", **(good | asked))["errcode"] == errcode


def test_a_refresh_token_is_good_once(sim: Simulator) -> None:
    token, first = token_of(sim), sim.platforms["main"].accounts[FIRST]
    asked = {"authorizer_appid": FIRST, "authorizer_refresh_token": first}
    answer = component(sim, "api_authorizer_token", token, **asked)
    assert answer["expires_in"] == 7200
    assert answer["authorizer_refresh_token"] == sim.platforms["main"].accounts[FIRST] != first
    assert component(sim, "api_authorizer_token", token, **asked)["errcode"] == 61023
    sim.platforms["main"].withdraw(FIRST)
    assert component(sim, "api_authorizer_token", token, **asked)["errcode"] == 61003


def test_the_list_has_pages_and_lacks_tokens_that_were_never_exchanged(sim: Simulator) -> None:
    token = token_of(sim)
    sim.platforms["main"].authorise(FIRST, exchanged=False)
    answer = component(sim, "api_get_authorizer_list", token, offset=0, count=2)
    assert answer["total_count"] == 3
    assert answer["list"][0] == {"authorizer_appid": FIRST, "auth_time": 1_700_000_000}  # type: ignore[index]
    rest = component(sim, "api_get_authorizer_list", token, offset=2, count=500)
    assert len(rest["list"]) == 1  # type: ignore[arg-type]
    assert component(sim, "api_get_authorizer_list", token, offset=0, count=501)["errcode"] == 47001


def test_the_kind_of_token_matters(sim: Simulator) -> None:
    account = sim.tokens.stable(FIRST, NOW)[0]
    assert component(sim, "api_get_authorizer_list", account, offset=0, count=1)["errcode"] == 61014
    assert component(sim, "api_get_authorizer_list", "", offset=0, count=1)["errcode"] == 41001
    url = f"{sim.base_url}/datacube/getweanalysisappiddailyvisittrend"
    refused = requests.post(url, params={"access_token": token_of(sim)}, json={}, timeout=5).json()
    assert refused["errcode"] == 61015


def test_the_controls_show_a_platform_and_hand_out_its_ticket(sim: Simulator) -> None:
    url = f"{sim.base_url}/_sim/platforms"
    (shown,) = requests.get(url, timeout=5).json()
    assert (shown["name"], len(shown["accounts"])) == ("main", 3)
    ticket = requests.get(f"{url}/main/ticket", timeout=5).json()["component_verify_ticket"]
    assert ticket.startswith("ticket@@@")
    pushed = requests.post(f"{url}/main/push", json={"url": "http://127.0.0.1:1/"}, timeout=5)
    assert pushed.json() == {"pushing": "http://127.0.0.1:1/"}


def test_a_push_without_the_extra_says_what_to_install(
    sim: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in [name for name in sys.modules if name.startswith("cryptography")]:
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delitem(sys.modules, "exporter.simulator.pushes", raising=False)
    monkeypatch.delattr(simulator_package, "pushes", raising=False)
    url = f"{sim.base_url}/_sim/platforms/main/push"
    answer = requests.post(url, json={"url": "http://127.0.0.1:1/"}, timeout=5)
    assert answer.status_code == 501
    assert answer.json()["error"].startswith("a push needs cryptography")
    assert answer.json()["error"].endswith(": pip install '.[third-party]' in the checkout")


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("none/push", {"url": "http://127.0.0.1:1/"}, 404),
        ("main/push", {}, 400),
        ("main/dance", {}, 404),
    ],
)
def test_a_control_that_cannot_be_done_says_what_can(
    sim: Simulator, path: str, body: dict[str, str], status: int
) -> None:
    answer = requests.post(f"{sim.base_url}/_sim/platforms/{path}", json=body, timeout=5)
    assert answer.status_code == status
    assert answer.json()["error"]
