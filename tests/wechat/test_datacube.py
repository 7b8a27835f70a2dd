import json
from datetime import date
from pathlib import Path

import pytest

from exporter.datasets.catalogue import CATALOGUE
from exporter.datasets.daily_trend import DAILY_TREND
from exporter.datasets.dataset import Dataset
from exporter.datasets.period import WEEK
from exporter.datasets.weekly_trend import WEEKLY_TREND
from exporter.wechat.datacube import ask_dataset, ask_quota, row_reader
from exporter.wechat.failures import advice
from exporter.wechat.failures.failure import Action, CallError, Failure, Reason
from tests.wechat.lines import Observed, opened
from tests.wechat.peers import Peer, json_body, says, whole

SAMPLES = Path(__file__).parents[1] / "samples"
YESTERDAY = date(2026, 11, 23)
PARAMS = {"access_token": "not-a-real-token"}


def refusal(code: int, dataset: Dataset) -> Failure:
    body = json_body({"errcode": code, "errmsg": "no"})
    with Peer(says(whole(body))) as peer, opened(peer.url) as client, pytest.raises(CallError) as caught:
        ask_dataset(client, dataset, dataset.calendar.newest(YESTERDAY), PARAMS, ())
    return caught.value.failure


def test_a_week_is_asked_for_from_monday_to_sunday_and_counted_by_its_own_interface() -> None:
    observed = Observed()
    answer = (SAMPLES / "weekly_visit_trend__doc_20170306-20170312.json").read_bytes()
    with Peer(says(whole(answer))) as peer, opened(peer.url, observed=observed) as client:
        row = ask_dataset(client, WEEKLY_TREND, WEEK.starting(date(2017, 3, 6)), PARAMS, ())
        head, _, body = peer.received[0].partition(b"\r\n\r\n")
    assert row.points[0].values[:2] == (986780, 3251840)
    assert head.startswith(b"POST /datacube/getweanalysisappidweeklyvisittrend?access_token=")
    assert json.loads(body) == {"begin_date": "20170306", "end_date": "20170312"}
    assert [endpoint.name for endpoint, _ in observed.calls] == ["getWeeklyVisitTrend"]


def test_a_reader_says_which_period_has_no_row() -> None:
    with pytest.raises(CallError) as caught:
        row_reader(WEEKLY_TREND, WEEK.newest(YESTERDAY))({"list": []})
    assert caught.value.failure.reason is Reason.EMPTY
    assert str(caught.value) == "WeChat has no row for 2026-11-16 to 2026-11-22"


def test_what_to_do_about_the_daily_trend_is_as_the_table_has_it() -> None:
    assert refusal(48001, DAILY_TREND).advice is advice.PERMISSION
    assert refusal(61502, DAILY_TREND).advice is advice.GAME


@pytest.mark.parametrize("dataset", CATALOGUE[1:], ids=lambda each: each.name)
@pytest.mark.parametrize("code", [48001, 61007, 61502])
def test_what_to_do_about_another_dataset_names_its_interface(code: int, dataset: Dataset) -> None:
    told = refusal(code, dataset).advice
    assert dataset.interface in told.en
    assert dataset.interface in told.zh
    assert "getDailyVisitTrend" not in told.en + told.zh
    assert "leave this dataset out" in told.en


@pytest.mark.parametrize("dataset", CATALOGUE, ids=lambda each: each.name)
def test_a_date_range_error_of_a_period_that_is_over_means_later(dataset: Dataset) -> None:
    problem = refusal(61501, dataset)
    assert (problem.reason, problem.action) == (Reason.DATE_RANGE, Action.NEXT_ROUND)


def test_a_quota_is_asked_for_by_path_with_the_token() -> None:
    observed = Observed()
    answer = json_body({"errcode": 0, "errmsg": "ok", "quota": {"daily_limit": 9, "used": 2, "remain": 7}})
    with Peer(says(whole(answer))) as peer, opened(peer.url, observed=observed) as client:
        assert ask_quota(client, DAILY_TREND.path, PARAMS, ()) == (9, 2, 7)
        head, _, body = peer.received[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /cgi-bin/openapi/quota/get?access_token=not-a-real-token HTTP/1.1\r\n")
    assert json.loads(body) == {"cgi_path": "/datacube/getweanalysisappiddailyvisittrend"}
    assert [endpoint.name for endpoint, _ in observed.calls] == ["getApiQuota"]


@pytest.mark.parametrize(
    ("body", "reason", "action"),
    [
        ({"errcode": 76021, "errmsg": "cgi_path not found"}, Reason.INTERNAL, Action.SUSPEND),
        ({"errcode": 76022, "errmsg": "could not use this cgi_path"}, Reason.PERMISSION, Action.SUSPEND),
        ({"errcode": 0, "errmsg": "ok"}, Reason.MALFORMED, Action.NEXT_ROUND),
    ],
    ids=["unknown path", "no permission", "no quota"],
)
def test_a_refused_quota_has_its_reason(body: object, reason: Reason, action: Action) -> None:
    with (
        Peer(says(whole(json_body(body)))) as peer,
        opened(peer.url) as client,
        pytest.raises(CallError) as caught,
    ):
        ask_quota(client, DAILY_TREND.path, PARAMS, ())
    assert (caught.value.failure.reason, caught.value.failure.action) == (reason, action)
