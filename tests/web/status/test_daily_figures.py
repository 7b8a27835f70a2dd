from datetime import timedelta

import pytest

from exporter.datasets.daily_trend import FIELDS
from exporter.web.status.daily_figures import DASH, Change, Figure, change, days_late, figures, written
from exporter.web.status.language import Language
from tests.building import NOON, YESTERDAY, bare_row, make_entry, make_row

FIELD = {field.name: field for field in FIELDS}
PV = FIELD["visit_pv"]
DAY = timedelta(days=1)


def pv(found: tuple[Figure, ...]) -> Figure:
    return next(figure for figure in found if figure.name == "visit_pv")


@pytest.mark.parametrize(
    ("field", "value", "text"),
    [
        ("visit_pv", 0, "0"),
        ("visit_pv", 1234567, "1,234,567"),
        ("visit_pv", 2**53, "9,007,199,254,740,992"),
        ("stay_time_uv", 0, "0.0 s"),
        ("stay_time_uv", 45.26, "45.3 s"),
        ("stay_time_uv", 59.94, "59.9 s"),
        ("stay_time_uv", 59.96, "1:00"),
        ("stay_time_session", 124.9, "2:05"),
        ("stay_time_session", 3599.6, "1:00:00"),
        ("stay_time_session", 7384, "2:03:04"),
        ("visit_depth", 2, "2.00"),
        ("visit_depth", 1.9838, "1.98"),
        ("visit_depth", None, DASH),
        ("visit_pv", None, DASH),
        ("stay_time_uv", None, DASH),
    ],
)
def test_a_figure_is_written_with_its_unit(field: str, value: float | None, text: str) -> None:
    assert written(FIELD[field], value, Language.EN) == text


def test_seconds_are_written_in_chinese() -> None:
    assert written(FIELD["stay_time_uv"], 45.3, Language.ZH) == "45.3 秒"


@pytest.mark.parametrize(
    ("newer", "older", "expected"),
    [
        (110, 100, Change("+10.0%", "up")),
        (95, 100, Change("−5.0%", "down")),
        (0, 100, Change("−100%", "down")),
        (100, 100, Change("0.0%", "same")),
        (100_001, 100_000, Change("0.0%", "same")),
        (19_994, 10_000, Change("+99.9%", "up")),
        (19_996, 10_000, Change("+100%", "up")),
        (130_000, 100, Change("+129,900%", "up")),
        (5, 0, Change(DASH, "none")),
        (0, 0, Change(DASH, "none")),
    ],
)
def test_a_change_is_in_percent_of_the_older_value(newer: int, older: int, expected: Change) -> None:
    rows = bare_row(YESTERDAY, visit_pv=newer), bare_row(YESTERDAY - DAY, visit_pv=older)
    assert change(*rows, PV) == expected


def test_a_change_against_a_figure_that_wechat_left_out_is_unknown() -> None:
    given, omitted = bare_row(YESTERDAY, visit_pv=5), bare_row(YESTERDAY, visit_uv=5)
    for newer, older in ((given, omitted), (omitted, given), (given, None)):
        assert change(newer, older, PV) == Change(DASH, "none")


def test_changes_are_against_the_day_before_and_the_same_weekday_a_week_before() -> None:
    rows = [
        make_row(YESTERDAY - days * DAY, scale) for days, scale in ((0, 10), (1, 5), (6, 1), (7, 8), (8, 1))
    ]
    found = pv(figures(make_entry(rows=rows), Language.EN))
    assert found == Figure("visit_pv", "400", Change("+100%", "up"), Change("+25.0%", "up"))


def test_a_change_is_never_against_a_row_of_another_date() -> None:
    rows = [make_row(YESTERDAY - days * DAY, 1 + days) for days in (0, 2, 6, 8)]
    found = pv(figures(make_entry(rows=rows), Language.EN))
    assert found.text == "40"
    assert (found.day.text, found.week.text) == (DASH, DASH)


def test_late_figures_are_compared_with_their_own_day_before() -> None:
    rows = [make_row(YESTERDAY - days * DAY, scale) for days, scale in ((3, 2), (4, 1))]
    assert pv(figures(make_entry(rows=rows), Language.EN)).day == Change("+100%", "up")


@pytest.mark.parametrize(("days", "late"), [(-1, 0), (0, 0), (1, 1), (3, 3)])
def test_a_date_older_than_yesterday_in_beijing_is_late(days: int, late: int) -> None:
    assert days_late(make_entry(rows=[make_row(YESTERDAY - days * DAY)]), NOON) == late
    assert days_late(make_entry(), NOON) == 0


@pytest.mark.parametrize(("hour", "late"), [(0.2, 0), (8, 0), (11.9, 0), (12, 1), (23.9, 1)])
def test_late_begins_at_noon(hour: float, late: int) -> None:
    entry = make_entry(rows=[make_row(YESTERDAY - DAY)])
    assert days_late(entry, NOON + (hour - 12) * 3600) == late
