from collections.abc import Callable
from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

import pytest
import requests

from exporter.beijing import BEIJING
from exporter.simulator.faults import Fault
from exporter.simulator.fleet import SimApp
from exporter.simulator.rules import STABLE_TOKEN_PATH, TOKEN_PATH, TREND_PATH

if TYPE_CHECKING:
    from tests.simulator.conftest import Client

JSON_TYPE = {"Content-Type": "application/json"}
GOOD_DATES = {"begin_date": "20261123", "end_date": "20261123"}


def errcode(response: requests.Response) -> int:
    assert response.status_code == 200, "WeChat's errors are HTTP 200"
    answer = response.json()
    assert set(answer) == {"errcode", "errmsg"}
    return int(answer["errcode"])


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"grant_type": None}, 40002),
        ({"grant_type": "password"}, 40002),
        ({"appid": None}, 41002),
        ({"appid": ""}, 41002),
        ({"secret": None}, 41004),
        ({"appid": "wx0000000000000000"}, 40013),
        ({"appid": 7}, 40013),
        ({"secret": "another"}, 40125),
        ({"secret": 7}, 40125),
        ({"force_refresh": "true"}, 47001),
    ],
)
def test_a_stable_token_is_refused(client: "Client", changes: dict[str, object], expected: int) -> None:
    assert errcode(client.stable(**changes)) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"grant_type": ""}, 40002),
        ({"appid": ""}, 41002),
        ({"secret": ""}, 41004),
        ({"appid": "wx0000000000000000"}, 40013),
        ({"secret": "another"}, 40125),
    ],
)
def test_a_classic_token_is_refused(client: "Client", changes: dict[str, str], expected: int) -> None:
    assert errcode(client.classic(**changes)) == expected


@pytest.mark.parametrize("path", [STABLE_TOKEN_PATH, TREND_PATH])
@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ({"data": b""}, 44002),
        ({"data": b"{", "headers": JSON_TYPE}, 47001),
        ({"data": b"\xff\xfe{}", "headers": JSON_TYPE}, 47001),
        ({"data": b"[]", "headers": JSON_TYPE}, 47001),
    ],
)
def test_a_body_that_is_no_json_object_is_refused(
    client: "Client", path: str, call: dict[str, Any], expected: int
) -> None:
    assert errcode(client.post(path, params={"access_token": client.token()}, **call)) == expected


@pytest.mark.parametrize(("path", "expected"), [(STABLE_TOKEN_PATH, 47001), (TREND_PATH, 61500)])
def test_a_form_encoded_body_is_refused(client: "Client", path: str, expected: int) -> None:
    call = client.post(path, params={"access_token": client.token()}, data=GOOD_DATES)
    assert errcode(call) == expected


@pytest.mark.parametrize("path", [STABLE_TOKEN_PATH, TREND_PATH])
def test_get_is_refused_where_post_is_required(client: "Client", path: str) -> None:
    assert errcode(client.get(path, params={"access_token": client.token()})) == 43002


def test_post_is_refused_where_get_is_required(client: "Client") -> None:
    assert errcode(client.post(TOKEN_PATH, json={})) == 43001


def test_another_path_is_an_invalid_url(client: "Client") -> None:
    assert errcode(client.get("/cgi-bin/nothing")) == 40066
    assert client.sim.calls("other", outcome="40066") == 1


@pytest.mark.parametrize(
    ("dates", "expected"),
    [
        ({}, 61500),
        ({"begin_date": "20261123"}, 61500),
        ({"begin_date": "2026-11-23", "end_date": "2026-11-23"}, 61500),
        ({"begin_date": 20261123, "end_date": 20261123}, 61500),
        ({"begin_date": "20260230", "end_date": "20260230"}, 61500),
        ({"begin_date": "2026112３", "end_date": "2026112３"}, 61500),
        ({"begin_date": "20261122", "end_date": "20261123"}, 61501),
        ({"begin_date": "20261123", "end_date": "20261122"}, 61501),
        ({"begin_date": "20261124", "end_date": "20261124"}, 61501),
        ({"begin_date": "20271124", "end_date": "20271124"}, 61501),
    ],
)
def test_a_wrong_date_is_refused_as_wechat_does(
    client: "Client", dates: dict[str, object], expected: int
) -> None:
    call = client.post(TREND_PATH, params={"access_token": client.token()}, json=dates)
    assert errcode(call) == expected


