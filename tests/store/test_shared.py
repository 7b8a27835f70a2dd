"""Of two exporters' knowledge the later one wins, piece by piece."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.store.entry import Entry, Health, HeldRow, Vacant
from exporter.store.memory import MemoryStore
from exporter.store.shared import Shared, is_shared, merged
from exporter.wechat.errors import Reason
from tests.building import NOON, YESTERDAY, make_app, make_row

NOW = NOON + 3600

FINE = Health(last_refresh=NOON, last_success=NOON)
FAILING = Health(last_refresh=NOON + 60, last_success=NOON, reason=Reason.TIMEOUT)


def row(back: int = 0, scale: int = 1, at: float = NOON) -> HeldRow:
    return HeldRow(make_row(YESTERDAY - timedelta(days=back), scale), at)


def entry(*rows: HeldRow, health: Health = FINE, vacant: tuple[Vacant, ...] = ()) -> Entry:
    return Entry(make_app(), "stable_token", rows, health, NOON + 7200, vacant)


def shared(*rows: HeldRow, health: Health = FINE, vacant: tuple[Vacant, ...] = ()) -> Shared:
    return Shared(rows, health, vacant, NOON + 9000)


def test_a_later_row_replaces_that_of_its_date_alone() -> None:
    known = entry(row(0, 1, NOON), row(1, 1, NOON))
    after = merged(known, shared(row(0, 2, NOON + 1), row(1, 2, NOON - 1)), 9, NOW)
    assert after.rows == (row(0, 2, NOON + 1), row(1, 1, NOON))


def test_a_row_of_the_same_moment_changes_nothing() -> None:
    known = entry(row(0, 1))
    assert merged(known, shared(row(0, 2)), 9, NOW) is known


def test_rows_are_kept_for_as_many_days_as_ever() -> None:
    after = merged(entry(row(0)), shared(row(1), row(2), row(9)), 3, NOW)
    assert [held.row.ref_date for held in after.rows] == [
        YESTERDAY - timedelta(days=back) for back in range(3)
    ]


def test_a_later_state_comes_whole() -> None:
    vacant = (Vacant(YESTERDAY, 2, NOON + 5),)
    after = merged(entry(row()), shared(health=FAILING, vacant=vacant), 9, NOW)
    assert (after.health, after.vacant, after.token_expires_at) == (FAILING, vacant, NOON + 9000)
    assert (after.rows, after.app) == ((row(),), make_app())


@pytest.mark.parametrize("health", [FINE, replace(FINE, last_refresh=NOON - 60), Health()])
def test_an_earlier_state_or_one_of_the_same_moment_changes_nothing(health: Health) -> None:
    known = entry(row())
    assert merged(known, shared(health=health), 9, NOW) is known


def test_a_date_asked_for_later_makes_a_state_later() -> None:
    vacant = (Vacant(YESTERDAY - timedelta(days=3), 1, NOON + 30),)
    assert merged(entry(), shared(vacant=vacant), 9, NOW).vacant == vacant
    assert shared(vacant=vacant).changed_at == entry(vacant=vacant).changed_at == NOON + 30


def test_nothing_was_changed_where_nobody_ever_asked() -> None:
    assert shared(health=Health()).changed_at == 0


@pytest.mark.parametrize(
    ("kept", "known", "all_of_it"),
    [
        (shared(row()), entry(row()), True),
        (shared(row(), row(1)), entry(row()), True),
        (shared(row(0, 1, NOON + 1)), entry(row()), True),
        (shared(row(0, 1, NOON - 1)), entry(row()), False),
        (shared(), entry(row()), False),
        (shared(row(), health=FAILING), entry(row()), True),
        (shared(row()), entry(row(), health=FAILING), False),
        (shared(health=Health()), entry(health=Health()), True),
        (shared(), entry(vacant=(Vacant(YESTERDAY, 1, NOON + 1),)), False),
    ],
)
def test_a_storage_has_all_of_an_entry_that_knows_nothing_later(
    kept: Shared, known: Entry, *, all_of_it: bool
) -> None:
    assert kept.has_all_of(known, NOW) is all_of_it


HELD = st.lists(
    st.builds(row, st.integers(0, 8), st.integers(1, 3), st.integers(1, 5).map(float)),
    unique_by=lambda held: held.row.ref_date,
    max_size=5,
).map(lambda rows: tuple(sorted(rows, key=lambda held: held.row.ref_date, reverse=True)))
MOMENTS = st.integers(0, 3).map(lambda at: Health(last_refresh=NOON + at))


@given(own=HELD, kept=HELD, mine=MOMENTS, theirs=MOMENTS)
def test_after_merging_nothing_later_is_left_on_the_other_side(
    own: tuple[HeldRow, ...], kept: tuple[HeldRow, ...], mine: Health, theirs: Health
) -> None:
    other = shared(*kept, health=theirs)
    after = merged(entry(*own, health=mine), other, 9, NOW)
    assert merged(after, other, 9, NOW) is after
    assert Shared(after.rows, after.health, after.vacant, None).has_all_of(entry(*kept, health=theirs), NOW)
    assert Shared(after.rows, after.health, after.vacant, None).has_all_of(entry(*own, health=mine), NOW)


def test_a_storage_of_one_exporter_is_not_shared() -> None:
    assert not is_shared(MemoryStore())


AHEAD = NOW + 400


def test_what_an_exporter_with_a_wrong_clock_found_counts_as_none() -> None:
    future = shared(row(0, 9, AHEAD), health=Health(last_refresh=AHEAD))
    known = entry(row(), health=Health(last_refresh=NOON))
    assert merged(known, future, 9, NOW) is known
    assert not future.has_all_of(known, NOW)


def test_what_was_taken_over_from_a_wrong_clock_is_replaced() -> None:
    spoilt = entry(row(0, 9, AHEAD), health=Health(last_refresh=AHEAD))
    after = merged(spoilt, shared(row(), health=Health(last_refresh=NOON)), 9, NOW)
    assert (after.rows, after.health.last_refresh) == ((row(),), NOON)
