import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from exporter.config.apps import App
from exporter.config.secret import Secret
from exporter.config.token_types import CloudFunction, CloudHosting
from exporter.datasets.daily_summary import DAILY_SUMMARY
from exporter.datasets.daily_trend import DAILY_TREND
from exporter.datasets.dataset import Dataset, Row
from exporter.datasets.period import DAY as DAY_CALENDAR
from exporter.datasets.period import WEEK, Period
from exporter.datasets.visit_pages import VISIT_PAGES
from exporter.datasets.weekly_trend import WEEKLY_TREND
from exporter.simulator.rules import CLOUD_ENV, CLOUD_FUNCTION
from exporter.simulator.server import Conditions, Simulator
from exporter.simulator.tokens import TokenKind
from exporter.wechat.access import Access, choose_access
from exporter.wechat.client import Client
from exporter.wechat.cloud import hosting_url, read_result
from exporter.wechat.failures import advice
from exporter.wechat.failures.errcodes import errcode_failure
from exporter.wechat.failures.failure import Action, Failure, Reason
from tests.wechat.conftest import APP
from tests.wechat.lines import Clock, daily_trend, failure_of, opened
from tests.wechat.peers import Peer, json_body, says, says_in_turn, whole

SAMPLES = Path(__file__).parents[1] / "samples"
DAY = date(2026, 11, 23)
PERIOD = DAY_CALENDAR.starting(DAY)


@pytest.fixture(name="sim")
def _sim(clock: Clock) -> Iterator[Simulator]:
    with Simulator([APP], Conditions(time_source=clock, hosting_appid=APP.appid)) as sim:
        yield sim


def access(client: Client, token: CloudHosting | CloudFunction) -> Access:
    return choose_access(App(APP.appid, APP.name, (), token), client)


def refused(asked: Access, dataset: Dataset = DAILY_TREND, period: Period = PERIOD) -> Failure:
    return failure_of(lambda: asked.fetch(dataset, period))


# Cloud hosting


@pytest.mark.parametrize(
    ("base_url", "asked"),
    [
        ("https://api.weixin.qq.com", "http://api.weixin.qq.com"),
        ("https://sh.api.weixin.qq.com", "http://sh.api.weixin.qq.com"),
        ("http://api.weixin.qq.com", "http://api.weixin.qq.com"),
        ("https://proxy.example:8443/wechat", "https://proxy.example:8443/wechat"),
        ("http://127.0.0.1:10951", "http://127.0.0.1:10951"),
    ],
)
def test_wechats_own_address_is_asked_by_plain_http(base_url: str, asked: str) -> None:
    assert hosting_url(base_url) == asked


@pytest.mark.parametrize(
    ("from_appid", "target"), [(None, ""), ("wx0123456789abcdef", "?from_appid=wx0123456789abcdef")]
)
def test_cloud_hosting_sends_no_credential(from_appid: str | None, target: str) -> None:
    answer = whole((SAMPLES / "daily_visit_trend__doc_20170313.json").read_bytes())
    with Peer(says(answer)) as peer, opened(peer.url) as client:
        asked = access(client, CloudHosting(from_appid))
        assert daily_trend(asked, date(2017, 3, 13)).values[1] == 472351
        assert asked.token_expires_at is None
    request = peer.received[0].decode()
    assert request.startswith(f"POST /datacube/getweanalysisappiddailyvisittrend{target} HTTP/1.1\r\n")
    assert "token" not in request.lower()


def test_the_cloudbase_token_is_read_for_every_call_and_has_its_own_parameter(
    tmp_path: Path, sim: Simulator, client: Client, clock: Clock
) -> None:
    path = tmp_path / "token"
    asked = access(client, CloudHosting(None, path))
    assert refused(asked).reason is Reason.TOKEN_REJECTED
    before = asked.fingerprint()
    for _ in range(3):
        path.write_text(sim.tokens.issue(APP.appid, TokenKind.CLOUDBASE, sim.clock.now())[0])
        assert isinstance(daily_trend(asked, DAY), Row)
        clock.now += 1801
    assert asked.fingerprint() != before
    assert refused(asked).errcode == 42001  # the file was not rewritten


