from collections.abc import Sequence
from datetime import timedelta
from functools import partial

from exporter.datasets.daily_trend import FIELDS
from exporter.store.entry import Entry, Health
from exporter.web.status.app_list import app_state
from exporter.web.status.query import State
from exporter.web.status.totals import Overview
from exporter.web.status.totals import overview as count
from exporter.wechat.failures.failure import Reason
from tests.building import NOON, YESTERDAY, bare_row, make_entry, make_failure, make_row

OLDER = YESTERDAY - timedelta(days=1)


def overview(entries: Sequence[Entry]) -> Overview:
    return count(entries, partial(app_state, datasets=()))


def test_totals_are_of_the_newest_date_that_any_app_has() -> None:
    entries = [
        make_entry(1, [make_row(YESTERDAY, 1), make_row(OLDER, 100)]),
        make_entry(2, [make_row(YESTERDAY, 2)]),
        make_entry(3, [make_row(OLDER, 1000)]),
        make_entry(4),
    ]
    found = overview(entries)
    assert (found.newest, found.up_to_date) == (YESTERDAY, 2)
    assert {total.field.name: total.value for total in found.totals} == {
        "session_cnt": 30,
        "visit_pv": 120,
        "visit_uv_new": 9,
    }


def test_only_figures_that_add_up_are_added_up() -> None:
    totals = overview([make_entry(1, [make_row()])]).totals
    assert [total.field.name for total in totals] == [field.name for field in FIELDS if field.additive]


def test_each_total_says_how_many_apps_gave_its_figure() -> None:
    totals = overview(
        [make_entry(1, [make_row()]), make_entry(2, [bare_row(YESTERDAY, session_cnt=5)])]
    ).totals
    assert [(total.value, total.apps) for total in totals] == [(15, 2), (40, 1), (3, 1)]


def test_a_figure_that_no_app_has_given_is_unknown_and_not_zero() -> None:
    totals = overview([make_entry(1, [bare_row(YESTERDAY, visit_pv=0)])]).totals
    assert [total.value for total in totals] == [None, 0, None]


def test_without_rows_there_are_no_totals() -> None:
    found = overview([make_entry()])
    assert (found.newest, found.up_to_date, found.totals) == (None, 0, ())


def test_apps_are_counted_by_state() -> None:
    failures = (None, None, make_failure(Reason.EMPTY), make_failure(Reason.NETWORK))
    entries = [make_entry(health=Health(last_refresh=NOON, failure=each)) for each in failures]
    found = overview([*entries, make_entry()])
    assert found.apps == 5
    assert found.states == {
        State.FAILING: 1,
        State.DATASET_FAILING: 0,
        State.NOT_READY: 1,
        State.UNTRIED: 1,
        State.OK: 2,
    }
