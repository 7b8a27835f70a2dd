"""Sixty simulated dates in real databases: every dated expression graded per date on three grids."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from itertools import product
from pathlib import Path
from statistics import median

import pytest

from exporter.beijing import BEIJING, DAY_SECONDS, midnight
from grafana.queries import (
    AT_END,
    dated,
    dated_ratio,
    dates_on_show,
)
from prometheus.expressions import before, newest, per_date, per_date_from_latest, seen_before, usual
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
    history,
    published,
)
from tests.prometheus.servers import Database

BOTH = 'appid!~".*l"'
LATEST = 'appid=~".*l"'
Graded = dict[tuple[str, date], float]


def per_beijing_date(database: Database, expression: str, zone: str) -> Graded:
    """Return what stands on each date, in Beijing; two series of one app there are an error."""
    found = {}
    for series in database.ranged(expression, *grid(zone), DAY_SECONDS):
        for at, value in series["values"]:
            key = series["metric"]["appid"], datetime.fromtimestamp(at, BEIJING).date()
            assert key not in found, (expression, key)
            found[key] = float(value)
    return found


def dates_on(zone: str) -> set[date]:
    start, end = grid(zone)
    points = range(int(start), int(end) + 1, DAY_SECONDS)
    return {datetime.fromtimestamp(at, BEIJING).date() for at in points}


def grade_bars(database: Database, known: Graded) -> None:
    for zone in GRIDS:
        expected = {key: value for key, value in known.items() if key[1] in dates_on(zone)}
        assert len(expected) >= 165, zone  # of 180, fifteen are never published or out of a grid's ends
        shown = dated("visit_pv", BOTH).replace(AT_END, f"@ {grid(zone)[1]}")
        for expression in (per_date("visit_pv", BOTH), shown):
            assert per_beijing_date(database, expression, zone) == expected, zone


def grade_comparisons(database: Database, known: Graded) -> None:
    """Check what a date is compared with: the figure of days before it, wherever that is known."""
    for zone in GRIDS:
        for days in (1, 7):
            before_it = ((key, (key[0], key[1] - timedelta(days=days))) for key in product(APPS, DATES))
            expected = {
                key: known[then] for key, then in before_it if then in known and key[1] in dates_on(zone)
            }
            assert len(expected) > 140
            found = per_beijing_date(database, per_date("visit_pv", BOTH, days), zone)
            assert {key: value for key, value in found.items() if key[1] in DATES} == expected, (zone, days)
    zone = GRIDS[-1]  # the parts of a ratio are graded on each
    ratios = dated_ratio("visit_pv", "visit_pv", BOTH).replace(AT_END, f"@ {grid(zone)[1]}")
    assert set(per_beijing_date(database, ratios, zone).values()) == {1}


def grade_latest_alone(database: Database, past: History) -> None:
    """Check values without the by-date family: right or absent."""
    final = {(f"{appid}l", day): value for (appid, day), value in past.known.items()}
    corrected = ("wxal", DATES[30])
    for zone in GRIDS:
        found = per_beijing_date(
            database, per_date_from_latest("visit_pv", LATEST, f"@ {grid(zone)[1]}"), zone
        )
        wrong = {key for key, value in found.items() if final.get(key) != value} - {corrected}
        assert wrong == set(), zone
        assert found[corrected] in {final[corrected], final[corrected] + 500}  # as it was or as corrected
        assert len(found) > 120, zone


def grade_now_and_before(database: Database, past: History) -> None:
    """Check newest, day before and week before at odd hours of all sixty days: right or absent."""
    start, end = midnight(DATES[10]), midnight(DATES[58])
    step = 13 * HOUR  # every hour of the day in turn, always a scrape's own time
    final = past.known
    for where, enough in ((BOTH, 0.93), (LATEST, 0.6)):
        for expression, days in (
            (newest("visit_pv", where), 0),
            (before("visit_pv", 1, where), 1),
            (before("visit_pv", 7, where), 7),
            *(((seen_before("visit_pv", 7, where), 7),) if where == BOTH else ()),
        ):
            right = possible = 0
            found = {
                (series["metric"]["appid"], round(float(at))): float(value)
                for series in database.at_points(expression, start, end, step)
                for at, value in series["values"]
            }
            for at in range(start, end + 1, step):
                for name in APPS:
                    appid = name if where == BOTH else f"{name}l"
                    held = past.latest.get((appid, at))
                    wanted = None if held is None else final.get((name, held - timedelta(days=days)))
                    value = found.get((appid, at))
                    known = {wanted, wanted + 500} if wanted is not None and name == "wxa" else {wanted}
                    assert value is None or held is None or value in known, (expression, appid, at)
                    possible += wanted is not None
                    right += value is not None and wanted is not None
            assert right >= enough * possible, (where, days, right, possible)


def grade_on_show(database: Database, past: History) -> None:
    """Check the fleet's sparkline: the dates on show at the end of the range, on any grid."""
    at = midnight(DATES[-1]) + 2 * DAY_SECONDS
    on_show = {DATES[-1] - timedelta(days=back) for back in range(HISTORY_DAYS + 1)}  # at the latest `end`
    for zone in GRIDS:
        start = grid(zone)[0]
        end = start + (at - start) // DAY_SECONDS * DAY_SECONDS
        expression = dates_on_show("visit_pv", BOTH).replace(AT_END, f"@ {at}")
        found = {
            (series["metric"]["appid"], datetime.fromtimestamp(point, BEIJING).date()): float(value)
            for series in database.ranged(expression, start, end, DAY_SECONDS)
            for point, value in series["values"]
        }
        assert len(found) > 2 * HISTORY_DAYS, zone
        assert all(past.known[key] == value for key, value in found.items()), zone
        assert {day for _, day in found} <= on_show, zone


