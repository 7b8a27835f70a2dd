from datetime import date, timedelta
from typing import Any

import pytest

from exporter.beijing import midnight
from exporter.config.datasets import DatasetSettings
from exporter.datasets.body_parsing import MalformedRowError
from exporter.datasets.daily_retention import DAILY_RETENTION
from exporter.datasets.dataset import Point, Row
from exporter.datasets.period import DAY, Period
from tests.datasets.rows import sample

COHORT = DAY.starting(date(2026, 10, 24))
SETTINGS = DatasetSettings("daily_retention", days=(1, 7, 30))


def read(body: dict[str, Any], period: Period = COHORT) -> Row:
    row = DAILY_RETENTION.read(body, period)
    assert row is not None
    return row


def cohort(new: object, active: object) -> dict[str, Any]:
    return {"ref_date": "20261024", "visit_uv_new": new, "visit_uv": active}


def refusal(body: dict[str, Any]) -> str:
    with pytest.raises(MalformedRowError) as caught:
        DAILY_RETENTION.read(body, COHORT)
    return str(caught.value)


def test_each_key_comes_with_the_cohort_it_is_of() -> None:
    row = read(sample("daily_retain__edited_all_keys_20261001"), DAY.starting(date(2026, 10, 1)))
    assert [point.labels[0] for point in row.points] == ["0", "1", "2", "3", "4", "5", "6", "7", "14", "30"]
    assert row.points[1] == Point(("1",), (31, 410, 120, 900))
    assert row.points[-1] == Point(("30",), (5, 260, 120, 900))


def test_keys_may_come_in_any_order_and_be_unknown() -> None:
    row = read(sample("daily_retain__edited_out_of_order_and_unknown_key"))
    assert [point.labels[0] for point in row.points] == ["0", "1", "7", "60"]
    assert row.points[2] == Point(("7",), (9, 310, 100, 800))


def test_a_list_that_wechat_left_out_is_none_and_the_other_stays() -> None:
    row = read(sample("daily_retain__edited_only_one_list"))
    assert row.points == (Point(("0",), (None, 3, None, 3)),)


def test_a_cohort_of_nobody_is_shown_as_it_is() -> None:
    row = read(sample("daily_retain__edited_key0_zero"))
    assert row.points[1] == Point(("1",), (0, 1, 0, 3))


def test_a_key_that_is_not_there_is_absent() -> None:
    row = read(cohort([{"key": 0, "value": 5}], [{"key": 0, "value": 9}, {"key": 1, "value": 2}]))
    assert row.points[1] == Point(("1",), (None, 2, 5, 9))


@pytest.mark.parametrize(
    ("items", "message"),
    [
        (
            [{"key": 0, "value": 0}, {"key": 1, "value": 16853}],
            "has 16853 under key 1, more than the cohort's 0",
        ),
        ([{"key": 0, "value": 5}, {"key": 1, "value": 2}, {"key": 1, "value": 2}], "has key 1 twice"),
        ([{"key": 0, "value": 5}, {"key": "1", "value": 2}, {"key": 1, "value": 3}], "has key 1 twice"),
        ([{"key": 1, "value": 2}], "has no key 0, the cohort's own size"),
        ([{"key": 0}], "[0] has no value"),
        ([{"value": 1}], "[0] has no key"),
        ([{"key": -1, "value": 1}], "[0].key is -1, not a number from 0 up"),
        ([{"key": 0.5, "value": 1}], "[0].key is 0.5, not a whole number"),
        ([{"key": None, "value": 1}], "[0].key is null, not a number from 0 up"),
    ],
)
def test_what_cannot_be_true_refuses_the_cohort(items: list[object], message: str) -> None:
    for name, body in (("visit_uv_new", cohort(items, [])), ("visit_uv", cohort([], items))):
        assert refusal(body) in (f"{name} {message}", f"{name}{message}")


def test_neither_list_is_no_answer() -> None:
    assert refusal({"ref_date": "20261024"}) == "there is neither 'visit_uv_new' nor 'visit_uv'"


def test_keys_over_the_cap_are_counted() -> None:
    items = [{"key": key, "value": 1} for key in range(310)]
    row = read(cohort(items, items))
    assert (len(row.points), row.dropped) == (300, 10)


def rows(newest: date, ages: dict[int, tuple[int, ...]]) -> list[Row]:
    """Return cohorts that are some days old, newest first, with the keys that they have."""
    return [
        Row(
            DAY.starting(newest - timedelta(days=age)),
            tuple(Point((str(key),), (age, None, None, None)) for key in keys),
        )
        for age, keys in sorted(ages.items())
    ]


def test_for_each_day_the_newest_cohort_that_has_it_is_shown() -> None:
    held = rows(
        date(2026, 11, 23), {1: (0, 1), 2: (0, 1), 7: tuple(range(7)), 8: tuple(range(8)), 31: (0, 7, 30)}
    )
    shown = [
        (period.first, *(point.labels[0] for point in points))
        for period, points in DAILY_RETENTION.selection.shown(held, SETTINGS)
    ]
    assert shown == [(date(2026, 11, 22), "1"), (date(2026, 11, 15), "7"), (date(2026, 10, 23), "30")]


@pytest.mark.parametrize(
    ("asked", "keys"),
    [("2026-11-24", ["0"]), ("2026-11-25", ["0", "1"]), ("2026-12-24", ["0", "1", "7", "30"])],
)
def test_a_key_that_was_not_due_is_left_out(asked: str, keys: list[str]) -> None:
    (row,) = rows(date(2026, 11, 23), {0: (0, 1, 7, 30)})
    known = DAILY_RETENTION.selection.known(row, midnight(date.fromisoformat(asked)))
    assert [point.labels[0] for point in known.points] == keys


def test_only_cohorts_that_are_shown_are_held() -> None:
    held = rows(date(2026, 11, 23), {1: (0, 1), 2: (0, 1), 8: (0, 1, 7), 9: (0, 7), 31: (0, 1, 7, 30)})
    kept = DAILY_RETENTION.selection.held(held, SETTINGS)
    assert [(date(2026, 11, 23) - row.period.first).days for row in kept] == [1, 8, 31]
    assert list(DAILY_RETENTION.selection.shown(kept, SETTINGS)) == list(
        DAILY_RETENTION.selection.shown(held, SETTINGS)
    )
