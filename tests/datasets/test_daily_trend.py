import json
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.datasets.body_parsing import MalformedRowError
from exporter.datasets.daily_trend import DAILY_TREND, FIELDS, figure_of
from exporter.datasets.dataset import Row
from exporter.datasets.field import Field
from exporter.datasets.period import DAY
from tests.building import trend_row

SAMPLES = Path(__file__).parent.parent / "samples"
MONDAY = date(2026, 11, 23)
SNAKE = {
    "ref_date": "20261123",
    "session_cnt": 1082,
    "visit_pv": 4577,
    "visit_uv": 495,
    "visit_uv_new": 0,
    "stay_time_uv": 211,
    "stay_time_session": 96.5342,
    "visit_depth": 2.6636,
}
VALUES = (1082, 4577, 495, 0, 211, 96.5342, 2.6636)
CAMEL = {"refDate": "20261123", **{field.camel: SNAKE[field.name] for field in FIELDS}}

COUNTS = [field for field in FIELDS if field.integral]
MEANS = [field for field in FIELDS if not field.integral]
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
days = st.dates(date(1971, 1, 1), date(2199, 12, 31))


def read(body: Mapping[str, object], day: date = MONDAY) -> Row | None:
    return DAILY_TREND.read(body, DAY.starting(day))


def parsed(**changes: object) -> Row:
    row = read({"list": [{**SNAKE, **changes}]})
    assert row is not None
    return row


def refusal(body: Mapping[str, object], asked: date = MONDAY) -> str:
    with pytest.raises(MalformedRowError) as caught:
        read(body, asked)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return str(caught.value)


# What is accepted


@pytest.mark.parametrize("shape", ["", "cloudcall_"])
def test_the_example_of_the_documentation_lacks_one_field_which_stays_absent(shape: str) -> None:
    body = json.loads((SAMPLES / f"daily_visit_trend__doc_{shape}20170313.json").read_text())
    asked = date(2017, 3, 13)
    assert read(body, asked) == trend_row(asked, (142549, 472351, 55500, 5464, None, 0, 1.9838))


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: field.name)
def test_a_field_that_was_left_out_is_none_and_the_others_stay(field: Field) -> None:
    position = FIELDS.index(field)
    for shape in (SNAKE, CAMEL):
        item = {key: value for key, value in shape.items() if key not in (field.name, field.camel)}
        row = read({"list": [item]})
        assert row == trend_row(MONDAY, (*VALUES[:position], None, *VALUES[position + 1 :]))


def test_a_row_gives_each_value_by_its_field_name() -> None:
    row = parsed()
    assert {"ref_date": "20261123", **{field.name: figure_of(row, field.name) for field in FIELDS}} == SNAKE


@pytest.mark.parametrize(
    ("found", "value"),
    [
        (0, 0),
        (-0.0, 0),
        (7, 7),
        (7.0, 7),
        ("7", 7),
        ("7.0", 7),
        ("007", 7),
        ("0", 0),
        ("-0", 0),
        ("1e3", 1000),
        ("1.5E+1", 15),
        (2**53, 2**53),
        (float(2**53), 2**53),
    ],
    ids=repr,
)
def test_whole_numbers_become_ints_however_they_are_written(found: object, value: int) -> None:
    for field in FIELDS:
        read = figure_of(parsed(**{field.name: found}), field.name)
        assert read == value
        assert type(read) is int


@pytest.mark.parametrize(("found", "value"), [(2.6636, 2.6636), ("2.6636", 2.6636), ("25e-1", 2.5)], ids=repr)
def test_means_keep_their_fraction(found: object, value: float) -> None:
    for field in MEANS:
        assert figure_of(parsed(**{field.name: found}), field.name) == value


@pytest.mark.parametrize("found", ["20261123", 20261123], ids=repr)
def test_the_date_may_be_a_text_or_a_whole_number(found: object) -> None:
    assert parsed(ref_date=found) == trend_row(MONDAY, VALUES)


def test_both_spellings_of_a_key_may_stand_side_by_side_when_they_agree() -> None:
    assert read({"list": [{**CAMEL, **SNAKE, "sessionCnt": "1082"}]}) == trend_row(MONDAY, VALUES)


