"""Rows are stored by name, and impossible ones are refused."""

import json
from datetime import date
from operator import attrgetter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.datasets.body_parsing import MalformedRowError
from exporter.datasets.catalogue import CATALOGUE
from exporter.datasets.dataset import Dataset, Row
from exporter.datasets.visit_pages import VISIT_PAGES
from exporter.datasets.weekly_trend import WEEKLY_TREND
from exporter.store.entry import HeldRow
from exporter.store.row_coding import points_text, read_held, read_row, row_text
from tests.building import NOON, YESTERDAY, bare_row, make_row
from tests.datasets.rows import rows

DAY = f"{YESTERDAY}"
WHOLE = json.loads(row_text(make_row()))[0]


@pytest.mark.parametrize(
    "row",
    [
        make_row(),
        bare_row(YESTERDAY, visit_pv=0),
        bare_row(YESTERDAY, visit_depth=1.0000000000000002, session_cnt=2**53),
    ],
)
def test_a_row_comes_back_to_the_last_bit(row: Row) -> None:
    back = read_row(DAY, row_text(row))
    assert back == row
    assert [type(value) for value in back.values] == [type(value) for value in row.values]


def test_figures_are_written_by_name() -> None:
    assert row_text(bare_row(YESTERDAY, visit_uv=8, visit_depth=1.5)) == '[{"visit_uv":8,"visit_depth":1.5}]'


def test_the_order_of_the_figures_is_of_no_matter_and_unknown_ones_are_left_out() -> None:
    shuffled = dict(reversed(WHOLE.items())) | {"of_a_later_version": 7}
    assert read_row(DAY, json.dumps([shuffled])) == make_row()


def test_old_columns_become_the_text_of_the_row_that_they_were() -> None:
    assert points_text("visit_uv", 8, "visit_pv", None, "visit_depth", 1.5) == row_text(
        bare_row(YESTERDAY, visit_uv=8, visit_depth=1.5)
    )


BAD = [
    '"text"',
    "-5",
    "-0.001",
    "Infinity",
    "NaN",
    "1e999",
    "9007199254740993",
    "1" + "0" * 5000,
    "true",
    "null",
    "[]",
    "{}",
    "1.5",
]


@pytest.mark.parametrize("value", BAD)
def test_a_figure_that_wechat_cannot_have_given_spoils_its_row(value: str) -> None:
    text = json.dumps([{**WHOLE, "visit_pv": "HERE"}]).replace('"HERE"', value)
    with pytest.raises(MalformedRowError):
        read_row(DAY, text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "[{}]",
        "[1]",
        "[" * 100_000,
        f"[{json.dumps(WHOLE)},{json.dumps(WHOLE)}]",
        '[{"page":"pages/index","visit_pv":4}]',
        b"bytes",
        None,
        4.5,
    ],
)
def test_what_is_no_row_of_the_daily_trend_is_refused(text: object) -> None:
    with pytest.raises(MalformedRowError):
        read_row(DAY, text)


@pytest.mark.parametrize("first", ["", "20261123", "2026-11-31", "yesterday", "2099-01-01", 4.5, None])
def test_a_date_that_cannot_be_is_refused(first: object) -> None:
    with pytest.raises(MalformedRowError):
        read_held(first, NOON, row_text(make_row()), NOON)


@pytest.mark.parametrize("asked_at", ["now", None, -1.0, float("inf"), float("nan"), b""])
def test_a_row_of_no_time_is_refused(asked_at: object) -> None:
    with pytest.raises(MalformedRowError):
        read_held(DAY, asked_at, row_text(make_row()), NOON)


def test_a_row_asked_for_in_the_future_counts_as_asked_for_now() -> None:
    text = row_text(make_row())
    assert read_held(DAY, NOON + 86_400, text, NOON) == HeldRow(make_row(), NOON)
    assert read_held(DAY, NOON - 1, text, NOON) == HeldRow(make_row(), NOON - 1)


def test_a_clock_that_is_a_day_behind_loses_no_row() -> None:
    text = row_text(make_row(date(2026, 11, 24)))
    assert read_held("2026-11-24", NOON, text, NOON).row.ref_date == date(2026, 11, 24)


@pytest.mark.parametrize("dataset", CATALOGUE, ids=attrgetter("name"))
@given(data=st.data())
def test_rows_of_every_dataset_come_back(dataset: Dataset, data: st.DataObject) -> None:
    row = data.draw(rows(dataset))
    assert read_row(f"{row.period.first}", row_text(row, dataset), dataset) == row


def test_a_week_that_begins_on_a_tuesday_is_refused() -> None:
    with pytest.raises(MalformedRowError):
        read_row("2026-11-17", '[{"visit_pv":4}]', WEEKLY_TREND)


def test_a_week_that_is_not_over_is_refused() -> None:
    with pytest.raises(MalformedRowError):
        read_held("2026-11-23", NOON, '[{"visit_pv":4}]', NOON, WEEKLY_TREND)


def test_a_page_that_is_there_twice_is_refused() -> None:
    page = '{"page_path":"pages/index","page_visit_pv":4}'
    with pytest.raises(MalformedRowError):
        read_row(DAY, f"[{page},{page}]", VISIT_PAGES)
