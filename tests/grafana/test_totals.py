"""Sixty simulated dates of late, renamed and corrected apps: totals, changes and trend in real databases."""

from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from exporter.beijing import BEIJING, DAY_SECONDS, midnight
from exporter.exposition.app_families import INFO, LAST_SUCCESS
from grafana.totals import (
    apps_per_date,
    change,
    per_date,
    settled_apps_per_date,
    settled_per_date,
    total,
)
from prometheus.expressions import REF_DATE
from prometheus.recording import recorded, settled
from tests.prometheus.databases import GRIDS, grid, in_prometheus, in_victoria_metrics
from tests.prometheus.history import (
    ALONE,
    APPS,
    DATES,
    HISTORY_DAYS,
    HOUR,
    REPLICAS,
    STALE_AFTER,
    History,
    figure,
    history,
    published,
)
from tests.prometheus.servers import Database

Answers = dict[date, float]
NOW = midnight(DATES[-1]) + DAY_SECONDS + 12 * HOUR
SHOWN = range(HISTORY_DAYS)
"""How many days before the newest date the dates on show are."""


def asked(text: str, at: float = NOW) -> str:
    """Return the expression as Grafana asks it, with the filter on the apps that have a by-date family."""
    for variable, value in (
        ("$job", ".*"),
        ("$label", "appid"),
        ("$value", "wx."),
        ("${__to:date:seconds}", f"{at:.0f}"),
    ):
        text = text.replace(variable, value)
    return text


def with_info(past: History) -> History:
    """Return every app has its info metric whenever it has an answer."""
    shown = [
        (series.replace(LAST_SUCCESS.metric, INFO.metric), 1.0, at)
        for series, _, at in past.lines
        if series.startswith(LAST_SUCCESS.metric)
    ]
    return History([*past.lines, *shown], past.known, past.latest, past.asked)


def recordings(database: Database) -> Iterator[tuple[str, float, int]]:
    """Yield what the rules for settled rows record."""
    start, end = midnight(DATES[0]) + DAY_SECONDS, NOW
    for metric in ("visit_pv", REF_DATE):
        name = recorded(metric, "settled")
        for series in database.ranged(settled(metric), start, end, HOUR):
            labels = ",".join(f'{key}="{value}"' for key, value in series["metric"].items())
            for at, value in series["values"]:
                yield f"{name}{{{labels}}}", float(value), round(float(at))


@pytest.fixture(scope="module", params=[ALONE, REPLICAS], ids=["one exporter", "several exporters"])
def past(
    request: pytest.FixtureRequest,
    program: Callable[[str], str],
    free_port: Callable[[], int],
    tmp_path_factory: pytest.TempPathFactory,
) -> History:
    """Return the history, and what the rules make of it."""
    shown = with_info(history(request.param))
    folder = tmp_path_factory.mktemp("raw")
    flags = [f"--query.lookback-delta={STALE_AFTER}s"]
    with in_prometheus(program, free_port, shown, folder, flags) as database:
        shown.lines.extend(list(recordings(database)))
    return shown


def points(database: Database, expression: str, zone: str, label: str = "") -> dict[tuple[date, str], float]:
    """Return what stands on each date, in Beijing, and the label's value."""
    found = {}
    for series in database.ranged(asked(expression), *grid(zone), DAY_SECONDS):
        for at, value in series["values"]:
            day = datetime.fromtimestamp(float(at), BEIJING).date()
            found[day, series["metric"].get(label, "")] = float(value)
    return found


def have(past: History, day: date) -> list[str]:
    return [
        appid
        for number, appid in enumerate(APPS)
        if (appid, day) in past.known and published(number, DATES.index(day)) <= NOW
    ]


def grade_trend(database: Database, past: History) -> None:
    """Check that each date has its apps' total and count once, on any grid."""
    newest = DATES[-1]
    on_show = [newest - timedelta(days=back) for back in SHOWN]
    for zone in GRIDS:
        start, end = grid(zone)
        days = {
            datetime.fromtimestamp(at, BEIJING).date() for at in range(int(start), int(end) + 1, DAY_SECONDS)
        }
        for recent, before, expected in (
            (per_date("visit_pv"), settled_per_date("visit_pv"), lambda day: total_of(past, day)),
            (apps_per_date(), settled_apps_per_date(), lambda day: len(have(past, day))),
        ):
            older = points(database, before, zone)
            wanted = {(day, ""): expected(day) for day in DATES if day in days and day not in on_show}
            assert all(wanted.get(key) == value for key, value in older.items()), zone
            assert len(older) >= len(wanted) - 4, zone  # both moments of a date lie in a gap
            found = points(database, recent, zone, "incomplete")
            shown = [day for day in on_show if day in days and have(past, day)]
            assert found == {(day, marked(past, day)): expected(day) for day in shown}, zone


def total_of(past: History, day: date) -> float:
    return sum(past.known[appid, day] for appid in have(past, day))


def marked(past: History, day: date) -> str:
    """Return whether fewer apps have the date than the one before, among those on show."""
    before = day - timedelta(days=1)
    if before < DATES[-1] - timedelta(days=SHOWN[-1]):
        return "0"
    return str(int(len(have(past, day)) < len(have(past, before))))


def grade_changes(database: Database, past: History) -> None:
    """Check at odd hours that totals and changes cover the apps with both dates, or are absent."""
    start, end = midnight(DATES[36]), midnight(DATES[58])
    for days, enough in ((0, 1), (1, 1), (7, 1), (30, 0.8)):
        expression = change("visit_pv", days) if days else total("visit_pv")
        right = possible = late = 0
        for at in range(start, end + 1, 13 * HOUR):
            held = {appid: past.latest[appid, at] for appid in APPS if (appid, at) in past.latest}
            if not held:
                continue  # a gap between scrapes
            late += len(set(held.values())) > 1
            expected = wanted(held, days, at)
            found = database.instant(asked(expression, at), at)
            if found:
                assert float(found[0]["value"][1]) == pytest.approx(expected, abs=1e-9), (days, at)
            possible += expected is not None
            right += bool(found)
        assert right >= enough * possible, days
        assert possible > 25
        assert late > 5


def wanted(held: dict[str, date], days: int, at: int) -> float | None:
    """Return the sum over the apps with the newest date, or its change on those with both dates."""
    newest = max(held.values())
    now, then = 0.0, 0.0
    for number, appid in enumerate(APPS):
        index = DATES.index(newest - timedelta(days=days))
        if held.get(appid) == newest and published(number, index) <= at:
            now += figure(number, DATES.index(newest), at)
            then += figure(number, index, at)
    if not days:
        return now
    return now / then - 1 if then else None


def test_prometheus_shows_totals_changes_and_trend(
    past: History, program: Callable[[str], str], free_port: Callable[[], int], tmp_path: Path
) -> None:
    flags = [f"--query.lookback-delta={STALE_AFTER}s"]
    with in_prometheus(program, free_port, past, tmp_path, flags) as database:
        grade_trend(database, past)
        grade_changes(database, past)


def test_victoria_metrics_shows_totals_changes_and_trend(
    past: History, program: Callable[[str], str], free_port: Callable[[], int], tmp_path: Path
) -> None:
    flags = [f"-search.maxStalenessInterval={STALE_AFTER}s"]
    with in_victoria_metrics(program, free_port, past, tmp_path, flags) as database:
        grade_trend(database, past)
        grade_changes(database, past)
