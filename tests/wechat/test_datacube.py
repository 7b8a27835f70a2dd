import json
from datetime import date
from pathlib import Path

import pytest

from exporter.config.apps import App
from exporter.config.secret import Secret
from exporter.config.token_types import FileToken, StableToken, TokenSettings
from exporter.datasets.catalogue import CATALOGUE
from exporter.datasets.daily_trend import DAILY_TREND
from exporter.datasets.dataset import Dataset, Row
from exporter.datasets.monthly_trend import MONTHLY_TREND
from exporter.datasets.period import DAY, Period
from exporter.datasets.weekly_trend import WEEKLY_TREND
from exporter.simulator.faults import CallKind, Fault
from exporter.simulator.server import Simulator
from exporter.wechat import endpoints
from exporter.wechat.access import Access, choose_access
from exporter.wechat.client import Client
from exporter.wechat.datacube import read_row
from exporter.wechat.failures import advice
from exporter.wechat.failures.advice import Advice
from exporter.wechat.failures.failure import Action, CallError, Failure, Reason
from exporter.wechat.tokens.sources import StableTokenSource
from tests.wechat.conftest import APP
from tests.wechat.lines import Clock, Observed, failure_of, opened, outcome
from tests.wechat.peers import Peer, json_body, says, whole

SAMPLES = Path(__file__).parents[1] / "samples"
YESTERDAY = date(2026, 11, 23)
PERIOD = DAY.starting(YESTERDAY)
STABLE = StableToken(Secret(APP.secret))


def access_of(token: TokenSettings, client: Client) -> Access:
    return choose_access(App(APP.appid, APP.name, (), token), client)


def asked(access: Access, period: Period = PERIOD, dataset: Dataset = DAILY_TREND) -> Row | Failure:
    return outcome(lambda: access.fetch(dataset, period))


def refused(access: Access, period: Period = PERIOD, dataset: Dataset = DAILY_TREND) -> Failure:
    return failure_of(lambda: access.fetch(dataset, period))


# What is sent and read


@pytest.fixture(name="token")
def _token(tmp_path: Path) -> FileToken:
    (tmp_path / "token").write_text("not-a-real-token")
    return FileToken(tmp_path / "token")


@pytest.mark.parametrize(
    ("dataset", "sample", "body", "values"),
    [
        (
            DAILY_TREND,
            "daily_visit_trend__doc_20170313.json",
            {"begin_date": "20170313", "end_date": "20170313"},
            (142549, 472351, 55500, 5464, None, 0, 1.9838),
        ),
        (
            WEEKLY_TREND,
            "weekly_visit_trend__doc_20170306-20170312.json",
            {"begin_date": "20170306", "end_date": "20170312"},
            (986780, 3251840),
        ),
    ],
    ids=["a day", "a week"],
)
def test_a_call_asks_for_one_period_with_the_token_in_the_address_only(
    dataset: Dataset, sample: str, body: dict[str, str], values: tuple[float, ...], token: FileToken
) -> None:
    observed = Observed()
    with Peer(says(whole((SAMPLES / sample).read_bytes()))) as peer:
        with opened(peer.url, observed=observed) as client:
            row = access_of(token, client).fetch(dataset, dataset.calendar.newest(date(2017, 3, 13)))
        head, _, sent = peer.received[0].partition(b"\r\n\r\n")
    assert row.points[0].values[: len(values)] == values
    assert head.startswith(f"POST {dataset.path}?access_token=not-a-real-token HTTP/1.1\r\n".encode())
    assert json.loads(sent) == body
    assert [endpoint.name for endpoint, _ in observed.calls] == [dataset.interface]


def refusal(code: int, dataset: Dataset, token: FileToken) -> Failure:
    body = json_body({"errcode": code, "errmsg": "no"})
    with Peer(says(whole(body))) as peer, opened(peer.url) as client:
        return refused(access_of(token, client), dataset.calendar.newest(YESTERDAY), dataset)