# What is refused


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "there is no 'list'"),
        ({"list": None}, "'list' is null, not a list"),
        ({"list": SNAKE}, "'list' is an object, not a list"),
        ({"list": "[]"}, "'list' is '[]', not a list"),
        ({"list": False}, "'list' is False, not a list"),
        ({"list": [SNAKE, SNAKE]}, "'list' has 2 rows for one date"),
        ({"list": [None]}, "list[0] is null, not an object"),
        ({"list": [[SNAKE]]}, "list[0] is a list, not an object"),
        ({"list": [{"ref_date": "20261123"}]}, "the row has none of the documented figures"),
        ({"list": [{"ref_date": "20261123", "share_pv": 1}]}, "the row has none of the documented figures"),
        ({"list": [{**SNAKE, "sessionCnt": 1}]}, "session_cnt and sessionCnt differ"),
    ],
)
def test_another_shape_is_refused_in_words(body: dict[str, object], message: str) -> None:
    assert refusal(body) == message


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ("20261122", "'20261122'"),
        (20261122, "20261122"),
        ("2026-11-23", "'2026-11-23'"),
        ("20261123 ", "'20261123 '"),
        ("20261123-20261129", "'20261123-20261129'"),
        ("", "''"),
        (None, "null"),
        (True, "True"),
        (20261123.0, "20261123.0"),
        (["20261123"], "a list"),
        ({}, "an object"),
        ("x" * 41, "a text of 41 characters"),
    ],
)
def test_a_row_of_another_date_is_refused_in_either_spelling(found: object, message: str) -> None:
    for key in ("ref_date", "refDate"):
        item = {**SNAKE, key: found}
        assert refusal({"list": [item]}) == f"ref_date is {message}, asked for 20261123"


def test_a_row_without_its_date_is_refused() -> None:
    item = {key: value for key, value in SNAKE.items() if key != "ref_date"}
    assert refusal({"list": [item]}) == "ref_date is missing, asked for 20261123"


NOT_A_NUMBER = "not a number from 0 up"
WRONG_FIGURES = [
    (True, f"True, {NOT_A_NUMBER}"),
    (False, f"False, {NOT_A_NUMBER}"),
    (None, f"null, {NOT_A_NUMBER}"),
    (float("nan"), f"nan, {NOT_A_NUMBER}"),
    (float("-inf"), f"-inf, {NOT_A_NUMBER}"),
    (-1, f"-1, {NOT_A_NUMBER}"),
    (-0.5, f"-0.5, {NOT_A_NUMBER}"),
    (-(10**4000), f"a huge number, {NOT_A_NUMBER}"),
    ([1], f"a list, {NOT_A_NUMBER}"),
    ({"value": 1}, f"an object, {NOT_A_NUMBER}"),
    ("", f"'', {NOT_A_NUMBER}"),
    (" 7", f"' 7', {NOT_A_NUMBER}"),
    ("7\n", f"'7\\n', {NOT_A_NUMBER}"),
    ("+7", f"'+7', {NOT_A_NUMBER}"),
    ("7,5", f"'7,5', {NOT_A_NUMBER}"),
    ("1_000", f"'1_000', {NOT_A_NUMBER}"),
    ("0x10", f"'0x10', {NOT_A_NUMBER}"),
    ("٧", f"'٧', {NOT_A_NUMBER}"),
    ("nan", f"'nan', {NOT_A_NUMBER}"),
    ("Infinity", f"'Infinity', {NOT_A_NUMBER}"),
    ("-1", f"'-1', {NOT_A_NUMBER}"),
    (float("inf"), "inf, too large to be true"),
    (2**53 + 1, "a huge number, too large to be true"),
    (10**4000, "a huge number, too large to be true"),
    ("9" * 5000, "a text of 5000 characters, too large to be true"),
    ("1e400", "'1e400', too large to be true"),
]


@pytest.mark.parametrize(
    ("found", "message"),
    WRONG_FIGURES,
    ids=[f"{n}. {message}" for n, (_, message) in enumerate(WRONG_FIGURES)],
)
def test_a_figure_that_cannot_be_trusted_refuses_the_row(found: object, message: str) -> None:
    for field in FIELDS:
        for key in (field.name, field.camel):
            item = {**(SNAKE if key == field.name else CAMEL), key: found}
            assert refusal({"list": [item]}) == f"{field.name} is {message}"


def test_a_number_longer_than_python_writes_out_is_refused_like_others() -> None:
    assert refusal({"list": 10**5000}) == "'list' is a huge number, not a list"
    assert refusal({"list": [{"ref_date": -(10**5000)}]}).startswith("ref_date is a huge number, asked")


def test_values_nested_up_to_the_interpreters_limit_are_refused_like_others() -> None:
    nested: object = "20261123"
    for _ in range(sys.getrecursionlimit() * 2):
        nested = [nested]
    for key in ("ref_date", "visit_uv"):
        camel = {"ref_date": "refDate", "visit_uv": "visitUv"}[key]
        assert "is a list" in refusal({"list": [{**SNAKE, key: nested, camel: nested}]})


figures = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3) | json_values


@given(
    item=st.fixed_dictionaries(
        {"ref_date": st.just("20261123") | json_values},
        optional={key: figures for field in FIELDS for key in (field.name, field.camel)},
    )
)
def test_every_value_of_a_row_is_one_that_was_sent_and_can_be_true(item: dict[str, object]) -> None:
    try:
        row = read({"list": [item]})
    except MalformedRowError:
        return
    assert row is not None
    assert item["ref_date"] in ("20261123", 20261123)
    for field, value in zip(FIELDS, row.values, strict=True):
        sent = [item[key] for key in (field.name, field.camel) if key in item]
        assert (value is None) == (not sent)
        if value is not None:
            assert all(float(str(each)) == value for each in sent)
            assert 0 <= value <= 2**53
            assert isinstance(value, int) == (value == int(value))
