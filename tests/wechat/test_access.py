import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path

import pytest

from exporter.beijing import yesterday
from exporter.config.settings import (
    AccessToken,
    App,
    FileToken,
    HttpToken,
    Secret,
    StableToken,
    TokenSettings,
)
from exporter.datasets.daily_trend import DAILY_TREND, FIELDS, trend_row
from exporter.datasets.dataset import Row
from exporter.datasets.period import DAY as DAY_CALENDAR
from exporter.simulator.faults import Call, Fault
from exporter.simulator.server import Simulator
from exporter.wechat import endpoints
from exporter.wechat.access import Access, choose_access
from exporter.wechat.client import Client
from exporter.wechat.datacube import row_reader
from exporter.wechat.failures.failure import Action, CallError, Failure, Reason
from tests.wechat.conftest import APP
from tests.wechat.lines import GENEROUS, Clock, Observed, daily_trend, opened
from tests.wechat.peers import Peer, Talk, json_body, says, whole

SAMPLES = Path(__file__).parents[1] / "samples"
DAY = date(2026, 11, 23)
PERIOD = DAY_CALENDAR.starting(DAY)
TREND, STABLE, CLASSIC = endpoints.DAILY_VISIT_TREND, endpoints.STABLE_ACCESS_TOKEN, endpoints.ACCESS_TOKEN


def way_of(token: TokenSettings, client: Client) -> Access:
    return choose_access(App(APP.appid, APP.name, (), token), client)


def asked(access: Access, day: date = DAY) -> Row | Failure:
    try:
        return daily_trend(access, day)
    except CallError as error:
        return error.failure


def refused(access: Access, day: date = DAY) -> Failure:
    problem = asked(access, day)
    assert isinstance(problem, Failure)
    return problem


@pytest.fixture(name="observed")
def _observed() -> Observed:
    return Observed()


@pytest.fixture(name="client")
def _client(sim: Simulator, clock: Clock, observed: Observed) -> Iterator[Client]:
    with opened(sim.base_url, observed=observed, clock=clock) as client:
        yield client


@pytest.fixture(name="access")
def _access(client: Client) -> Access:
    return way_of(StableToken(Secret(APP.secret)), client)


# A row


def test_a_call_asks_for_one_date_with_the_token_in_the_address_only() -> None:
    answer = whole((SAMPLES / "daily_visit_trend__doc_20170313.json").read_bytes())
    with Peer(says(answer)) as peer, Peer(says(whole(b'{"access_token":"T"}'))) as keeper:
        with opened(peer.url) as client:
            row = daily_trend(way_of(HttpToken(keeper.url), client), date(2017, 3, 13))
        head, _, body = peer.received[0].partition(b"\r\n\r\n")
    assert row.values == (142549, 472351, 55500, 5464, None, 0, 1.9838)
    assert head.startswith(b"POST /datacube/getweanalysisappiddailyvisittrend?access_token=T HTTP/1.1\r\n")
    assert json.loads(body) == {"begin_date": "20170313", "end_date": "20170313"}


@pytest.mark.parametrize("fault", [Fault.CAMEL_CASE, Fault.STRINGS, Fault.DIRTY_TEXT])
def test_oddities_that_are_no_faults_change_nothing(fault: Fault, access: Access, sim: Simulator) -> None:
    plain = daily_trend(access, DAY)
    sim.set_fault(APP.appid, fault, on=Call.DATA)
    assert asked(access) == plain


