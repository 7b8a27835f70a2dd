"""The whole /metrics page, byte for byte; `UPDATE_GOLDEN=1` writes it anew after a wanted change."""

import os
import re
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from exporter.exposition.page import PageMaker
from exporter.exposition.telemetry import Telemetry
from exporter.store.entry import Entry, Health, HeldRow
from exporter.trend import parse_trend, window
from exporter.wechat import endpoints
from exporter.wechat.errors import Reason
from tests.building import NOON, YESTERDAY, make_app, make_failure

GOLDEN = Path(__file__).parent.parent / "golden"
UNSTEADY = re.compile(
    r"^(process_\w+|python_info|wechat_miniprogram_exporter_build_info)(\{.*\})? .*$", re.MULTILINE
)
"""Samples that differ from machine to machine: only their names are compared."""


def entries() -> dict[str, Entry]:
    """A healthy app, one with a late row and a field left out, one refused, one never asked."""
    answers = {
        back: parse_trend(
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
            YESTERDAY - timedelta(days=back),
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
    page = PageMaker().replace_all(entries(), window(YESTERDAY, 3))
    form = page.openmetrics if openmetrics else page.text
    whole = b"".join((*form.plain, telemetry.render(openmetrics=openmetrics))).decode()
    found = UNSTEADY.sub(r"\1 ~", whole)
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN") == "1":
        path.write_text(found, "utf-8")
    assert found == path.read_text("utf-8")
    if openmetrics:
        assert list(text_string_to_metric_families(whole))