def grade_usual(database: Database, past: History) -> None:
    """Check the median over the dates on show, or over the last week: each date counts once."""
    at = midnight(DATES[50]) + 12 * HOUR
    expected = {}
    for app, appid in enumerate(APPS):
        dates = [DATES[number] for number in range(50 - HISTORY_DAYS, 50) if published(app, number) <= at]
        shown = [past.latest[f"{appid}l", at - days * DAY_SECONDS] for days in range(1, 8)]
        expected[appid] = median(past.known[appid, day] for day in dates)
        expected[f"{appid}l"] = median(past.known[appid, day] for day in shown)
    found = {
        series["metric"]["appid"]: float(series["value"][1])
        for where in (BOTH, LATEST)
        for series in database.instant(usual("visit_pv", where), at)
    }
    assert found == expected


def grade(database: Database, past: History) -> None:
    grade_bars(database, past.known)
    grade_comparisons(database, past.known)
    grade_latest_alone(database, past)
    grade_now_and_before(database, past)
    grade_on_show(database, past)
    grade_usual(database, past)


@pytest.fixture(
    scope="module",
    params=[ALONE, REPLICAS],
    ids=["one exporter", "several exporters"],
)
def past(request: pytest.FixtureRequest) -> History:
    return history(request.param)


@pytest.mark.real  # with the tests that look at it in real databases: it takes seconds to make
def test_the_history_has_what_it_must(past: History) -> None:
    assert 165 <= len(past.known) < 180  # some are never published
    assert past.known["wxb", DATES[20]] == 0
    assert past.known["wxa", DATES[30]] == 1000 + 7 * 12 - 500


def test_prometheus_shows_each_date_its_own_figure(
    past: History, program: Callable[[str], str], free_port: Callable[[], int], tmp_path: Path
) -> None:
    flags = [f"--query.lookback-delta={STALE_AFTER}s"]
    with in_prometheus(program, free_port, past, tmp_path, flags) as database:
        grade(database, past)


def test_victoria_metrics_shows_each_date_its_own_figure(
    past: History, program: Callable[[str], str], free_port: Callable[[], int], tmp_path: Path
) -> None:
    flags = [f"-search.maxStalenessInterval={STALE_AFTER}s"]
    with in_victoria_metrics(program, free_port, past, tmp_path, flags) as database:
        grade(database, past)
