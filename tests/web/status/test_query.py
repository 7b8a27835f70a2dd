from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.web.status.columns import COLUMNS
from exporter.web.status.language import Language
from exporter.web.status.query import LONGEST_SEARCH, Query, State

WHOLE = Query(Language.ZH, "tea", State.FAILING, "visit_uv", "asc", "visit_depth", 200, 3, 60)


def read(link: str) -> Query:
    return Query.read(dict(parse_qsl(link.removeprefix("?"))))


def test_what_is_not_said_is_the_default() -> None:
    assert Query.read({}) == Query()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("lang", "fr"),
        ("lang", ""),
        ("state", "broken"),
        ("state", ""),
        ("sort", "password"),
        ("sort", "__class__"),
        ("order", "asc"),
        ("chart", "visit"),
        ("chart", "fetched_at"),
        ("size", "51"),
        ("size", "1e3"),
        ("size", "9" * 5000),
        ("page", "0"),
        ("page", "-4"),
        ("page", "two"),
        ("page", ""),
        ("q", "  "),
        ("refresh", "1"),
        ("refresh", "-60"),
        ("unknown", "x"),
    ],
)
def test_a_bad_parameter_counts_as_not_said(name: str, value: str) -> None:
    assert Query.read({name: value}) == Query()


def test_a_bad_order_is_the_columns_own() -> None:
    assert Query.read({"sort": "visit_pv", "order": "sideways"}).order == "desc"
    assert Query.read({"sort": "name", "order": ""}).order == "asc"


def test_links_keep_every_choice() -> None:
    assert read(WHOLE.link()) == WHOLE
    assert read(WHOLE.link(page=4)).page == 4
    assert read(WHOLE.link(page=4)).lang is Language.ZH


def test_a_link_omits_what_has_its_default() -> None:
    assert Query().link() == "?"
    assert Query().link(page=2) == "?page=2"
    assert WHOLE.link(**{name: getattr(Query(), name) for name in ("q", "state", "sort", "order")}) == (
        "?lang=zh&chart=visit_depth&size=200&page=3&refresh=60"
    )


def test_a_language_tag_counts_as_its_language() -> None:
    assert Query.read({"lang": "zh-CN"}).lang is Language.ZH


def test_a_column_is_sorted_its_own_way_first_then_the_other_way_round() -> None:
    first = read(Query(page=7).sorted_by("visit_pv"))
    assert (first.sort, first.order, first.page) == ("visit_pv", "desc", 1)
    second = read(first.sorted_by("visit_pv"))
    assert second.order == "asc"
    assert read(second.sorted_by("visit_pv")).order == "desc"
    names = read(first.sorted_by("name"))
    assert names.order == "asc"
    assert read(names.sorted_by("name")).order == "desc"


def test_a_search_is_cut_and_its_white_space_folded() -> None:
    assert Query.read({"q": "  coffee \n shop "}).q == "coffee shop"
    assert len(Query.read({"q": "x" * 10_000}).q) == LONGEST_SEARCH


def test_half_a_surrogate_pair_can_be_linked() -> None:
    assert Query(q="\ud83d").link() == "?q=%3F"


@given(
    st.dictionaries(
        st.sampled_from(["lang", "q", "state", "sort", "order", "chart", "size", "page"]), st.text()
    )
)
def test_whatever_is_asked_is_a_query_that_its_link_keeps(parameters: dict[str, str]) -> None:
    query = Query.read(parameters)
    assert query.sort in ("", *COLUMNS)
    assert read(query.link()) == query
