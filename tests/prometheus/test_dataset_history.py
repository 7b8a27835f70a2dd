"""Weeks, months, cohorts and sources in real databases: each stands on its own date, on three grids."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from exporter.beijing import BEIJING, DAY_SECONDS, midnight
from grafana.queries import AT_END, per_period
from prometheus.cohorts import FIGURES, newest_totals, total_per_date
from prometheus.datasets import distribution, newest_row, retention, row_before, row_per_date, sum_per_date
from prometheus.dated import MONTHS, WEEKS
from prometheus.expressions import REF_DATE
from tests.prometheus.databases import GRIDS, in_prometheus, in_victoria_metrics
from tests.prometheus.history import HOUR, History
from tests.prometheus.servers import Database

FIRST, LAST = date(2025, 1, 6), date(2025, 4, 20)  # a Monday, a Sunday
DAYS = tuple(FIRST + timedelta(days=number) for number in range((LAST - FIRST).days + 1))
MONDAYS = DAYS[::7]
FIRSTS_OF_MONTHS = (date(2025, 1, 1), *(day for day in DAYS if day.day == 1))
APPS = ("wxa", "wxb")
RETAINED = (1, 7, 30)
END = midnight(LAST) + DAY_SECONDS
P = "wechat_miniprogram"
_HOURS = (7, 9, 31, 8, 11, 55, 8)
"""How long after a period's end it comes; 31 is a day late."""
_AWAY = range(midnight(date(2025, 2, 12)) + 3 * HOUR, midnight(date(2025, 2, 13)) + 15 * HOUR)
"""When nobody scraped."""
Graded = dict[tuple[str, date], float]


def figure(app: int, day: date, at: float, comes: float) -> int:
    """Return WeChat's figure, up and down; it corrects every third one a day later."""
    value = 1000 * (app + 1) + 3 * (37 * (day - FIRST).days % 113)
    return value - 400 if day.day % 3 == 0 and at >= comes + 26 * HOUR else value


def comes(end: date, app: int) -> int:
    """Return Unix time at which what was over before this date comes."""
    return midnight(end) + _HOURS[(end.toordinal() + app) % len(_HOURS)] * HOUR


DUES = {
    (app, after): {day: comes(day + timedelta(days=after + 1), app) for day in DAYS}
    for app in range(len(APPS))
    for after in (0, *RETAINED)
}
"""When each date's figures come, by the app's number and how many days after the date."""


def next_month(day: date) -> date:
    return (day.replace(day=1) + timedelta(days=32)).replace(day=1)