@pytest.mark.parametrize("dataset", CATALOGUE[1:], ids=lambda each: each.name)
@pytest.mark.parametrize(
    ("code", "usual"), [(48001, advice.PERMISSION), (61007, advice.PERMISSION), (61502, advice.GAME)]
)
def test_what_to_do_about_another_dataset_names_its_interface(
    code: int, usual: Advice, dataset: Dataset, token: FileToken
) -> None:
    assert refusal(code, DAILY_TREND, token).advice is usual
    shown = refusal(code, dataset, token).advice
    assert dataset.interface in shown.en
    assert dataset.interface in shown.zh
    assert "getDailyVisitTrend" not in shown.en + shown.zh
    assert "leave this dataset out" in shown.en


@pytest.mark.parametrize("dataset", CATALOGUE, ids=lambda each: each.name)
def test_a_date_range_error_of_a_period_that_is_over_means_later(dataset: Dataset, token: FileToken) -> None:
    problem = refusal(61501, dataset, token)
    assert (problem.reason, problem.action) == (Reason.DATE_RANGE, Action.NEXT_ROUND)


@pytest.mark.parametrize("dataset", [WEEKLY_TREND, MONTHLY_TREND], ids=lambda each: each.name)
def test_a_week_or_month_that_has_just_ended_is_not_ready_rather_than_refused(
    dataset: Dataset, token: FileToken
) -> None:
    period = dataset.calendar.newest(YESTERDAY)
    body = json_body({"errcode": 61501, "errmsg": "date range error"})
    noon = period.end + 12 * 3600
    with Peer(says(whole(body))) as peer:
        for now, reason in ((period.end, Reason.NOT_READY), (noon, Reason.DATE_RANGE)):
            observed = Observed()
            with opened(peer.url, observed=observed, clock=Clock(now)) as client:
                problem = refused(access_of(token, client), period, dataset)
            assert (problem.reason, problem.action) == (reason, Action.NEXT_ROUND)
            assert problem.errcode == 61501
            assert [counted for _, counted in observed.calls] == [reason]


def quota(body: object, token: FileToken) -> object:
    observed = Observed()
    with Peer(says(whole(json_body(body)))) as peer, opened(peer.url, observed=observed) as client:
        found = outcome(lambda: access_of(token, client).quota(DAILY_TREND.path))
        head, _, sent = peer.received[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /cgi-bin/openapi/quota/get?access_token=not-a-real-token HTTP/1.1\r")
    assert json.loads(sent) == {"cgi_path": "/datacube/getweanalysisappiddailyvisittrend"}
    assert [endpoint.name for endpoint, _ in observed.calls] == ["getApiQuota"]
    return (found.reason, found.action) if isinstance(found, Failure) else found


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"errcode": 0, "errmsg": "ok", "quota": {"daily_limit": 9, "used": 2, "remain": 7}}, (9, 2, 7)),
        ({"errcode": 76021, "errmsg": "cgi_path not found"}, (Reason.INTERNAL, Action.SUSPEND)),
        ({"errcode": 76022, "errmsg": "could not use this cgi_path"}, (Reason.PERMISSION, Action.SUSPEND)),
        ({"errcode": 0, "errmsg": "ok"}, (Reason.MALFORMED, Action.NEXT_ROUND)),
    ],
    ids=["good", "unknown path", "no permission", "no quota"],
)
def test_a_quota_is_asked_for_by_path_with_the_token_and_a_refused_one_has_its_reason(
    body: object, expected: object, token: FileToken
) -> None:
    assert quota(body, token) == expected


