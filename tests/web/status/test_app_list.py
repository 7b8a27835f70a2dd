from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from exporter.datasets.quota import QUOTA
from exporter.store.entry import Entry, Health, Table
from exporter.web.status.app_list import Listing, app_state, list_apps, state_of
from exporter.web.status.query import Query, State
from exporter.wechat.failures.failure import Reason
from tests.building import NOON, YESTERDAY, bare_row, make_app, make_entry, make_failure, make_row

OK = Health(last_refresh=NOON, last_success=NOON)
FAILING = Health(last_refresh=NOON, failure=make_failure(Reason.NETWORK))
LATE = Health(last_refresh=NOON, failure=make_failure(Reason.NOT_READY))
DATASETS = ("weekly_trend", QUOTA)

COFFEE = replace(
    make_entry(1, [make_row(scale=2)], OK), app=make_app(1, "Coffee-Shop", (("team", "retail"),))
)
TEA = make_entry(2, [make_row(scale=9)], FAILING, "tea")
BARE = make_entry(3, [bare_row(YESTERDAY - timedelta(days=1), visit_uv=1)], LATE, "点餐")
NEW = make_entry(4, (), Health(), "Atlas")
ALL = (COFFEE, TEA, BARE, NEW)


def listed(entries: Iterable[Entry], query: Query) -> Listing:
    return list_apps(entries, query, partial(app_state, datasets=DATASETS))


def found(**query: str) -> list[Entry]:
    return list(listed(ALL, Query.read(query)).entries)


def test_without_a_choice_what_needs_attention_comes_first_else_as_configured() -> None:
    assert found() == [TEA, BARE, NEW, COFFEE]
    healthy = [make_entry(number, [make_row()], OK) for number in (3, 1, 2)]
    assert list(listed(healthy, Query()).entries) == healthy


@pytest.mark.parametrize(
    ("trend", "tables", "state"),
    [
        (OK, {"weekly_trend": FAILING}, State.DATASET_FAILING),
        (LATE, {"weekly_trend": FAILING}, State.DATASET_FAILING),
        (OK, {"weekly_trend": LATE}, State.OK),
        (FAILING, {"weekly_trend": FAILING}, State.FAILING),
        (OK, {QUOTA: FAILING}, State.DATASET_FAILING),
        (OK, {"monthly_trend": FAILING}, State.OK),  # which was switched off by a reload
    ],
)
def test_an_app_of_which_a_dataset_fails_stands_behind_the_failing_ones(
    trend: Health, tables: dict[str, Health], state: State
) -> None:
    held = {name: Table(health=health) for name, health in tables.items()}
    entry = replace(make_entry(9, health=trend), tables=held)
    assert app_state(entry, DATASETS) is state
    if state is State.DATASET_FAILING:
        assert list(listed([*ALL, entry], Query()).entries) == [TEA, entry, BARE, NEW, COFFEE]
        assert list(listed([*ALL, entry], Query(state=state)).entries) == [entry]


@pytest.mark.parametrize(
    ("health", "state"),
    [
        (Health(), State.UNTRIED),
        (Health(last_success=NOON), State.UNTRIED),
        (OK, State.OK),
        (LATE, State.NOT_READY),
        (replace(LATE, failure=make_failure(Reason.EMPTY)), State.NOT_READY),
        (FAILING, State.FAILING),
    ],
)
def test_the_state_is_that_of_the_last_refresh(health: Health, state: State) -> None:
    assert state_of(health) is state


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("coffee", [COFFEE]),
        ("SHOP", [COFFEE]),
        ("wx0000000000000002", [TEA]),
        ("点餐", [BARE]),
        ("retail", [COFFEE]),
        ("team=retail", [COFFEE]),
        ("retail coffee", [COFFEE]),
        ("retail tea", [COFFEE]),
        ("retail atlas", []),
        (".*", []),
    ],
)
def test_apps_are_found_by_all_words_in_name_appid_or_label(q: str, expected: list[Entry]) -> None:
    assert found(q=q) == expected


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("ok", [COFFEE]),
        ("failing", [TEA]),
        ("not_ready", [BARE]),
        ("untried", [NEW]),
        ("", [TEA, BARE, NEW, COFFEE]),
    ],
)
def test_apps_are_found_by_state(state: str, expected: list[Entry]) -> None:
    assert found(state=state) == expected


@pytest.mark.parametrize(
    ("sort", "order", "expected"),
    [
        ("visit_pv", "desc", [TEA, COFFEE, BARE, NEW]),
        ("visit_pv", "asc", [COFFEE, TEA, BARE, NEW]),
        ("visit_uv", "asc", [BARE, COFFEE, TEA, NEW]),
        ("visit_depth", "desc", [COFFEE, TEA, BARE, NEW]),  # the first two are equal
        ("name", "asc", [NEW, COFFEE, TEA, BARE]),
        ("name", "desc", [BARE, TEA, COFFEE, NEW]),
        ("state", "asc", [TEA, BARE, NEW, COFFEE]),
        ("date", "desc", [COFFEE, TEA, BARE, NEW]),
        ("date", "asc", [BARE, COFFEE, TEA, NEW]),
    ],
)
def test_apps_are_sorted_with_missing_values_last_either_way(
    sort: str, order: str, expected: list[Entry]
) -> None:
    assert found(sort=sort, order=order) == expected


@pytest.mark.parametrize(("order", "expected"), [("asc", [1, 3, 2]), ("desc", [3, 1, 2])])
def test_tokens_are_sorted_by_expiry_with_unknown_ones_last(order: str, expected: list[int]) -> None:
    entries = [
        replace(make_entry(number), token_expires_at=at) for number, at in ((1, 10.0), (2, None), (3, 99.0))
    ]
    listing = listed(entries, Query.read({"sort": "token", "order": order}))
    assert [entry.app for entry in listing.entries] == [make_app(number) for number in expected]


def test_pages_are_cut_from_the_sorted_apps() -> None:
    entries = [make_entry(number, [make_row(scale=number)], OK) for number in range(1, 121)]
    listing = listed(entries, Query.read({"sort": "visit_pv", "page": "3"}))
    assert [entry.app for entry in listing.entries] == [make_app(number) for number in range(20, 0, -1)]
    assert (listing.first, listing.matching, listing.page, listing.pages) == (101, 120, 3, 3)


def test_a_page_behind_the_last_is_the_last() -> None:
    entries = [make_entry(number) for number in range(51)]
    listing = listed(entries, Query.read({"page": "9" * 30}))
    assert (listing.page, len(listing.entries)) == (2, 1)


def test_nothing_found_is_one_empty_page() -> None:
    listing = listed(ALL, Query(q="nobody"))
    assert (listing.entries, listing.first, listing.matching) == ((), 0, 0)
    assert (listing.page, listing.pages) == (1, 1)


@pytest.mark.parametrize(
    ("page", "pages", "numbers"),
    [
        (1, 1, [1]),
        (1, 3, [1, 2, 3]),
        (1, 100, [1, 2, 3, None, 100]),
        (4, 100, [1, 2, 3, 4, 5, 6, None, 100]),
        (50, 100, [1, None, 48, 49, 50, 51, 52, None, 100]),
        (100, 100, [1, None, 98, 99, 100]),
    ],
)
def test_the_ends_and_the_pages_around_this_one_are_linked_to(
    page: int, pages: int, numbers: list[int | None]
) -> None:
    assert list(Listing((), 0, 0, page, pages).numbers) == numbers