class Simulated:
    """What an exporter shows hour by hour, and what can be known of each period."""

    def __init__(self) -> None:
        self.history = History()
        self.known: dict[str, Graded] = {}
        for at in range(midnight(FIRST), END + 1, HOUR):
            if at not in _AWAY:
                for app, appid in enumerate(APPS):
                    self._periods(app, appid, at, "week", MONDAYS, 5)
                    self._periods(app, appid, at, "month", FIRSTS_OF_MONTHS, 3)
                    self._cohorts(app, appid, at)
                    self._sources(app, appid, at)

    def _show(self, metric: str, value: float, at: int, instance: str = "i", **labels: str) -> None:
        written = ",".join(f'{name}="{text}"' for name, text in labels.items())
        self.history.lines.append((f'{P}_{metric}{{{written},job="j",instance="{instance}"}}', value, at))

    def _periods(self, app: int, appid: str, at: int, kind: str, starts: tuple[date, ...], keep: int) -> None:
        ends = {day: day + timedelta(days=7) if kind == "week" else next_month(day) for day in starts}
        held = [day for day in starts if comes(ends[day], app) <= at][-keep:]
        for day in held:
            value = figure(app, day, at, comes(ends[day], app))
            labels = {"appid": appid, "name": appid, "ref_date": f"{day}"}
            self._show(f"by_{kind}_visit_uv", value, at, **labels)
            self._show(f"by_{kind}_{REF_DATE}", midnight(day), at, **labels)
            self.known.setdefault(kind, {})[appid, day] = value
        if held:
            self._health(appid, f"{kind}ly_trend", held[-1], at)

    def _cohorts(self, app: int, appid: str, at: int) -> None:
        newest = None
        for after in RETAINED:
            dues = DUES[app, after]
            held = [day for day in DAYS if dues[day] <= at]
            if not held:
                continue
            labels = {"appid": appid, "name": appid, "day": f"{after}"}
            back = figure(app, held[-1], 0, dues[held[-1]]) // (after + 1)
            self._show("daily_retain_visit_uv_new", back, at, **labels)
            self._show("daily_retain_cohort_visit_uv_new", figure(app, held[-1], 0, 0), at, **labels)
            self._show("daily_retain_ref_date_timestamp_seconds", midnight(held[-1]), at, **labels)
            self.known.setdefault(f"D{after}", {})[appid, held[-1]] = back
            newest = newest or held[-1]
        if newest:
            self._health(appid, "daily_retention", newest, at)

    def _sources(self, app: int, appid: str, at: int) -> None:
        """Show sources by two exporters, one of which is more than a day behind."""
        for instance, behind in (("k", 30 * HOUR), ("i", 0)):
            held = [day for day in DAYS if comes(day + timedelta(days=1), app) <= at - behind]
            if held:
                for source in ("2", "62"):
                    value = figure(app, held[-1], 0, 0) + int(source)
                    labels = {"appid": appid, "name": appid, "source": source}
                    self._show("daily_access_source_session_cnt", value, at, instance, **labels)
                    self.known.setdefault(f"source {source}", {})[appid, held[-1]] = value
                self._health(appid, "visit_distribution", held[-1], at, instance, behind)

    def _health(
        self, appid: str, dataset: str, day: date, at: int, instance: str = "i", behind: int = 0
    ) -> None:
        labels = {"appid": appid, "name": appid, "dataset": dataset}
        self._show("dataset_ref_date_timestamp_seconds", midnight(day), at, instance, **labels)
        self._show("dataset_last_success_timestamp_seconds", at - behind, at, instance, **labels)


@pytest.fixture(scope="module")
def simulated() -> Simulated:
    return Simulated()


BOTH_DATABASES = pytest.mark.parametrize(
    "shown_in", [in_prometheus, in_victoria_metrics], ids=["prometheus", "victoria-metrics"]
)


@pytest.fixture(
    scope="module", params=[in_prometheus, in_victoria_metrics], ids=["prometheus", "victoria-metrics"]
)
def database(
    request: pytest.FixtureRequest,
    simulated: Simulated,
    program: Callable[[str], str],
    free_port: Callable[[], int],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Database]:
    folder = tmp_path_factory.mktemp("simulated")
    with request.param(program, free_port, simulated.history, folder) as found:
        yield found


def points(database: Database, expression: str, zone: str) -> Iterator[tuple[Mapping[str, str], date, float]]:
    """Yield every point of the midnights of a zone, with the date in Beijing that it lies in."""
    start = datetime(FIRST.year, FIRST.month, FIRST.day, tzinfo=ZoneInfo(zone)).timestamp() - 7 * DAY_SECONDS
    end = start + (END - start) // DAY_SECONDS * DAY_SECONDS
    asked = expression.replace(AT_END, f"@ {END}")
    for series in database.ranged(asked, start, end, DAY_SECONDS):
        for at, value in series["values"]:
            yield series["metric"], datetime.fromtimestamp(at, BEIJING).date(), float(value)


def test_each_period_stands_on_its_own_date(database: Database, simulated: Simulated) -> None:
    for zone in GRIDS:
        for kind, rows in (("week", WEEKS), ("month", MONTHS)):
            expression = per_period("visit_uv", "", rows)
            found = {(m["appid"], day): value for m, day, value in points(database, expression, zone)}
            assert found == simulated.known[kind], (zone, kind)
        for after in RETAINED:
            check_cohorts(database, simulated, zone, after)
        expression = row_per_date(distribution("source"), "access_source_session_cnt", "", AT_END)
        taken = [
            (m["source"], (m["appid"], day), value) for m, day, value in points(database, expression, zone)
        ]
        for source in ("2", "62"):
            mine = {key: value for name, key, value in taken if name == source}
            known = simulated.known[f"source {source}"]
            assert mine.items() <= known.items(), (zone, source)
            assert len(mine) > 0.8 * len(known)


