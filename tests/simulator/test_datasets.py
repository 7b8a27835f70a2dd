"""The datasets over HTTP: WeChat's rules, faults of one of them, the quota, the cloud function."""

import json
from collections.abc import Callable
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import pytest

from exporter.beijing import BEIJING
from exporter.datasets.body_parsing import MalformedRowError
from exporter.datasets.catalogue import BY_NAME, CATALOGUE
from exporter.datasets.dataset import Dataset
from exporter.datasets.period import Period
from exporter.datasets.quota import QUOTA_PATH
from exporter.simulator.faults import Fault
from exporter.simulator.rules import CLOUD_ENV, CLOUD_FUNCTION, FUNCTION_PATH

if TYPE_CHECKING:
    from tests.simulator.conftest import Client

DAYS = [dataset for dataset in CATALOGUE if dataset.calendar.name == "day"]
datasets = pytest.mark.parametrize("dataset", CATALOGUE, ids=lambda dataset: dataset.name)
OLD = {
    "day": Period(date(2026, 11, 1), date(2026, 11, 1)),
    "week": Period(date(2026, 11, 9), date(2026, 11, 15)),
    "month": Period(date(2026, 10, 1), date(2026, 10, 31)),
}


def ask(client: "Client", dataset: Dataset, period: Period) -> dict[str, Any]:
    params = {"access_token": client.token()}
    answer: dict[str, Any] = client.post(
        dataset.path, params=params, json=dict(dataset.request(period))
    ).json()
    return answer


def errcode(client: "Client", name: str, begin: str, end: str) -> int:
    period = Period(date.fromisoformat(begin), date.fromisoformat(end))
    return int(ask(client, BY_NAME[name], period).get("errcode", 0))


@datasets
def test_a_period_that_is_over_is_answered(client: "Client", dataset: Dataset) -> None:
    period = OLD[dataset.calendar.name]
    row = dataset.read(ask(client, dataset, period), period)
    assert row is not None
    assert row.points
    name = "daily_visit_trend" if dataset.name == "daily_trend" else dataset.name
    assert client.sim.calls(name, client.appid, "ok") == 1


@pytest.mark.parametrize("dataset", DAYS, ids=lambda dataset: dataset.name)
def test_a_day_that_is_not_ready_or_not_over(started: Callable[..., "Client"], dataset: Dataset) -> None:
    client = started()  # 15:00; published at 09:30
    assert errcode(client, dataset.name, "2026-11-23", "2026-11-23") == 0
    client.sim.clock.advance(-6 * 3600)
    assert errcode(client, dataset.name, "2026-11-23", "2026-11-23") == 61503
    assert errcode(client, dataset.name, "2026-11-24", "2026-11-24") == 61501


@pytest.mark.parametrize(
    ("now", "name", "begin", "end", "expected"),
    [
        ("2026-11-24 15:00", "weekly_trend", "2026-11-16", "2026-11-22", 0),
        ("2026-11-23 09:29", "weekly_trend", "2026-11-16", "2026-11-22", 61501),
        ("2026-11-23 09:30", "weekly_trend", "2026-11-16", "2026-11-22", 0),
        ("2026-11-24 15:00", "weekly_trend", "2026-11-23", "2026-11-29", 61501),
        ("2026-11-24 15:00", "weekly_trend", "2026-11-15", "2026-11-21", 61501),
        ("2026-11-24 15:00", "weekly_trend", "2026-11-09", "2026-11-22", 61501),
        ("2026-11-24 15:00", "weekly_trend", "2026-11-16", "2026-11-23", 61501),
        ("2026-11-24 15:00", "monthly_trend", "2026-10-01", "2026-10-31", 0),
        ("2026-11-24 15:00", "monthly_trend", "2026-10-01", "2026-10-30", 61501),
        ("2026-11-24 15:00", "monthly_trend", "2026-11-01", "2026-11-30", 61501),
        ("2026-12-01 09:00", "monthly_trend", "2026-11-01", "2026-11-30", 61501),
        ("2026-12-01 09:31", "monthly_trend", "2026-11-01", "2026-11-30", 0),
    ],
)
def test_weeks_and_months_have_to_be_whole_and_over(
    client: "Client", now: str, name: str, begin: str, end: str, expected: int
) -> None:
    client.sim.clock.set(datetime.fromisoformat(now).replace(tzinfo=BEIJING).timestamp())
    assert errcode(client, name, begin, end) == expected


def test_yesterdays_cohort_has_key_0_alone(client: "Client") -> None:
    period = Period(date(2026, 11, 23), date(2026, 11, 23))
    answer = ask(client, BY_NAME["daily_retention"], period)
    assert [item["key"] for item in answer["visit_uv"]] == [0]


def test_there_is_an_index_that_is_not_documented(client: "Client") -> None:
    answer = ask(client, BY_NAME["visit_distribution"], OLD["day"])
    assert [entry["index"] for entry in answer["list"]] == [
        "access_source_session_cnt",
        "access_source_visit_uv",
        "access_staytime_info",
        "access_depth_info",
    ]


