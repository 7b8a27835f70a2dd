from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from exporter.store.entry import Health, HeldRow, with_row
from exporter.wechat.failures.failure import Reason
from tests.building import NOON, YESTERDAY, make_entry, make_failure, make_row


def held(back: int, scale: int = 1, at: float = NOON) -> HeldRow:
    return HeldRow(make_row(YESTERDAY - timedelta(days=back), scale), at)


def test_rows_are_newest_first_whatever_order_they_came_in() -> None:
    rows: tuple[HeldRow, ...] = ()
    for back in (2, 0, 3, 1):
        rows = with_row(rows, held(back), 9, NOON)
    assert rows == tuple(held(back) for back in range(4))


def test_a_late_row_keeps_its_own_date_and_does_not_become_the_newest() -> None:
    rows = with_row((held(0),), held(3, scale=7), 9, NOON)
    assert rows[0] == held(0)
    assert rows[1] == held(3, scale=7)


def test_a_corrected_row_takes_its_dates_place() -> None:
    assert with_row((held(0), held(1)), held(1, scale=2), 9, NOON) == (held(0), held(1, scale=2))


def test_age_counts_from_the_newest_row() -> None:
    assert with_row((held(7), held(8)), held(0), 8, NOON) == (held(0), held(7))


def test_a_clock_set_wrong_makes_no_row_vanish() -> None:
    old = (held(400), held(401))
    assert with_row(old, held(402), 9, NOON) == (held(400), held(401), held(402))


def test_of_two_rows_of_a_date_the_one_asked_for_later_stays_whichever_came_first() -> None:
    earlier, later = held(0, 1, NOON), held(0, 2, NOON + 1)
    assert with_row((earlier,), later, 9, NOON + 9) == (later,)
    assert with_row((later,), earlier, 9, NOON + 9) == (later,)


def test_a_row_that_a_clock_set_wrong_dated_into_the_future_gives_way() -> None:
    ahead, right = held(0, 1, NOON + 86_400), held(0, 2, NOON)
    assert with_row((ahead,), right, 9, NOON + 1) == (right,)


@given(st.lists(st.integers(0, 30), max_size=40), st.integers(1, 12))
def test_never_two_rows_of_one_date_and_never_none_at_all(backs: list[int], keep: int) -> None:
    rows: tuple[HeldRow, ...] = ()
    for back in backs:
        rows = with_row(rows, held(back), keep, NOON)
        dates = [each.row.ref_date for each in rows]
        assert dates == sorted(set(dates), reverse=True)
        assert rows
        assert (dates[0] - dates[-1]).days < keep


def test_not_ready_and_empty_are_answers_and_everything_else_is_a_failure() -> None:
    assert Health().up
    up = {reason for reason in Reason if Health(failure=make_failure(reason)).up}
    assert up == {Reason.NOT_READY, Reason.EMPTY}


def test_an_app_counts_as_tried_once_asked_or_restored() -> None:
    assert not make_entry().tried
    assert make_entry(rows=[make_row()]).tried
    assert make_entry(health=Health(last_refresh=NOON)).tried


def test_a_row_is_found_by_its_date() -> None:
    entry = make_entry(rows=[make_row()])
    assert entry.row(YESTERDAY) == make_row()
    assert entry.row(YESTERDAY - timedelta(days=1)) is None