def check_cohorts(database: Database, simulated: Simulated, zone: str, after: int) -> None:
    """Check that values are right or absent, and rarely absent."""
    back = row_per_date(retention(after), "retain_visit_uv_new", "", AT_END, later=after)
    found = {(m["appid"], day): value for m, day, value in points(database, back, zone)}
    known = simulated.known[f"D{after}"]
    assert found.items() <= known.items(), (zone, after)
    assert len(found) > 0.8 * len(known), (zone, after, len(found), len(known))


def test_the_newest_row_and_that_of_a_week_before_are_of_those_dates(
    database: Database, simulated: Simulated
) -> None:
    rows = distribution("source", "2")
    known = simulated.known["source 2"]
    compared = 0
    for at in range(midnight(date(2025, 3, 1)), END, 31 * HOUR):
        newest = {
            s["metric"]["appid"]: float(s["value"][1])
            for s in database.instant(newest_row(rows, "access_source_session_cnt", ""), at)
        }
        before = {
            s["metric"]["appid"]: float(s["value"][1])
            for s in database.instant(row_before(rows, "access_source_session_cnt", 7, ""), at)
        }
        for app, appid in enumerate(APPS):
            held = max(day for day in DAYS if comes(day + timedelta(days=1), app) <= at)
            assert newest[appid] == known[appid, held]
            if appid in before:
                assert before[appid] == known[appid, held - timedelta(days=7)]
                compared += 1
    assert compared > 30


@pytest.fixture(scope="module")
def recorded(
    simulated: Simulated,
    program: Callable[[str], str],
    free_port: Callable[[], int],
    tmp_path_factory: pytest.TempPathFactory,
) -> History:
    """Return what the rules made of the history, hour by hour."""
    made = History()
    with in_prometheus(program, free_port, simulated.history, tmp_path_factory.mktemp("rules")) as database:
        for name, expression in newest_totals():
            for series in database.at_points(expression, midnight(FIRST), END, HOUR):
                labels = ",".join(f'{label}="{text}"' for label, text in series["metric"].items())
                made.lines += [(f"{name}{{{labels}}}", float(value), at) for at, value in series["values"]]
    return made


def check_totals(found: Mapping[date, float], known: Graded, after: int, zone: str) -> None:
    """Check that each total covers the date's cohorts, of all apps if all came in time."""
    complete = possible = 0
    for day in found.keys() | {day for _, day in known}:
        sums = {known[app, day] for app in APPS if (app, day) in known}
        assert found.get(day) in {*sums, sum(sums), None}, (zone, day)
        due = day + timedelta(days=after + 1)
        if all(comes(due, app) < midnight(due) + 16 * HOUR for app in range(len(APPS))):
            possible += 1
            complete += found.get(day) == sum(sums)
    assert complete > 0.9 * possible > 35, (zone, complete, possible)


def test_totals_over_a_fleet_are_of_the_cohorts_of_their_date(
    database: Database, simulated: Simulated
) -> None:
    apps = f"{P}_dataset_ref_date_timestamp_seconds {AT_END}"
    for zone in GRIDS:
        for after in RETAINED[:2]:
            expression = sum_per_date(retention(after), FIGURES[0], "", apps, AT_END, later=after)
            found = {day: value for _, day, value in points(database, expression, zone)}
            check_totals(found, simulated.known[f"D{after}"], after, zone)


@BOTH_DATABASES
def test_recorded_totals_are_of_the_cohorts_of_their_date(
    shown_in: Callable[..., AbstractContextManager[Database]],
    recorded: History,
    simulated: Simulated,
    program: Callable[[str], str],
    free_port: Callable[[], int],
    tmp_path: Path,
) -> None:
    with shown_in(program, free_port, recorded, tmp_path) as database:
        for zone in GRIDS:
            for after in RETAINED[:2]:
                expression = total_per_date(FIGURES[0], after, 'unfiltered=~".*"', AT_END)
                found = {day: value for _, day, value in points(database, expression, zone)}
                check_totals(found, simulated.known[f"D{after}"], after, zone)
            filtered = total_per_date(FIGURES[0], 1, 'unfiltered=~"retail"', AT_END)
            assert list(points(database, filtered, zone)) == []