REFUSED = (
    Fault.WRONG_DATE,
    Fault.NULL_FIGURE,
    Fault.NEGATIVE,
    Fault.BOOL_FIGURE,
    Fault.NAN,
    Fault.OBJECT_LIST,
    Fault.TWO_ROWS,
)


@datasets
def test_a_fault_of_rows_makes_a_body_that_the_exporter_refuses(client: "Client", dataset: Dataset) -> None:
    period = OLD[dataset.calendar.name]
    for fault in REFUSED:
        client.sim.faults.switch(client.appid, fault, dataset=dataset.name)
        with pytest.raises(MalformedRowError):
            dataset.read(ask(client, dataset, period), period)
    client.sim.faults.switch(client.appid, Fault.EMPTY, dataset=dataset.name)
    assert dataset.read(ask(client, dataset, period), period) is None


@datasets
@pytest.mark.parametrize("fault", [Fault.CAMEL_CASE, Fault.STRINGS])
def test_an_oddity_that_is_no_fault_leaves_the_row(client: "Client", dataset: Dataset, fault: Fault) -> None:
    period = OLD[dataset.calendar.name]
    right = dataset.read(ask(client, dataset, period), period)
    client.sim.faults.switch(client.appid, fault, dataset=dataset.name)
    answer = ask(client, dataset, period)
    assert dataset.read(answer, period) == right
    assert answer.get("errMsg", "").startswith(f"openapi.analysis.{dataset.interface}") == (
        fault is Fault.CAMEL_CASE
    )


def test_more_came_back_than_there_were(client: "Client") -> None:
    retention = BY_NAME["daily_retention"]
    client.sim.faults.switch(client.appid, Fault.ABOVE_COHORT, dataset="daily_retention")
    with pytest.raises(MalformedRowError, match="more than the cohort's"):
        retention.read(ask(client, retention, OLD["day"]), OLD["day"])


def test_a_fault_of_one_dataset_leaves_the_others(client: "Client") -> None:
    path = f"/_sim/apps/{client.appid}/fault"
    report = client.post(path, json={"fault": "permission", "dataset": "weekly_trend"}).json()
    assert report["faults"] == {"data weekly_trend": "permission"}
    week, month = OLD["week"], OLD["month"]
    assert ask(client, BY_NAME["weekly_trend"], week)["errcode"] == 48001
    assert "list" in ask(client, BY_NAME["monthly_trend"], month)
    assert "list" in client.trend().json()


def quota(client: "Client", path: object) -> dict[str, Any]:
    answer: dict[str, Any] = client.post(
        QUOTA_PATH, params={"access_token": client.token()}, json={"cgi_path": path}
    ).json()
    return answer


def test_the_quota_counts_the_calls_of_the_day(client: "Client") -> None:
    for _ in range(3):
        client.trend()
    path = BY_NAME["daily_trend"].path
    assert quota(client, path)["quota"] == {"daily_limit": 100000, "used": 3, "remain": 99997}
    assert quota(client, BY_NAME["visit_pages"].path)["quota"]["used"] == 0
    client.sim.clock.advance(86_400)
    assert quota(client, path)["quota"]["used"] == 0


@pytest.mark.parametrize("dataset", ["", "visit_pages"], ids=["all", "one"])
def test_a_quota_that_is_spent_is_counted_as_spent(client: "Client", dataset: str) -> None:
    client.sim.faults.switch(client.appid, Fault.QUOTA_DAILY, dataset=dataset)
    assert quota(client, BY_NAME["visit_pages"].path)["quota"]["remain"] == 0
    assert (quota(client, BY_NAME["weekly_trend"].path)["quota"]["remain"] == 0) == (not dataset)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/datacube/nothing", 76021),
        ("datacube/x", 76003),
        (None, 76003),
        ("https://api.weixin.qq.com/x", 76003),
    ],
)
def test_the_quota_of_no_interface_is_refused(client: "Client", path: object, expected: int) -> None:
    assert quota(client, path)["errcode"] == expected


def invoke(client: "Client", **event: str) -> dict[str, Any]:
    params = {"access_token": client.token(), "env": CLOUD_ENV, "name": CLOUD_FUNCTION}
    answer = client.post(FUNCTION_PATH, params=params, json=event).json()
    returned: dict[str, Any] = json.loads(answer["resp_data"])
    return returned


@datasets
def test_the_cloud_function_takes_the_interface_by_name(client: "Client", dataset: Dataset) -> None:
    period = OLD[dataset.calendar.name]
    dates = dataset.request(period)
    event = {"beginDate": dates["begin_date"], "endDate": dates["end_date"]}
    returned = invoke(client, interface=dataset.interface, **event)
    assert returned["errMsg"] == f"openapi.analysis.{dataset.interface}:ok"
    assert dataset.read(returned, period) == dataset.read(ask(client, dataset, period), period)


def test_an_interface_that_the_cloud_function_has_not_is_refused(client: "Client") -> None:
    returned = invoke(client, interface="getUserPortrait", beginDate="20261101", endDate="20261101")
    assert returned["errCode"] == -604101
    assert returned["errMsg"].startswith("openapi.analysis.getUserPortrait:fail ")
