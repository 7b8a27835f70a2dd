"""The tables agree with one another, and with the exporter's reader."""

from datetime import date, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exporter.datasets.catalogue import BY_NAME, CATALOGUE
from exporter.datasets.dataset import Dataset, Row
from exporter.datasets.period import DAY, MONTH, WEEK, Calendar, Period
from exporter.simulator.daily_figures import row as trend_row
from exporter.simulator.daily_figures import split
from exporter.simulator.dataset_bodies import body
from exporter.simulator.fleet import SimApp, fleet

days = st.dates(date(2016, 1, 1), date(2036, 12, 31))
apps = st.builds(
    SimApp,
    st.from_regex(r"wx[0-9a-f]{16}", fullmatch=True),
    st.just("not-a-real-secret"),
    st.just("app"),
    st.integers(0, 1_000_000),
)
MANY = fleet(40, seed=3)
ASKED = DAY.starting(date(2026, 11, 23))


def read(name: str, app: SimApp, period: Period, newest: date = date(2099, 1, 1)) -> Row | None:
    dataset = BY_NAME[name]
    return dataset.read(body(app, dataset, period, lambda each: each.last <= newest), period)


def figures(name: str, app: SimApp, period: Period) -> dict[str, float]:
    row = read(name, app, period)
    assert row is not None
    values = row.points[0].values
    return {
        field.name: value
        for field, value in zip(BY_NAME[name].fields, values, strict=True)
        if value is not None
    }


def column(row: Row | None, position: int) -> list[float]:
    points = row.points if row else ()
    return [value for point in points if (value := point.values[position]) is not None]


UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@UNTIMED
@given(apps, days, st.sampled_from(CATALOGUE))
def test_every_body_is_one_that_the_exporter_takes(app: SimApp, day: date, dataset: Dataset) -> None:
    row = read(dataset.name, app, dataset.calendar.newest(day))
    assert (row is None) == (dataset.name in ("visit_distribution", "visit_pages") and not visits(app, day))


def visits(app: SimApp, day: date) -> float:
    return figures("daily_trend", app, DAY.starting(day))["session_cnt"]


@UNTIMED
@given(apps, days)
def test_a_day_of_the_trend_is_as_it_was(app: SimApp, day: date) -> None:
    wire = body(app, BY_NAME["daily_trend"], DAY.starting(day), lambda _: True)
    assert wire == {"list": [trend_row(app.appid, day, app.size)]}


@pytest.mark.parametrize("calendar", [WEEK, MONTH], ids=lambda calendar: calendar.name)
@UNTIMED
@given(app=apps, day=days)
def test_a_longer_period_adds_up_and_counts_each_visitor_once(
    calendar: Calendar, app: SimApp, day: date
) -> None:
    period = calendar.newest(day)
    whole = figures("weekly_trend" if calendar is WEEK else "monthly_trend", app, period)
    length = (period.last - period.first).days + 1
    parts = [
        figures("daily_trend", app, DAY.starting(period.first + timedelta(days=each)))
        for each in range(length)
    ]
    for name in ("session_cnt", "visit_pv", "visit_uv_new"):
        assert whole[name] == sum(part[name] for part in parts)
    visitors = [part["visit_uv"] for part in parts]
    assert max(visitors) <= whole["visit_uv"] <= sum(visitors)
    assert whole["visit_uv_new"] <= whole["visit_uv"]


@pytest.mark.parametrize(
    ("age", "keys"),
    [
        (1, ["0"]),
        (2, ["0", "1"]),
        (8, ["0", "1", "2", "3", "4", "5", "6", "7"]),
        (30, ["0", "1", "2", "3", "4", "5", "6", "7", "14"]),
        (31, ["0", "1", "2", "3", "4", "5", "6", "7", "14", "30"]),
    ],
)
def test_a_cohort_has_the_keys_of_its_age(age: int, keys: list[str]) -> None:
    newest = ASKED.first + timedelta(days=age - 1)  # yesterday, that many days after the cohort
    row = read("daily_retention", MANY[0], ASKED, newest)
    assert row is not None
    assert [point.labels[0] for point in row.points] == keys


@UNTIMED
@given(apps, days)
def test_all_distributions_add_up_to_the_opens(app: SimApp, day: date) -> None:
    row = read("visit_distribution", app, DAY.starting(day))
    for position in (0, 2, 3):
        assert sum(column(row, position)) == visits(app, day)


def test_the_pages_of_a_day_add_up_to_its_views_and_shares() -> None:
    for app in MANY:
        row, trend, shared = (
            read("visit_pages", app, ASKED),
            figures("daily_trend", app, ASKED),
            figures("daily_summary", app, ASKED),
        )
        assert row is not None
        if len(row.points) < 200:
            assert sum(column(row, 0)) == trend["visit_pv"]
            assert sum(column(row, 5)) == shared["share_pv"]
        assert max(column(row, 1)) <= trend["visit_uv"]
        assert all(share <= views for views, share in zip(column(row, 0), column(row, 5), strict=True))


@UNTIMED
@given(apps, days)
def test_users_so_far_never_get_fewer(app: SimApp, day: date) -> None:
    before, after = (
        figures("daily_summary", app, DAY.starting(each)) for each in (day - timedelta(days=400), day)
    )
    assert after["visit_total"] >= figures("daily_trend", app, DAY.starting(day))["visit_uv"]
    if day.year >= 2019:
        assert before["visit_total"] <= after["visit_total"]


@UNTIMED
@given(st.integers(0, 10**9), st.lists(st.floats(0, 1e6), min_size=1, max_size=50))
def test_parts_add_up_to_the_whole(total: int, weights: list[float]) -> None:
    parts = split(total, weights)
    assert sum(parts) == (total if sum(weights) else 0)
    assert all(part >= 0 for part in parts)