CALLS = {Fault.TOKEN_REJECTED: 2}  # of one ask; 1 for all others
FAULTS = {
    Fault.HANG: (Reason.TIMEOUT, Action.RETRY),
    Fault.DRIP: (Reason.TIMEOUT, Action.RETRY),
    Fault.SLOW: (Reason.TIMEOUT, Action.RETRY),
    Fault.RESET: (Reason.NETWORK, Action.RETRY),
    Fault.CUT_SHORT: (Reason.NETWORK, Action.RETRY),
    Fault.HTTP_502: (Reason.HTTP_STATUS, Action.RETRY),
    Fault.HTML_200: (Reason.MALFORMED, Action.RETRY),
    Fault.REDIRECT: (Reason.HTTP_STATUS, Action.NEXT_ROUND),
    Fault.MALFORMED_JSON: (Reason.MALFORMED, Action.RETRY),
    Fault.TRUNCATED_JSON: (Reason.MALFORMED, Action.RETRY),
    Fault.NOT_AN_OBJECT: (Reason.MALFORMED, Action.RETRY),
    Fault.GIANT: (Reason.MALFORMED, Action.RETRY),
    Fault.GZIP_BOMB: (Reason.MALFORMED, Action.RETRY),
    Fault.NAN: (Reason.MALFORMED, Action.RETRY),  # no JSON at all
    Fault.WRONG_DATE: (Reason.MALFORMED, Action.NEXT_ROUND),
    Fault.NULL_FIGURE: (Reason.MALFORMED, Action.NEXT_ROUND),
    Fault.NEGATIVE: (Reason.MALFORMED, Action.NEXT_ROUND),
    Fault.BOOL_FIGURE: (Reason.MALFORMED, Action.NEXT_ROUND),
    Fault.FRACTIONAL_COUNT: (Reason.MALFORMED, Action.NEXT_ROUND),
    Fault.OBJECT_LIST: (Reason.MALFORMED, Action.NEXT_ROUND),
    Fault.TWO_ROWS: (Reason.MALFORMED, Action.NEXT_ROUND),
    Fault.EMPTY: (Reason.EMPTY, Action.NEXT_ROUND),
    Fault.NOT_READY: (Reason.NOT_READY, Action.NEXT_ROUND),
    Fault.BUSY: (Reason.BUSY, Action.RETRY),
    Fault.BUSY_DATA: (Reason.BUSY, Action.RETRY),
    Fault.QUOTA_DAILY: (Reason.QUOTA_DAILY, Action.NEXT_DAY),
    Fault.QUOTA_MINUTE: (Reason.QUOTA_MINUTE, Action.RETRY_NEXT_MINUTE),
    Fault.TOKEN_REJECTED: (Reason.TOKEN_REJECTED, Action.RENEW_TOKEN),
    Fault.IP: (Reason.IP_NOT_ALLOWED, Action.SUSPEND),
    Fault.PERMISSION: (Reason.PERMISSION, Action.SUSPEND),
    Fault.FROZEN: (Reason.ACCOUNT, Action.SUSPEND),
    Fault.MINI_GAME: (Reason.ACCOUNT, Action.SUSPEND),
    Fault.INVALID_APPID: (Reason.INVALID_APPID, Action.SUSPEND),
    Fault.UNKNOWN_ERRCODE: (Reason.UNKNOWN_ERRCODE, Action.NEXT_ROUND),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_of_the_data_call_has_its_reason_and_action_and_is_counted_once(
    fault: Fault, sim: Simulator, clock: Clock
) -> None:
    reason, action = FAULTS[fault]
    limit = 0.3 if reason is Reason.TIMEOUT else GENEROUS
    observed = Observed()
    with opened(sim.base_url, limit, observed, clock) as client:
        access = way_of(StableToken(Secret(APP.secret)), client)
        daily_trend(access, date(2026, 11, 20))  # the token is there
        observed.calls.clear()
        sim.set_fault(APP.appid, fault, on=Call.DATA)
        problem = refused(access)
        assert (problem.reason, problem.action) == (reason, action)
        counted = [told for endpoint, told in observed.calls if endpoint == TREND]
        assert counted == [reason] * CALLS.get(fault, 1)
        assert sim.calls("other") == 0
        sim.set_fault(APP.appid, Fault.NONE)
        assert isinstance(asked(access), Row)


def test_a_date_that_is_not_over_yet_is_refused_for_that_date_only(access: Access, clock: Clock) -> None:
    problem = refused(access, date(2026, 11, 24))
    assert (problem.reason, problem.errcode, problem.action) == (Reason.DATE_RANGE, 61501, Action.NEXT_ROUND)
    assert isinstance(asked(access, yesterday(clock())), Row)


def test_a_short_token_that_comes_back_as_a_figure_is_not_shown() -> None:
    token = "short-token-of-30-characters-x"
    answer = whole(json_body({"list": [{"ref_date": token, "visit_pv": 1}]}))
    with Peer(says(answer)) as peer, opened(peer.url) as client, pytest.raises(CallError) as caught:
        client.ask(TREND, "GET", "/path", row_reader(DAILY_TREND, PERIOD), secrets=[token])
    assert str(caught.value) == "ref_date is '***', asked for 20261123"
    assert caught.value.__context__ is None


# A token that WeChat refuses


@pytest.mark.parametrize("code", [40001, 40014, 41001, 42001])
def test_a_refused_token_is_renewed_once_and_the_call_made_once_more(
    code: int, access: Access, sim: Simulator, observed: Observed
) -> None:
    daily_trend(access, DAY)
    observed.calls.clear()
    sim.ledger.clear()
    sim.set_fault(APP.appid, Fault.TOKEN_REJECTED, errcode=code, times=1)
    assert isinstance(asked(access), Row)
    assert observed.calls == [(TREND, Reason.TOKEN_REJECTED), (STABLE, None), (TREND, None)]
    assert (sim.calls("stable_token"), sim.calls("daily_visit_trend")) == (1, 2)


@pytest.mark.parametrize("code", [40001, 40014, 41001, 42001])
def test_a_token_that_is_refused_again_is_not_renewed_a_second_time(
    code: int, access: Access, sim: Simulator
) -> None:
    sim.set_fault(APP.appid, Fault.TOKEN_REJECTED, errcode=code)
    for rounds in (1, 2):
        problem = refused(access)
        assert (problem.reason, problem.errcode) == (Reason.TOKEN_REJECTED, code)
        assert sim.calls("daily_visit_trend") == 2 * rounds
        assert sim.calls("stable_token") == 1 + rounds
    assert sim.ledger.forced() == {}


def test_a_renewal_that_fails_ends_the_call(access: Access, sim: Simulator) -> None:
    daily_trend(access, DAY)
    sim.revoke_token(APP.appid)
    sim.set_fault(APP.appid, Fault.WRONG_SECRET)
    assert refused(access).reason is Reason.INVALID_SECRET
    assert access.token_expires_at is None
    assert sim.calls("daily_visit_trend") == 2


def test_a_code_that_is_not_about_the_token_keeps_the_token(access: Access, sim: Simulator) -> None:
    sim.set_fault(APP.appid, Fault.PERMISSION)
    for _ in range(3):
        refused(access)
    assert (sim.calls("stable_token"), sim.calls("daily_visit_trend")) == (1, 3)


@pytest.mark.parametrize("fault", [Fault.WRONG_SECRET, Fault.FROZEN_SECRET, Fault.IP, Fault.RESET])
def test_without_a_token_the_data_is_not_asked_for(
    fault: Fault, access: Access, sim: Simulator, observed: Observed
) -> None:
    sim.set_fault(APP.appid, fault, on=Call.TOKEN)
    refused(access)
    assert sim.calls("daily_visit_trend") == 0
    assert [endpoint for endpoint, _ in observed.calls] == [STABLE]


def test_all_threads_whose_token_is_refused_together_renew_it_once() -> None:
    """Each of 8 calls has got its refusal before the first one renews."""
    together = threading.Barrier(8)
    fetches = []

    def manner(talk: Talk) -> None:
        while request := talk.request():
            if b"/datacube/" not in request:
                fetches.append(request)
                value = f"token-{len(fetches)}"
                talk.socket.sendall(whole(json_body({"access_token": value, "expires_in": 7200})))
            elif b"token-1 " in request:
                together.wait(5)
                talk.socket.sendall(whole(b'{"errcode":42001,"errmsg":"access_token expired"}'))
            else:
                talk.socket.sendall(whole(b'{"list":[{"ref_date":"20261123","visit_pv":1}]}'))

    with Peer(manner) as peer, opened(peer.url) as client, ThreadPoolExecutor(8) as threads:
        access = way_of(StableToken(Secret(APP.secret)), client)
        assert all(isinstance(each, Row) for each in threads.map(lambda _: asked(access), range(8)))
    assert len(fetches) == 2
    assert all(b'"force_refresh": false' in request for request in fetches)


# Several holders of one account's tokens


def test_two_exporters_with_the_same_stable_token_do_not_disturb_one_another(
    sim: Simulator, clock: Clock
) -> None:
    settings = StableToken(Secret(APP.secret))
    with opened(sim.base_url, clock=clock) as one, opened(sim.base_url, clock=clock) as other:
        accesses = [way_of(settings, one), way_of(settings, other)]
        for _ in range(30):  # of 15 minutes, over three lifetimes of a token
            clock.now += 900
            for access in accesses:
                outcome = asked(access, yesterday(clock()))
                assert isinstance(outcome, Row) or outcome.reason is Reason.NOT_READY
    assert sim.calls("daily_visit_trend", outcome="40001") == 0
    assert sim.calls("daily_visit_trend", outcome="42001") == 0
    assert sim.calls("stable_token") <= 10
    assert sim.ledger.forced() == {}


def test_a_classic_fetch_ends_the_token_that_another_holds(sim: Simulator, clock: Clock) -> None:
    settings = AccessToken(Secret(APP.secret))
    with opened(sim.base_url, clock=clock) as one, opened(sim.base_url, clock=clock) as other:
        ours, theirs = way_of(settings, one), way_of(settings, other)
        daily_trend(ours, DAY)
        daily_trend(theirs, DAY)
        clock.now += 301  # the old token's grace
        assert isinstance(asked(ours), Row)
    assert sim.calls("daily_visit_trend", outcome="40001") == 1
    assert sim.calls("token") == 3


def test_a_classic_fetch_leaves_a_stable_token_alone(sim: Simulator, clock: Clock, client: Client) -> None:
    stable, classic = (
        way_of(StableToken(Secret(APP.secret)), client),
        way_of(AccessToken(Secret(APP.secret)), client),
    )
    daily_trend(stable, DAY)
    for _ in range(3):
        daily_trend(classic, DAY)
        clock.now += 301
    assert isinstance(asked(stable), Row)
    assert sim.calls("daily_visit_trend", outcome="40001") == 0


def test_a_token_file_that_its_program_renews_is_followed(
    sim: Simulator, client: Client, tmp_path: Path
) -> None:
    path = tmp_path / "token"
    access = way_of(FileToken(path), client)
    keeper = way_of(StableToken(Secret(APP.secret)), client)
    for _ in range(2):
        daily_trend(keeper, DAY)
        path.write_text(keeper._keeper.get().value)  # type: ignore[attr-defined]
        assert isinstance(asked(access), Row)
        sim.revoke_token(APP.appid)
    assert refused(access).reason is Reason.TOKEN_REJECTED
    assert access.token_expires_at is None


# What the settings choose


# Reading


def test_a_reader_gives_the_row_of_its_day() -> None:
    body = {"list": [{"ref_date": "20261123", **{field.name: 1 for field in FIELDS}}]}
    assert row_reader(DAILY_TREND, PERIOD)(body) == trend_row(DAY, (1,) * len(FIELDS))


@pytest.mark.parametrize(
    ("body", "reason", "told"),
    [
        ({"list": []}, Reason.EMPTY, "WeChat has no row for 2026-11-23"),
        ({}, Reason.MALFORMED, "there is no 'list'"),
        (
            {"errMsg": "openapi:fail"},
            Reason.MALFORMED,
            "errMsg is 'openapi:fail', which does not end in :ok",
        ),
    ],
    ids=["empty", "no list", "a cloud call's failure without a code"],
)
def test_a_reader_tells_why_there_is_no_row(body: dict[str, object], reason: Reason, told: str) -> None:
    with pytest.raises(CallError) as caught:
        row_reader(DAILY_TREND, PERIOD)(body)
    assert (caught.value.failure.reason, caught.value.failure.action) == (reason, Action.NEXT_ROUND)
    assert str(caught.value) == told
    assert caught.value.__context__ is None
