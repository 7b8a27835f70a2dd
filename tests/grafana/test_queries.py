"""The expressions of the dashboards alone, in a real Prometheus."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, timedelta
from pathlib import Path

import pytest

from exporter.beijing import DAY_SECONDS, midnight
from exporter.exposition.app_families import LAST_SUCCESS
from grafana.queries import week_before
from prometheus.expressions import REF_DATE, by_date, daily
from tests.grafana.boards import asked
from tests.prometheus.databases import in_prometheus, in_victoria_metrics
from tests.prometheus.history import HISTORY_DAYS, HOUR, STALE_AFTER, History
from tests.prometheus.servers import Database

FIRST = date(2025, 1, 6)
LAST = FIRST + timedelta(days=20)
"""The newest date of the app that is late; the other goes on."""
CORRECTED = LAST - timedelta(days=7)
DAYS = 30


def figure(day: date, at: float) -> int:
    """Return the week before of the late app's newest date is corrected down on the third day."""
    corrected = day == CORRECTED and at >= midnight(day) + 3 * DAY_SECONDS
    return 1000 + (day - FIRST).days - (500 if corrected else 0)


def history() -> History:
    """Return two apps whose dates come at 10:00 of the next day; WeChat has no more of one after LAST."""
    past = History()
    for at in range(midnight(FIRST) + DAY_SECONDS, midnight(FIRST) + DAYS * DAY_SECONDS, HOUR // 3):
        today = (at - midnight(FIRST)) // DAY_SECONDS
        held = [FIRST + timedelta(days=number) for number in range(max(0, today - HISTORY_DAYS), today)]
        held = [day for day in held if at >= midnight(day) + 34 * HOUR]
        for appid in ("late", "well"):
            its = [day for day in held if appid == "well" or day <= LAST]
            labels = f'appid="{appid}",name="{appid}",job="j",instance="a"'
            newest = max(its, default=LAST if today > 20 else None)
            if newest is None:
                continue
            past.lines += [
                (f"{daily('visit_uv')}{{{labels}}}", figure(newest, at), at),
                (f"{daily(REF_DATE)}{{{labels}}}", midnight(newest), at),
                (f"{LAST_SUCCESS.metric}{{{labels}}}", at, at),
            ]
            for day in its:
                dated = f'{labels},ref_date="{day}"'
                past.lines += [
                    (f"{by_date('visit_uv')}{{{dated}}}", figure(day, at), at),
                    (f"{by_date(REF_DATE)}{{{dated}}}", midnight(day), at),
                ]
    return past


@pytest.mark.real
def test_the_week_before_is_there_for_an_app_that_is_up_to_seven_days_late(
    program: Callable[[str], str], free_port: Callable[[], int], tmp_path: Path
) -> None:
    flags = [f"--query.lookback-delta={STALE_AFTER}s"]
    text = week_before("visit_uv").replace("$job", ".*")
    with in_prometheus(program, free_port, history(), tmp_path, flags) as database:
        for late in range(8):
            at = midnight(LAST) + (late + 1) * DAY_SECONDS + 12 * HOUR
            found = {
                series["metric"]["appid"]: float(series["value"][1]) for series in database.instant(text, at)
            }
            assert found == {
                "late": figure(CORRECTED, at),
                "well": figure(LAST + timedelta(days=late - 7), at),
            }, late


@pytest.mark.parametrize(
    "shown_in", [in_prometheus, in_victoria_metrics], ids=["prometheus", "victoria-metrics"]
)
def test_failed_calls_count_once_from_before_the_first_scrape_on(
    shown_in: Callable[..., AbstractContextManager[Database]],
    program: Callable[[str], str],
    free_port: Callable[[], int],
    tmp_path: Path,
) -> None:
    """One exporter is new, another has run for two days."""
    now = midnight(LAST)
    past = History()
    for instance, reason, since, value in (
        ("new", "account", HOUR, 8),
        ("new", "none", HOUR, 0),
        ("old", "timeout", 2 * DAY_SECONDS, 30),
    ):
        labels = f'job="j",instance="{instance}",endpoint="visit",reason="{reason}"'
        series = f"wechat_miniprogram_exporter_api_request_failures_total{{{labels}}}"
        past.lines += [(series, value, at) for at in range(now - since, now + 1, 60)]
    [target] = [each for each in asked() if each.name.startswith("en/exporter: Failed calls")]
    with shown_in(program, free_port, past, tmp_path) as database:
        found = database.instant(target.expression(), now)
    assert {series["metric"]["reason"]: float(series["value"][1]) for series in found} == {"account": 8}