@pytest.mark.parametrize(
    ("hosting", "from_appid", "reason"),
    [
        ("", None, Reason.TOKEN_REJECTED),
        (APP.appid, "wx0123456789abcdef", Reason.INVALID_APPID),
    ],
    ids=["outside of cloud hosting", "an account that does not share the environment"],
)
def test_who_may_not_use_cloud_hosting_is_refused(
    clock: Clock, hosting: str, from_appid: str | None, reason: Reason
) -> None:
    conditions = Conditions(time_source=clock, hosting_appid=hosting)
    with Simulator([APP], conditions) as sim, opened(sim.base_url, clock=clock) as client:
        assert refused(access(client, CloudHosting(from_appid))).reason is reason


# Cloud function


@pytest.mark.parametrize(
    ("env", "function", "reason"),
    [("other", CLOUD_FUNCTION, Reason.PERMISSION), (CLOUD_ENV, "other", Reason.INTERNAL)],
)
def test_a_wrong_environment_or_function_suspends(
    client: Client, env: str, function: str, reason: Reason
) -> None:
    problem = refused(access(client, CloudFunction(env, function, Secret(APP.secret))))
    assert (problem.reason, problem.action) == (reason, Action.SUSPEND)


def invoked(returned: object) -> dict[str, Any]:
    text = returned if isinstance(returned, str) else json.dumps(returned)
    return {"errcode": 0, "errmsg": "ok", "resp_data": text}


def problem_of(body: dict[str, Any], dataset: Dataset = DAILY_TREND) -> Failure:
    return failure_of(lambda: read_result(dataset, PERIOD, body))


def test_the_documented_camel_case_row_is_read_from_the_text_inside() -> None:
    text = (SAMPLES / "daily_visit_trend__doc_cloudcall_20170313.json").read_text()
    assert (
        read_result(DAILY_TREND, DAY_CALENDAR.starting(date(2017, 3, 13)), invoked(text)).values[1] == 472351
    )


FAIL = "openapi.analysis.getDailyVisitTrend:fail"
RETURNED = {
    "not ready": ({"errCode": 61503, "errMsg": f"{FAIL} data not ready"}, Reason.NOT_READY, 61503),
    "no permission": ({"errCode": -604101, "errMsg": FAIL}, Reason.PERMISSION, -604101),
    "an error in snake case": ({"errcode": 48001, "errmsg": "api unauthorized"}, Reason.PERMISSION, 48001),
    "an error as text": ({"errCode": "61503", "errMsg": FAIL}, Reason.NOT_READY, 61503),
    "an error without a code": ({"errMsg": f"{FAIL} timeout"}, Reason.INTERNAL, None),
    "an error with the code 0": ({"errCode": 0, "errMsg": FAIL}, Reason.INTERNAL, None),
    "a code in the text": ({"errMsg": f"{FAIL} errCode: -604101"}, Reason.PERMISSION, -604101),
    "an empty list": ({"list": [], "errMsg": f"{FAIL[:-5]}:ok"}, Reason.EMPTY, None),
    "nothing": ({}, Reason.MALFORMED, None),
    "null": (None, Reason.MALFORMED, None),
    "a text": ("hello", Reason.MALFORMED, None),
    "half a character": ("\ud800", Reason.MALFORMED, None),
}


@pytest.mark.parametrize("name", RETURNED)
def test_what_a_function_returns_instead_of_a_row_is_recognised(name: str) -> None:
    returned, reason, errcode = RETURNED[name]
    problem = problem_of(invoked(returned))
    assert (problem.reason, problem.errcode) == (reason, errcode)


@pytest.mark.parametrize("body", [{"errcode": 0}, {"resp_data": {"list": []}}, {"resp_data": None}])
def test_an_invocation_without_resp_data_is_malformed(body: dict[str, Any]) -> None:
    assert problem_of(body).reason is Reason.MALFORMED


