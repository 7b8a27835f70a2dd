"""Rows as texts, and back."""

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.store.entry import HeldRow
from exporter.store.redis.coding import read_row, row_text
from exporter.trend import FIELDS, Row
from tests.building import NOON, make_row

MOMENTS = st.floats(0, 1e11)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
FIGURES = [
    st.none() | st.integers(0, 10**12) | (st.nothing() if field.integral else st.floats(0, 1e12))
    for field in FIELDS
]
DAYS = st.dates(date(2017, 1, 1), date(2100, 1, 1))
ROWS = st.builds(
    HeldRow,
    st.builds(Row, DAYS, st.tuples(*FIGURES)),
    MOMENTS,
)


@given(ROWS)
def test_a_row_is_read_as_it_was_written(held: HeldRow) -> None:
    assert read_row(held.row.ref_date.isoformat(), row_text(held)) == held


def test_whole_numbers_stay_whole() -> None:
    held = read_row("2026-11-23", row_text(HeldRow(make_row(), NOON)))
    assert held is not None
    assert [type(value) for value in held.row.values] == [int, int, int, int, float, int, float]


@pytest.mark.parametrize(
    ("day", "text"),
    [
        ("2026-11-23", f"{NOON} [1,2]"),
        ("2026-11-23", f"{NOON} 5"),
        ("2026-11-23", f"{NOON} {{"),
        ("2026-11-23", ""),
        ("2026-11-23", f"soon {[1] * len(FIELDS)}"),
        ("yesterday", f"{NOON} {[1] * len(FIELDS)}"),
        ("20261123", f"{NOON} {[1] * len(FIELDS)}"),
        ("2026-11-23", f"nan {[1] * len(FIELDS)}"),
        ("2026-11-23", f"inf {[1] * len(FIELDS)}"),
        ("2026-11-23", f"-1 {[1] * len(FIELDS)}"),
        ("2026-11-23", f"1e300 {[1] * len(FIELDS)}"),
        ("2026-11-23", f'{NOON} "{"7" * len(FIELDS)}"'),
        ("2026-11-23", f"{NOON} {'[' * 200_000}"),
    ],
)
def test_a_row_that_another_version_wrote_in_another_way_is_left_out(day: str, text: str) -> None:
    assert read_row(day, text) is None


@pytest.mark.parametrize(
    "figure",
    ["true", "NaN", "Infinity", "-1", "-0.5", "0.5", "1e300", f"{2**53 + 2}", "9" * 5000, '"5"', "[5]", "{}"],
)
def test_a_row_that_wechat_could_not_have_given_is_left_out(figure: str) -> None:
    assert read_row("2026-11-23", f"{NOON} [{figure},1,1,1,1,1,1]") is None


@given(st.lists(ANY_JSON, min_size=len(FIELDS), max_size=len(FIELDS)))
def test_whatever_a_row_has_in_its_places_only_figures_are_shown(figures: list[object]) -> None:
    held = read_row("2026-11-23", f"{NOON} {json.dumps(figures)}")
    if held is not None:
        assert all(value is None or 0 <= value <= 2**53 for value in held.row.values)


@given(st.text(), st.text())
def test_texts_that_are_none_of_ours_are_left_out(day: str, text: str) -> None:
    assert read_row(day, text) is None


@given(ANY_JSON)
def test_whatever_is_kept_is_read_or_left_out(figures: object) -> None:
    read_row("2026-11-23", f"{NOON} {json.dumps(figures)}")
