import json
from pathlib import Path

import pytest

from exporter.datasets.catalogue import BY_INTERFACE, BY_NAME, BY_PATH, CATALOGUE
from exporter.datasets.dataset import Dataset
from exporter.datasets.metrics import Metric, dated_metrics, newest_metrics
from exporter.datasets.quota import QUOTA_FIELDS, QUOTA_LABELS
from exporter.datasets.visit_distribution import SOURCES
from exporter.exposition import app_families

SEVEN = (
    "session_cnt",
    "visit_pv",
    "visit_uv",
    "visit_uv_new",
    "stay_time_uv_seconds",
    "stay_time_session_seconds",
    "visit_depth",
)
DATE = "ref_date_timestamp_seconds"
END = "end_timestamp_seconds"
SUMMARY = ("visit_total_users", "share_pv", "share_uv")
PAGES = ("visit_pv", "visit_uv", "staytime_pv_seconds", "entrypage_pv", "exitpage_pv", "share_pv", "share_uv")

CONTRACT: dict[str, dict[str, tuple[str, ...]]] = {
    "daily_trend": {
        **{f"daily_{name}": () for name in (*SEVEN, DATE)},
        **{f"by_date_{name}": ("ref_date",) for name in (*SEVEN, DATE)},
    },
    "weekly_trend": {
        **{f"weekly_{name}": () for name in (*SEVEN, DATE, END)},
        **{f"by_week_{name}": ("ref_date",) for name in (*SEVEN, DATE, END)},
    },
    "monthly_trend": {
        **{f"monthly_{name}": () for name in (*SEVEN, DATE, END)},
        **{f"by_month_{name}": ("ref_date",) for name in (*SEVEN, DATE, END)},
    },
    "daily_summary": {
        **{f"daily_{name}": () for name in SUMMARY},
        **{f"by_date_{name}": ("ref_date",) for name in SUMMARY},
    },
    "daily_retention": {
        f"daily_retain_{name}": ("day",)
        for name in ("visit_uv_new", "visit_uv", "cohort_visit_uv_new", "cohort_visit_uv", DATE)
    },
    "visit_distribution": {
        "daily_access_source_session_cnt": ("source",),
        "daily_access_source_visit_uv": ("source",),
        "daily_access_staytime_session_cnt": ("staytime",),
        "daily_access_depth_session_cnt": ("depth",),
    },
    "visit_pages": {f"daily_page_{name}": ("page_path",) for name in PAGES},
}
NOT_ADDITIVE = {
    "visit_uv",
    "stay_time_uv",
    "stay_time_session",
    "visit_depth",
    "visit_total",
    "share_uv",
    "access_source_visit_uv",
    "page_visit_uv",
    "page_staytime_pv",
    "page_share_uv",
}
datasets = pytest.mark.parametrize("dataset", CATALOGUE, ids=lambda dataset: dataset.name)


def metrics(dataset: Dataset) -> tuple[Metric, ...]:
    return (*newest_metrics(dataset), *dated_metrics(dataset))


@datasets
def test_the_metrics_and_labels_are_the_contracts(dataset: Dataset) -> None:
    assert {metric.name: metric.labels for metric in metrics(dataset)} == CONTRACT[dataset.name]


def test_there_is_a_dataset_for_each_of_the_contract() -> None:
    assert list(BY_NAME) == list(CONTRACT)
    assert len(BY_PATH) == len(BY_INTERFACE) == len(CATALOGUE)


def test_the_quotas_metrics_are_the_contracts() -> None:
    assert [field.metric for field in QUOTA_FIELDS] == [
        "api_quota_daily_limit",
        "api_quota_used",
        "api_quota_remain",
    ]
    assert QUOTA_LABELS == ("cgi_path",)


def test_no_two_metrics_have_one_name() -> None:
    names = [metric.name for dataset in CATALOGUE for metric in metrics(dataset)]
    assert len(set(names)) == len(names)


@datasets
def test_a_unit_ends_the_metrics_name(dataset: Dataset) -> None:
    for metric in metrics(dataset):
        assert metric.unit in ("", "seconds", "users")
        assert not metric.unit or metric.name.endswith(f"_{metric.unit}")
        assert metric.unit or not metric.name.endswith(("_seconds", "_users", "_total"))


@datasets
def test_a_help_text_has_the_chinese_term_the_unit_and_whether_to_add(dataset: Dataset) -> None:
    assert any("\u4e00" <= sign <= "\u9fff" for sign in dataset.chinese)
    for field in dataset.fields:
        assert field.help.startswith(f"{field.name} {field.chinese}: ")
        assert ("in seconds" in field.help) == (field.unit == "seconds")
        assert ("Do not add up over" in field.help) == (not field.additive)
        assert "\n" not in field.help
        retained = dataset.name == "daily_retention"
        assert (not field.additive) == (retained or field.name in NOT_ADDITIVE)


def test_the_daily_trends_families_are_those_on_the_page() -> None:
    trend = BY_NAME["daily_trend"]
    shown = [(each.name, each.help, each.unit) for each in (*app_families.DAILY, *app_families.BY_DATE)]
    assert [(metric.name, metric.help, metric.unit) for metric in metrics(trend)] == shown


def test_the_sources_are_wechats_57() -> None:
    assert [source.key for source in SOURCES] == list(range(1, 58))
    assert len({source.name_zh for source in SOURCES}) == len({source.name_en for source in SOURCES}) == 57


@datasets
def test_wechats_paths_and_interfaces_go_together(dataset: Dataset) -> None:
    table = json.loads((Path(__file__).parent / "interfaces.json").read_text())
    assert table[dataset.interface] == dataset.path
