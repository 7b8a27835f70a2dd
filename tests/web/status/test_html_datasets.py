from dataclasses import replace
from datetime import date

import pytest
from bs4 import BeautifulSoup

from exporter.datasets.period import WEEK
from exporter.datasets.quota import QUOTA
from exporter.store.entry import Entry, HeldQuota, HeldRow, Table
from exporter.web.status.html import StatusData
from exporter.web.status.language import Language
from exporter.wechat.failures import advice
from exporter.wechat.failures.errcodes import errcode_failure
from tests.building import NOON, make_row
from tests.web.status.rendered import HELD, OK, REFUSED, cell, one, page, rendered, text

WEEK_ROW = replace(make_row(scale=50), period=WEEK.starting(date(2026, 11, 16)))
PERMISSION = replace(OK, failure=errcode_failure(48001, "<api unauthorized>"))
DATASETS = ("weekly_trend", "daily_summary", QUOTA)
WITH_DATASETS = replace(
    HELD,
    tables={
        "weekly_trend": Table((HeldRow(WEEK_ROW, NOON),), OK),
        "daily_summary": Table((), PERMISSION),
        QUOTA: Table((), OK),
    },
    quotas={"/datacube/getweanalysisappidvisitpage": HeldQuota((100_000, 1234, None), NOON - 120)},
)


def dataset_page(entry: Entry, language: Language = Language.EN) -> BeautifulSoup:
    data = StatusData([entry], NOON, None, 3600.0, "/metrics", datasets=DATASETS)
    return rendered(data, language)


@pytest.mark.parametrize(
    ("language", "summary", "week"),
    [
        (
            Language.EN,
            "Datasets Weekly trend 2026-11-16 Daily summary – Quota",
            "Weekly trend weekly_trend OK 2026-11-16 – 2026-11-22 last figures 11:59",
        ),
        (
            Language.ZH,
            "数据集 周趋势 2026-11-16 概况趋势 – 额度",
            "周趋势 weekly_trend 正常 2026-11-16 – 2026-11-22 最近一次取得数据 11:59",
        ),
    ],
)
def test_each_dataset_of_an_app_has_its_state_and_date(language: Language, summary: str, week: str) -> None:
    soup = dataset_page(WITH_DATASETS, language)
    assert text(one(soup, ".datasets summary")) == summary
    marks = [use["href"] for use in soup.select(".datasets summary use")]
    assert marks == ["#mark-ok", "#mark-failing", "#mark-ok"]
    assert one(soup, "tbody")["class"] == ["app", "dataset_failing"]
    assert text(soup.select(".datasets li")[0]) == week


@pytest.mark.parametrize(
    ("language", "words"),
    [(Language.EN, "1,234 more than are kept"), (Language.ZH, "另有 1,234 项超出上限，未保留")],
)
def test_what_a_row_has_over_the_cap_is_said(language: Language, words: str) -> None:
    cut = Table((HeldRow(replace(WEEK_ROW, dropped=1234), NOON),), OK)
    soup = dataset_page(replace(WITH_DATASETS, tables={"weekly_trend": cut}), language)
    assert words in text(soup.select(".datasets li")[0])


def test_a_failing_dataset_is_open_and_has_its_cause_and_advice() -> None:
    soup = dataset_page(WITH_DATASETS)
    assert one(soup, ".datasets details").has_attr("open")
    item = soup.select(".datasets li")[1]
    assert text(one(item, ".cause b")) == "No permission"
    assert text(one(item, ".detail")) == "errcode 48001: <api unauthorized>"
    assert advice.PERMISSION.en in text(one(item, ".cause"))
    assert not soup.select("tr.trouble")


def test_datasets_stay_closed_where_all_is_well_or_the_app_itself_fails() -> None:
    well = replace(WITH_DATASETS, tables={"weekly_trend": WITH_DATASETS.tables["weekly_trend"]})
    for entry in (well, replace(WITH_DATASETS, health=REFUSED)):
        assert not one(dataset_page(entry), ".datasets details").has_attr("open")


def test_weekly_visitors_stand_beside_the_days() -> None:
    soup = dataset_page(WITH_DATASETS)
    assert cell(soup, "coffee", "Visitors") == "16 1d +100% 7d +100% WAU 400"
    assert one(soup, 'td.figure [title="2026-11-16 – 2026-11-22"]')
    assert "WAU and MAU are the distinct visitors" in text(one(soup, "footer"))


def test_wechats_own_count_of_calls_is_shown() -> None:
    assert text(dataset_page(WITH_DATASETS).select(".datasets li")[-1]) == (
        "Quota /datacube/getweanalysisappidvisitpage 1,234 of 100,000 calls used asked 2 min ago"
    )


@pytest.mark.parametrize(
    ("language", "line"), [(Language.EN, "Quota quota Failing"), (Language.ZH, "额度 quota 失败")]
)
def test_a_count_of_calls_that_wechat_refuses_has_its_cause_and_advice(language: Language, line: str) -> None:
    tables = {**WITH_DATASETS.tables, "daily_summary": Table(), QUOTA: Table((), PERMISSION)}
    soup = dataset_page(replace(WITH_DATASETS, tables=tables), language)
    assert one(soup, "tbody")["class"] == ["app", "dataset_failing"]
    assert one(soup, ".datasets details").has_attr("open")
    item = soup.select(".datasets li")[2]
    assert text(item).startswith(line)
    assert text(one(item, ".detail")) == "errcode 48001: <api unauthorized>"
    assert advice.PERMISSION.text(language) in text(item)


def test_a_count_of_calls_that_was_switched_off_is_not_shown() -> None:
    data = StatusData([WITH_DATASETS], NOON, None, 3600.0, "/metrics", datasets=("weekly_trend",))
    assert "Quota" not in text(one(rendered(data), ".datasets"))


def test_an_app_without_datasets_has_no_line_for_them() -> None:
    none = replace(HELD, app=replace(HELD.app, datasets=()))
    soup = dataset_page(replace(WITH_DATASETS, app=none.app, quotas={}))
    assert not soup.select(".datasets")
    assert "WAU" not in cell(soup, "coffee", "Visitors")
    assert not page().select(".datasets")
