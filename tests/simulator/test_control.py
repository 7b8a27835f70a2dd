import json
from typing import TYPE_CHECKING

import pytest
import yaml

from exporter.simulator.faults import Fault

if TYPE_CHECKING:
    from tests.simulator.conftest import Client


def test_calls_are_listed_and_forgotten(client: "Client") -> None:
    client.trend()
    client.trend("20261124")
    client.stable(force_refresh=True)
    message = client.get("/_sim/calls").json()
    assert message == {
        "calls": {"stable_token": {client.appid: 3}, "daily_visit_trend": {client.appid: 2}},
        "outcomes": {"stable_token": {"ok": 3}, "daily_visit_trend": {"ok": 1, "61501": 1}},
        "force_refresh": {client.appid: 1},
        "in_flight": 0,
    }
    cleared = client.session.delete(client.sim.base_url + "/_sim/calls", timeout=5).json()
    assert cleared["calls"] == {}
    assert client.sim.calls() == 0


def test_apps_are_listed_without_their_secrets(client: "Client") -> None:
    client.sim.faults.switch(client.appid, Fault.HANG)
    answer = client.get("/_sim/apps")
    assert [app["appid"] for app in answer.json()] == [app.appid for app in client.sim.apps]
    assert answer.json()[0]["faults"] == {"data": "hang"}
    assert answer.json()[0]["published_at"] == "09:30"
    assert "not-a-real-secret" not in answer.text


def test_faults_are_listed_with_their_meaning(client: "Client") -> None:
    message = client.get("/_sim/faults").json()
    assert list(message) == [fault.value for fault in Fault]
    assert all(message.values())


def test_a_fault_is_switched_on_and_off(client: "Client") -> None:
    path = f"/_sim/apps/{client.appid}/fault"
    message = client.post(path, json={"fault": "busy", "on": "token", "times": 1, "errcode": 45011}).json()
    assert message["faults"] == {"token": "busy"}
    assert client.stable().json()["errcode"] == 45011
    assert "access_token" in client.stable().json()
    client.post(path, json={"fault": "hang"})
    client.post(path, json={"fault": "none"})
    assert "list" in client.trend().json()


def test_the_clock_is_read_set_and_moved(client: "Client") -> None:
    assert client.post("/_sim/clock", json={"now": 1790000000}).json() == {"now": 1790000000}
    assert client.post("/_sim/clock", json={"advance": 3600}).json() == {"now": 1790003600}
    assert client.get("/_sim/clock").json() == {"now": 1790003600}


def test_the_configuration_names_all_apps_of_the_simulator(client: "Client") -> None:
    message = yaml.safe_load(client.get("/_sim/config").content)
    assert message["wechat"]["base_url"] == client.sim.base_url
    assert [app["appid"] for app in message["apps"]] == [app.appid for app in client.sim.apps]


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        ("/_sim/nothing", {}, 404, "POST /_sim/nothing is unknown; there are: GET /_sim/calls"),
        ("/_sim/apps/wx1/fault", {"fault": "hang"}, 404, "no app wx1"),
        ("/_sim/apps/APPID/nothing", {}, 404, "is unknown"),
        ("/_sim/apps/APPID/fault", {"fault": "nonsense"}, 400, "'nonsense' is not a valid Fault"),
        ("/_sim/apps/APPID/fault", {}, 400, "'None' is not a valid Fault"),
        ("/_sim/apps/APPID/fault", {"fault": "nan", "on": "token"}, 400, "only on: data"),
        ("/_sim/apps/APPID/fault", {"fault": "nan", "on": "x"}, 400, "'x' is not a valid CallKind"),
        ("/_sim/apps/APPID/fault", {"fault": "busy", "times": "2"}, 400, "times is '2', not a number"),
        ("/_sim/apps/APPID/fault", {"fault": "busy", "errcode": True}, 400, "errcode is True, not a"),
        ("/_sim/apps/APPID/fault", {"fault": "busy", "until": 1}, 400, "unknown: until; allowed: fault"),
        ("/_sim/apps/APPID/fault", [], 400, "the body is no JSON object"),
        ("/_sim/clock", {}, 400, 'say {"now": UNIX_TIME} or {"advance": SECONDS}'),
        ("/_sim/clock", {"now": 1, "advance": 1}, 400, "say"),
    ],
)
def test_a_wrong_control_call_is_answered_with_what_is_allowed(
    client: "Client", path: str, body: object, status: int, message: str
) -> None:
    answer = client.post(path.replace("APPID", client.appid), data=json.dumps(body))
    assert answer.status_code == status
    assert message in answer.json()["error"]


def test_a_control_body_must_be_json(client: "Client") -> None:
    answer = client.post("/_sim/clock", data=b"{")
    assert answer.status_code == 400
    assert "the body is no JSON" in answer.json()["error"]


def test_a_fault_is_switched_by_post_only(client: "Client") -> None:
    assert client.get(f"/_sim/apps/{client.appid}/fault").status_code == 404
