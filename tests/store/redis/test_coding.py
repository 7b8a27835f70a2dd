"""Rows and states as texts, and back."""

import json
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.store.entry import Entry, Health, HeldRow, Vacant
from exporter.store.redis.coding import read_row, read_shared, row_text, state_text
from exporter.trend import FIELDS, Row
from exporter.wechat.errors import Reason
from tests.building import NOON, YESTERDAY, make_app, make_row

MOMENTS = st.floats(0, 1e11)
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=8) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
MAYBE_MOMENTS = st.none() | MOMENTS
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
HEALTHS = st.builds(
    Health,
    last_refresh=MAYBE_MOMENTS,
    last_success=MAYBE_MOMENTS,
    reason=st.none() | st.sampled_from(list(Reason)),
    errcode=st.none() | st.integers(1, 99_999) | st.just(-1),
    detail=st.text(),
    resume_at=MAYBE_MOMENTS,
    strikes=st.integers(0, 40),
    fingerprint=st.none() | st.binary(max_size=32),
)
ENTRIES = st.builds(
    Entry,
    app=st.just(make_app()),
    token_kind=st.just("stable_token"),
    health=HEALTHS,
    token_expires_at=MAYBE_MOMENTS,
    vacant=st.lists(st.builds(Vacant, DAYS, st.integers(1, 99), MOMENTS), max_size=4).map(tuple),
)


@given(ROWS)
def test_a_row_is_read_as_it_was_written(held: HeldRow) -> None:
    assert read_row(held.row.ref_date.isoformat(), row_text(held)) == held


def test_whole_numbers_stay_whole() -> None:
    held = read_row("2026-11-23", row_text(HeldRow(make_row(), NOON)))
    assert held is not None
    assert [type(value) for value in held.row.values] == [int, int, int, int, float, int, float]


@given(ENTRIES)
def test_a_state_is_read_as_it_was_written(entry: Entry) -> None:
    shared = read_shared({}, state_text(entry))
    assert (shared.health, shared.vacant) == (entry.health, entry.vacant)
    assert shared.token_expires_at == entry.token_expires_at
    assert shared.changed_at == entry.changed_at


@given(ENTRIES)
def test_a_text_begins_with_its_moment(entry: Entry) -> None:
    assert float(state_text(entry).split(" ")[0]) == entry.changed_at


@given(st.lists(ROWS, unique_by=lambda held: held.row.ref_date, max_size=5))
def test_rows_come_newest_first(rows: list[HeldRow]) -> None:
    shared = read_shared({held.row.ref_date.isoformat(): row_text(held) for held in rows}, None)
    assert list(shared.rows) == sorted(rows, key=lambda held: held.row.ref_date, reverse=True)
    assert (shared.health, shared.changed_at) == (Health(), 0)


def test_that_a_pause_was_lifted_here_is_not_told_to_others() -> None:
    entry = Entry(make_app(), "stable_token", health=Health(last_refresh=NOON, lifted=True))
    assert not read_shared({}, state_text(entry)).health.lifted


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
    good = HeldRow(make_row(), NOON)
    assert read_shared({day: text, f"{YESTERDAY.replace(day=1)}": row_text(good)}, None).rows != ()


@pytest.mark.parametrize(
    "figure",
    ["true", "NaN", "Infinity", "-1", "-0.5", "0.5", "1e300", f"{2**53 + 2}", "9" * 5000, '"5"', "[5]", "{}"],
)
def test_a_row_that_wechat_could_not_have_given_is_left_out(figure: str) -> None:
    assert read_row("2026-11-23", f"{NOON} [{figure},1,1,1,1,1,1]") is None


@pytest.mark.parametrize(
    "told",
    [
        {"refresh": "later"},
        {"refresh": True},
        {"refresh": [NOON]},
        {"refresh": -1},
        {"refresh": 1e300},
        {"refresh": 10**400},
        {"refresh": float("nan")},
        {"success": float("inf")},
        {"resume": "tomorrow"},
        {"token": {}},
        {"refresh": NOON, "errcode": "40001"},
        {"refresh": NOON, "errcode": 40001.0},
        {"refresh": NOON, "errcode": 10**30},
        {"refresh": NOON, "reason": 5},
        {"refresh": NOON, "detail": 5},
        {"refresh": NOON, "detail": "\ud800"},
        {"refresh": NOON, "strikes": -1},
        {"refresh": NOON, "strikes": 1.5},
        {"refresh": NOON, "fingerprint": 5},
        {"refresh": NOON, "vacant": [["2026-11-23", -1, NOON]]},
        {"refresh": NOON, "vacant": [["2026-11-23", 1, "later"]]},
        {"refresh": NOON, "vacant": [[5, 1, NOON]]},
        {"refresh": NOON, "vacant": ["abc"]},
        {"refresh": NOON, "vacant": {"2026-11-23": 1}},
        {"refresh": NOON, "reason": "a_reason_of_a_later_version"},
        {"refresh": NOON, "fingerprint": "xyz"},
        {"refresh": NOON, "vacant": [["2026-11-23", 1]]},
        {"refresh": NOON, "vacant": 5},
        [NOON],
        5,
    ],
)
def test_a_state_that_another_version_wrote_in_another_way_is_none(told: object) -> None:
    shared = read_shared({"2026-11-23": row_text(HeldRow(make_row(), NOON))}, f"{NOON} {json.dumps(told)}")
    assert (shared.health, shared.changed_at) == (Health(), 0)
    assert len(shared.rows) == 1


def test_a_state_without_a_text_is_none() -> None:
    assert read_shared({}, "").health == Health()


def test_more_strikes_than_there_are_pauses_for_are_as_many_as_there_are() -> None:
    shared = read_shared({}, f'{NOON} {{"refresh":{NOON},"strikes":100000}}')
    assert shared.health.strikes == 1000


@given(ANY_JSON, ANY_JSON)
def test_whatever_is_kept_is_read_or_left_out(figures: object, told: object) -> None:
    read_shared({"2026-11-23": f"{NOON} {json.dumps(figures)}"}, f"{NOON} {json.dumps(told)}")


@given(
    st.fixed_dictionaries(
        {},
        optional=dict.fromkeys(
            (
                "refresh",
                "success",
                "reason",
                "errcode",
                "detail",
                "resume",
                "strikes",
                "fingerprint",
                "token",
                "vacant",
            ),
            ANY_JSON,
        ),
    )
)
def test_whatever_a_state_has_in_its_places_its_moment_can_be_compared(told: dict[str, object]) -> None:
    shared = read_shared({}, f"{NOON} {json.dumps(told)}")
    assert shared.changed_at >= 0
    assert shared.health.strikes >= 0


@given(st.lists(ANY_JSON, min_size=len(FIELDS), max_size=len(FIELDS)))
def test_whatever_a_row_has_in_its_places_only_figures_are_shown(figures: list[object]) -> None:
    held = read_row("2026-11-23", f"{NOON} {json.dumps(figures)}")
    if held is not None:
        assert all(value is None or 0 <= value <= 2**53 for value in held.row.values)


@given(st.text(), st.text())
def test_texts_that_are_none_of_ours_are_left_out(day: str, text: str) -> None:
    assert read_shared({day: text}, text).rows == ()
