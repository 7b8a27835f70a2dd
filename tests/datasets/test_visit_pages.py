from datetime import date
from typing import Any

import pytest

from exporter.config.datasets import DatasetSettings
from exporter.datasets.body_parsing import MalformedRowError
from exporter.datasets.dataset import Point, Row
from exporter.datasets.period import DAY
from exporter.datasets.visit_pages import OTHER, VISIT_PAGES
from tests.datasets.rows import sample

ASKED = DAY.starting(date(2026, 10, 24))


def body(*pages: dict[str, Any]) -> dict[str, Any]:
    return {"ref_date": "20261024", "list": list(pages)}


def read(found: dict[str, Any]) -> Row:
    row = VISIT_PAGES.read(found, ASKED)
    assert row is not None
    return row


def page(path: object, views: int = 1) -> dict[str, Any]:
    return {"page_path": path, "page_visit_pv": views, "page_visit_uv": 1, "page_share_pv": 2}


def shown(row: Row, *, top: int, allow: tuple[str, ...] = ()) -> dict[str, tuple[float | None, ...]]:
    settings = DatasetSettings("visit_pages", top=top, allow=allow)
    [(period, points)] = VISIT_PAGES.selection.shown([row], settings)
    assert period == ASKED
    return {point.labels[0]: point.values for point in points}


def test_paths_stay_as_sent_but_for_a_query() -> None:
    row = read(sample("visit_page__edited_query_dup_and_escapes"))
    assert [point.labels[0] for point in row.points] == [
        "pages/index/index",
        "pages/index/index.html",
        "packageA/pages/goods/goods",
        "",
    ]


def test_pages_come_by_views_and_then_by_path() -> None:
    row = read(body(page("b", 3), page("c", 9), page("a", 3)))
    assert [point.labels[0] for point in row.points] == ["c", "a", "b"]


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (body(page("a"), page("a")), "page_path 'a' is there twice"),
        (body(page("a?id=1"), page("a?id=2")), "page_path 'a' is there twice"),
        (body({"page_visit_pv": 3}), "list[0] has no page_path"),
        (body(page(None)), "list[0].page_path is null, not a path"),
        (body(page("x" * 1025)), "list[0].page_path is a text of 1025 characters, not a path"),
        (body(page("\ud800")), "list[0].page_path is no text"),
        (body({**page("a"), "pagePath": "b"}), "list[0]: page_path and pagePath differ"),
        (body({"page_path": "a"}), "the row has none of the documented figures"),
    ],
)
def test_what_cannot_be_trusted_refuses_the_day(found: dict[str, Any], message: str) -> None:
    with pytest.raises(MalformedRowError) as caught:
        VISIT_PAGES.read(found, ASKED)
    assert str(caught.value) == message


def test_wechats_most_pages_are_all_taken_and_more_are_counted() -> None:
    found = sample("visit_page__edited_200_rows")
    asked = DAY.starting(date.fromisoformat(found["ref_date"]))
    row = VISIT_PAGES.read(found, asked)
    assert row is not None
    assert (len(row.points), row.dropped) == (200, 0)
    more = read(body(*(page(f"pages/{number}", number) for number in range(205))))
    assert (len(more.points), more.dropped) == (200, 5)
    assert more.points[-1].labels[0] == "pages/5"


def test_the_rest_is_one_page_that_has_only_what_adds_up() -> None:
    row = read(body(page("a", 9), page("b", 5), page("pages/pay/done", 3), page("c", 2), page("d", 1)))
    assert shown(row, top=2, allow=("pages/pay/*",)) == {
        "a": (9, 1, None, None, None, 2, None),
        "b": (5, 1, None, None, None, 2, None),
        "pages/pay/done": (3, 1, None, None, None, 2, None),
        OTHER: (3, None, None, None, None, 4, None),
    }


def test_without_a_rest_there_is_no_other_page() -> None:
    assert set(shown(read(body(page("a"), page("b"))), top=10)) == {"a", "b"}


def test_a_page_without_a_path_is_part_of_the_rest() -> None:
    assert shown(read(body(page("", 8), page("a", 2))), top=10)[OTHER][0] == 8
    assert "a" in shown(read(body(page("", 8), page("a", 2))), top=1)


def test_a_sum_needs_the_figure_of_every_page() -> None:
    row = read(body(page("a", 9), page("b"), {"page_path": "c", "page_visit_pv": 4}))
    assert shown(row, top=1)[OTHER] == (5, None, None, None, None, None, None)


def test_no_page_may_be_shown_but_the_rest() -> None:
    row = read(body(page("a", 9), page("b", 5)))
    assert shown(row, top=0) == {OTHER: (14, None, None, None, None, 4, None)}
    assert row.points[0] == Point(("a",), (9, 1, None, None, None, 2, None))