FUNCTION = CloudFunction("prod-1", "visitTrend", Secret(APP.secret))


@contextmanager
def function_that_answers(*answers: object) -> Iterator[tuple[Peer, Access]]:
    """Yield the peer and the access of a function whose invocations have these answers, after a token."""
    bodies = [{"access_token": "T", "expires_in": 7200}, *answers]
    with Peer(says_in_turn(whole(json_body(body)) for body in bodies)) as peer, opened(peer.url) as client:
        yield peer, access(client, FUNCTION)


def test_a_token_that_is_refused_inside_the_function_is_not_ours_to_renew() -> None:
    returned = problem_of(invoked({"errCode": 40001, "errMsg": "invalid credential"}))
    thrown = errcode_failure(-504002, "Error: errCode: 40001 | errMsg: invalid credential")
    for problem in (returned, thrown):
        assert (problem.reason, problem.errcode) == (Reason.TOKEN_REJECTED, 40001)
        assert (problem.action, problem.advice) == (Action.NEXT_ROUND, advice.CLOUD_FUNCTION)


def test_after_a_function_that_throws_a_refused_token_ours_is_kept() -> None:
    thrown = {"errcode": -504002, "errmsg": "Error: errCode: 40001 | errMsg: invalid credential"}
    with function_that_answers(thrown, invoked({"list": []})) as (peer, asks):
        assert refused(asks).errcode == 40001
        assert refused(asks).reason is Reason.EMPTY
        assert [head.count(b"stable_token") for head in peer.received] == [1, 0, 0]


@pytest.mark.parametrize(
    ("dataset", "period", "body"),
    [
        (DAILY_TREND, PERIOD, {"beginDate": "20261123", "endDate": "20261123"}),
        (
            WEEKLY_TREND,
            WEEK.newest(DAY),
            {"interface": "getWeeklyVisitTrend", "beginDate": "20261116", "endDate": "20261122"},
        ),
    ],
    ids=["the daily trend", "another dataset, whose interface it names"],
)
def test_the_invocation_has_the_documented_form(
    dataset: Dataset, period: Period, body: dict[str, str]
) -> None:
    returned = {"list": [], "errMsg": f"openapi.analysis.{dataset.interface}:ok"}
    with function_that_answers(invoked(returned)) as (peer, asks):
        assert refused(asks, dataset, period).reason is Reason.EMPTY
        head, _, sent = peer.received[-1].partition(b"\r\n\r\n")
    target = head.split(b" ")[1].decode()
    assert target == "/tcb/invokecloudfunction?access_token=T&env=prod-1&name=visitTrend"
    assert json.loads(sent) == body


@pytest.mark.parametrize(
    "returned",
    [
        {"list": [{"refDate": "20261123", "visitPv": 1}], "errMsg": f"{FAIL[:-5]}:ok"},
        {"errCode": 61501, "errMsg": f"{FAIL} date range error"},
    ],
    ids=["a row", "an error"],
)
def test_a_function_that_calls_the_daily_trend_whatever_is_asked_is_too_old(returned: object) -> None:
    problem = problem_of(invoked(returned), DAILY_SUMMARY)
    assert (problem.reason, problem.action) == (Reason.PERMISSION, Action.SUSPEND)
    assert problem.advice is advice.OLD_FUNCTION
    assert problem.detail == "the cloud function called getDailyVisitTrend, asked for getDailySummary"


def test_a_missing_cloud_call_permission_is_shown_with_the_dataset_s_interface() -> None:
    returned = {"errCode": -604101, "errMsg": "openapi.analysis.getVisitPage:fail no permission"}
    with function_that_answers(invoked(returned)) as (_, asks):
        problem = refused(asks, VISIT_PAGES)
    assert problem.reason is Reason.PERMISSION
    assert "analysis.getVisitPage" in problem.advice.en
    assert "analysis.getVisitPage" in problem.advice.zh