@pytest.mark.parametrize(
    ("dataset", "body", "reason", "detail"),
    [
        (DAILY_TREND, {"list": []}, Reason.EMPTY, "WeChat has no row for 2026-11-23"),
        (WEEKLY_TREND, {"list": []}, Reason.EMPTY, "WeChat has no row for 2026-11-16 to 2026-11-22"),
        (DAILY_TREND, {}, Reason.MALFORMED, "there is no 'list'"),
        (
            DAILY_TREND,
            {"errMsg": "x:fail"},
            Reason.MALFORMED,
            "errMsg is 'x:fail', which does not end in :ok",
        ),
    ],
    ids=["empty day", "empty week", "no list", "a cloud call's failure without a code"],
)
def test_a_reader_says_why_there_is_no_row(
    dataset: Dataset, body: dict[str, object], reason: Reason, detail: str
) -> None:
    with pytest.raises(CallError) as caught:
        read_row(dataset, dataset.calendar.newest(YESTERDAY), body)
    problem = caught.value.failure
    assert (problem.reason, problem.action, problem.detail) == (reason, Action.NEXT_ROUND, detail)
    assert caught.value.__context__ is None


def test_a_short_token_that_comes_back_as_a_figure_is_not_shown(tmp_path: Path) -> None:
    token = "short-token-of-30-characters-x"
    answer = whole(json_body({"list": [{"ref_date": token, "visit_pv": 1}]}))
    path = tmp_path / "token"
    path.write_text(token)
    with Peer(says(answer)) as peer, opened(peer.url) as client, pytest.raises(CallError) as caught:
        access_of(FileToken(path), client).fetch(DAILY_TREND, PERIOD)
    assert str(caught.value) == "ref_date is '***', asked for 20261123"
    assert caught.value.__context__ is None


# Against the simulator


@pytest.mark.parametrize("fault", [Fault.CAMEL_CASE, Fault.STRINGS, Fault.DIRTY_TEXT])
def test_oddities_that_are_no_faults_change_nothing(fault: Fault, client: Client, sim: Simulator) -> None:
    access = access_of(STABLE, client)
    plain = asked(access)
    sim.faults.switch(APP.appid, fault, on=CallKind.DATA)
    assert asked(access) == plain
    assert isinstance(plain, Row)


BY_OUTCOME: dict[tuple[Reason, Action], list[Fault]] = {
    (Reason.TIMEOUT, Action.RETRY): [Fault.HANG, Fault.DRIP, Fault.SLOW],
    (Reason.NETWORK, Action.RETRY): [Fault.RESET, Fault.CUT_SHORT],
    (Reason.HTTP_STATUS, Action.RETRY): [Fault.HTTP_502],
    (Reason.HTTP_STATUS, Action.NEXT_ROUND): [Fault.REDIRECT],
    (Reason.MALFORMED, Action.RETRY): [
        *(Fault.HTML_200, Fault.MALFORMED_JSON, Fault.TRUNCATED_JSON, Fault.NOT_AN_OBJECT, Fault.NAN),
        *(Fault.GIANT, Fault.GZIP_BOMB),
    ],
    (Reason.MALFORMED, Action.NEXT_ROUND): [
        *(Fault.WRONG_DATE, Fault.NULL_FIGURE, Fault.NEGATIVE, Fault.BOOL_FIGURE, Fault.FRACTIONAL_COUNT),
        *(Fault.OBJECT_LIST, Fault.TWO_ROWS),
    ],
    (Reason.EMPTY, Action.NEXT_ROUND): [Fault.EMPTY],
    (Reason.NOT_READY, Action.NEXT_ROUND): [Fault.NOT_READY],
    (Reason.BUSY, Action.RETRY): [Fault.BUSY, Fault.BUSY_DATA],
    (Reason.QUOTA_DAILY, Action.NEXT_DAY): [Fault.QUOTA_DAILY],
    (Reason.QUOTA_MINUTE, Action.RETRY_NEXT_MINUTE): [Fault.QUOTA_MINUTE],
    (Reason.TOKEN_REJECTED, Action.RENEW_TOKEN): [Fault.TOKEN_REJECTED],
    (Reason.IP_NOT_ALLOWED, Action.SUSPEND): [Fault.IP],
    (Reason.PERMISSION, Action.SUSPEND): [Fault.PERMISSION],
    (Reason.ACCOUNT, Action.SUSPEND): [Fault.FROZEN, Fault.MINI_GAME],
    (Reason.INVALID_APPID, Action.SUSPEND): [Fault.INVALID_APPID],
    (Reason.UNKNOWN_ERRCODE, Action.NEXT_ROUND): [Fault.UNKNOWN_ERRCODE],
}
FAULTS = {fault: found for found, faults in BY_OUTCOME.items() for fault in faults}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_of_the_data_call_has_its_reason_and_action_and_is_counted_once(
    fault: Fault, sim: Simulator, clock: Clock
) -> None:
    reason, action = FAULTS[fault]
    observed = Observed()
    with opened(sim.base_url, 0.3) as hurried, opened(sim.base_url, observed=observed, clock=clock) as client:
        access, patient = access_of(STABLE, client), client.transport
        access.fetch(DAILY_TREND, DAY.starting(date(2026, 11, 20)))  # the token is there
        observed.calls.clear()
        sim.faults.switch(APP.appid, fault, on=CallKind.DATA)
        if reason is Reason.TIMEOUT:
            client.transport = hurried.transport
        problem = refused(access)
        assert (problem.reason, problem.action) == (reason, action)
        counted = [each for endpoint, each in observed.calls if endpoint == endpoints.DAILY_VISIT_TREND]
        assert counted == [reason] * (2 if action is Action.RENEW_TOKEN else 1)
        assert sim.calls("other") == 0
        sim.faults.switch(APP.appid, Fault.NONE)
        client.transport = patient
        assert isinstance(asked(access), Row)