def test_the_token_belongs_into_the_url(client: "Client") -> None:
    call = client.post(TREND_PATH, json={**GOOD_DATES, "access_token": client.token()})
    assert errcode(call) == 41001
    assert errcode(client.trend(token="")) == 41001


def test_a_bad_token_has_another_errcode_than_an_old_one(client: "Client") -> None:
    token = client.token()
    assert errcode(client.trend(token=token[:-1])) == 40014
    assert errcode(client.trend(token=token + " ")) == 40014
    assert errcode(client.trend(token="1_" + "0" * 128)) == 40001
    client.sim.clock.advance(7200)
    assert errcode(client.trend(token=token)) == 42001


def test_a_token_is_good_for_its_own_app_only(client: "Client") -> None:
    rows = []
    for app in client.sim.apps:
        token = client.stable(appid=app.appid, secret=app.secret).json()["access_token"]
        rows.append(client.trend(token=token).json()["list"][0])
    assert rows[0] != rows[1]


def test_an_answer_has_the_documented_shape(client: "Client") -> None:
    assert set(client.stable().json()) == {"access_token", "expires_in"}
    assert client.stable(force_refresh=False).json() == client.stable().json()
    assert set(client.classic().json()) == {"access_token", "expires_in"}
    answer = client.trend().json()
    assert set(answer) == {"list"}
    assert answer["list"][0]["ref_date"] == "20261123"


def test_a_date_of_years_ago_is_answered(client: "Client") -> None:
    assert client.trend("20180301").json()["list"][0]["ref_date"] == "20180301"


def test_force_refresh_is_honoured_and_counted(client: "Client") -> None:
    before = client.token()
    after = client.stable(force_refresh=True).json()["access_token"]
    assert errcode(client.trend(token=before)) == 40001
    assert "list" in client.trend(token=after).json()
    assert client.sim.log.forced() == {client.appid: 1}


@pytest.mark.parametrize(
    ("at", "ready"), [(time(0, 0), False), (time(9, 29, 59), False), (time(9, 30), True)]
)
def test_yesterday_is_published_at_the_apps_hour(client: "Client", at: time, *, ready: bool) -> None:
    client.sim.clock.set(datetime.combine(date(2026, 11, 24), at, BEIJING).timestamp())
    answer = client.trend()
    assert ("list" in answer.json()) == ready
    if not ready:
        assert errcode(answer) == 61503
    assert "list" in client.trend("20261122").json()


def test_always_published_means_from_midnight_on(started: Callable[..., "Client"]) -> None:
    client = started(always_published=True)
    client.sim.clock.set(datetime(2026, 11, 24, tzinfo=BEIJING).timestamp())
    assert "list" in client.trend().json()
    assert errcode(client.trend("20261124")) == 61501


def test_a_not_ready_app_has_older_dates(client: "Client") -> None:
    client.sim.faults.switch(client.appid, Fault.NOT_READY)
    assert errcode(client.trend()) == 61503
    assert "list" in client.trend("20261122").json()


def test_a_left_out_figure_is_not_there(started: Callable[..., "Client"]) -> None:
    app = SimApp("wxfa4e000000000009", "not-a-real-secret", "nine", left_out=frozenset({"stay_time_uv"}))
    answer = started((app,)).trend().json()["list"][0]
    assert "stay_time_uv" not in answer
    assert len(answer) == 7


def test_the_ledger_knows_date_app_and_outcome(client: "Client") -> None:
    client.trend()
    client.trend("20261124")
    seen = [(call.endpoint, call.appid, call.date, call.outcome) for call in client.sim.log.recent()]
    assert seen == [
        ("stable_token", client.appid, "", "ok"),
        ("daily_visit_trend", client.appid, "20261123", "ok"),
        ("stable_token", client.appid, "", "ok"),
        ("daily_visit_trend", client.appid, "20261124", "61501"),
    ]
    assert client.sim.calls() == 4
    assert client.sim.calls("daily_visit_trend", client.appid, "ok") == 1
