"""The whole /metrics page, byte for byte; `UPDATE_GOLDEN=1` writes it again after a wanted change."""

import os
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from exporter.beijing import window
from exporter.config.datasets import DatasetSettings
from exporter.datasets.daily_trend import DAILY_TREND
from exporter.datasets.dataset import Point, Row
from exporter.datasets.enabled import EnabledDataset, enabled
from exporter.datasets.period import DAY
from exporter.exposition.dataset_families import DatasetFamilies, QuotaFamilies
from exporter.exposition.page import PageRenderer, excerpt
from exporter.exposition.telemetry import Telemetry
from exporter.store.entry import Entry, Health, HeldQuota, HeldRow, Table
from exporter.wechat import endpoints
from exporter.wechat.failures.failure import Reason
from tests.building import NOON, YESTERDAY, make_app, make_failure, text_of

GOLDEN = Path(__file__).parent.parent / "golden"
UNSTEADY = re.compile(
    r"^(process_\w+|python_info|wechat_miniprogram_exporter_build_info)(\{.*\})? .*$", re.MULTILINE
)
"""Samples that differ from machine to machine: only their names are compared."""


def entries() -> dict[str, Entry]:
    """Return a healthy app, one with a late row and a field left out, one refused, one never asked."""
    answers = {
        back: DAILY_TREND.read(
            {
                "list": [
                    {
                        "ref_date": f"{YESTERDAY - timedelta(days=back):%Y%m%d}",
                        "session_cnt": 1082 + back,
                        "visit_pv": 4577 + back,
                        "visit_uv": 495 + back,
                        "visit_uv_new": 0,
                        **({"stay_time_uv": 211} if back != 1 else {}),
                        "stay_time_session": 96.5296,
                        "visit_depth": "2.66",
                    }
                ]
            },
            DAY.starting(YESTERDAY - timedelta(days=back)),
        )
        for back in range(3)
    }
    held = tuple(HeldRow(row, NOON - 60) for row in answers.values() if row is not None)
    fine = Health(last_refresh=NOON, last_success=NOON)
    late = Health(last_refresh=NOON, last_success=NOON - 86400, failure=make_failure(Reason.NOT_READY, 61503))
    refused = Health(last_refresh=NOON, failure=make_failure(Reason.IP_NOT_ALLOWED, 40164))
    labels = (("city", "广州"), ("team", "retail"))
    made = (
        Entry(make_app(1, "奶茶小铺", labels), "stable_token", held, fine, NOON + 7200),
        Entry(make_app(2, 'back\\slash "quoted"\nline'), "file", held[1:], late),
        Entry(make_app(3, "museum-guide"), "stable_token", (), refused),
        Entry(make_app(4), "stable_token"),
    )
    return {entry.app.appid: entry for entry in made}


@pytest.mark.parametrize(("name", "openmetrics"), [("metrics.txt", False), ("metrics.openmetrics.txt", True)])
def test_the_page_is_as_it_was(name: str, openmetrics: bool) -> None:  # noqa: FBT001
    telemetry = Telemetry(lambda: NOON)
    telemetry.configured(4, 3600)
    telemetry.call(endpoints.STABLE_ACCESS_TOKEN, 0.12, None)
    telemetry.call(endpoints.DAILY_VISIT_TREND, 0.3, Reason.NOT_READY)
    telemetry.round_finished(1.5)
    page = PageRenderer().replace_all(entries(), window(YESTERDAY, 3))
    form = page.openmetrics if openmetrics else page.text
    whole = (text_of(form) + telemetry.render(openmetrics=openmetrics)).decode()
    found = UNSTEADY.sub(r"\1 ~", whole)
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN") == "1":
        path.write_text(found, "utf-8")
    assert found == path.read_text("utf-8")
    if openmetrics:
        assert list(text_string_to_metric_families(whole))


SETTINGS = (
    DatasetSettings("weekly_trend", history=2),
    DatasetSettings("monthly_trend"),
    DatasetSettings("daily_summary", history=2),
    DatasetSettings("daily_retention", days=(1, 30)),
    DatasetSettings("visit_distribution"),
    DatasetSettings("visit_pages", top=1, allow=("pages/pay/*",)),
)
LABELS: dict[str, list[tuple[str, ...]]] = {
    "daily_retention": [("1",), ("30",)],
    "visit_distribution": [("2", "", ""), ("", "0-2s", ""), ("", "", "6-10")],
    "visit_pages": [("pages/index",), ('pages/"quoted"',), ("pages/pay/card",), ("",)],
}


def table(each: EnabledDataset) -> Table:
    """Return two periods with all different figures, and None under labels that a figure lacks."""
    dataset = each.dataset
    newest = dataset.calendar.newest(YESTERDAY)
    rows = []
    for back in range(2):
        points = tuple(
            Point(
                labels,
                tuple(
                    100 * (back + 1) + 10 * place + column
                    if not field.label or labels[dataset.labels.index(field.label)]
                    else None
                    for column, field in enumerate(dataset.fields)
                ),
            )
            for place, labels in enumerate(LABELS.get(dataset.name, [()]))
        )
        rows.append(HeldRow(Row(dataset.calendar.earlier(newest, back), points), NOON - 60))
    return Table(tuple(rows), Health(last_refresh=NOON, last_success=NOON))


@pytest.mark.parametrize(
    ("name", "openmetrics"), [("datasets.txt", False), ("datasets.openmetrics.txt", True)]
)
def test_the_families_of_all_datasets_are_as_they_were(name: str, openmetrics: bool) -> None:  # noqa: FBT001
    shown = tuple(DatasetFamilies(each, each.window(NOON)) for each in enabled(SETTINGS))
    tables = {each.name: table(each.enabled) for each in shown}
    spent = Health(last_refresh=NOON, failure=make_failure(Reason.QUOTA_DAILY, 45009))
    quotas = {DAILY_TREND.path: HeldQuota((1000, 12, 988), NOON)}
    whole = Entry(make_app(1, "奶茶小铺"), "stable_token", tables=tables, quotas=quotas)
    failing = Entry(
        replace(make_app(2, "museum-guide"), datasets=("weekly_trend",)),
        "stable_token",
        tables={"weekly_trend": Table(tables["weekly_trend"].rows[1:], spent), "visit_pages": Table()},
    )
    page = PageRenderer().replace_all(
        {entry.app.appid: entry for entry in (whole, failing)}, (), (*shown, QuotaFamilies(since=0))
    )
    form = page.openmetrics if openmetrics else page.text
    found = (text_of(form) + (b"# EOF\n" if openmetrics else b"")).decode()
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN") == "1":
        path.write_text(found, "utf-8")
    assert found == path.read_text("utf-8")
    assert excerpt(page, page.entries, openmetrics=openmetrics) == found.encode()
    if openmetrics:
        assert list(text_string_to_metric_families(found))