@pytest.mark.parametrize("fault", [Fault.WRONG_SECRET, Fault.FROZEN_SECRET, Fault.IP, Fault.RESET])
def test_without_a_token_the_data_is_not_asked_for(fault: Fault, client: Client, sim: Simulator) -> None:
    sim.faults.switch(APP.appid, fault, on=CallKind.TOKEN)
    refused(access_of(STABLE, client))
    assert (sim.calls("stable_token") <= 2, sim.calls("daily_visit_trend")) == (True, 0)


def test_a_renewal_that_fails_ends_the_call(client: Client, sim: Simulator) -> None:
    access = access_of(STABLE, client)
    asked(access)
    sim.tokens.revoke(APP.appid, sim.clock.now())
    sim.faults.switch(APP.appid, Fault.WRONG_SECRET)
    assert refused(access).reason is Reason.INVALID_SECRET
    assert access.token_expires_at is None
    assert sim.calls("daily_visit_trend") == 2


# Several holders of one account's tokens


def test_two_exporters_with_the_same_stable_token_do_not_disturb_one_another(
    sim: Simulator, clock: Clock
) -> None:
    with opened(sim.base_url, clock=clock) as one, opened(sim.base_url, clock=clock) as other:
        accesses = [access_of(STABLE, one), access_of(STABLE, other)]
        for _ in range(30):  # of 15 minutes, over three lifetimes of a token
            clock.now += 900
            for access in accesses:
                assert isinstance(asked(access), Row)
    refusals = [sim.calls("daily_visit_trend", outcome=code) for code in ("40001", "42001")]
    assert (refusals, sim.log.forced()) == ([0, 0], {})
    assert sim.calls("stable_token") <= 10


def test_a_token_file_that_its_program_renews_is_followed(
    sim: Simulator, client: Client, tmp_path: Path
) -> None:
    path = tmp_path / "token"
    access, program = access_of(FileToken(path), client), StableTokenSource(APP.appid, STABLE.secret, client)
    for _ in range(2):
        path.write_text(program.fetch().value)
        assert isinstance(asked(access), Row)
        sim.tokens.revoke(APP.appid, sim.clock.now())
    assert refused(access).reason is Reason.TOKEN_REJECTED
    assert access.token_expires_at is None
