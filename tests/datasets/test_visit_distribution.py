from datetime import date
from typing import Any

import pytest

from exporter.datasets.body_parsing import MalformedRowError
from exporter.datasets.dataset import Point, Row
from exporter.datasets.period import DAY
from exporter.datasets.visit_distribution import VISIT_DISTRIBUTION
from tests.datasets.rows import sample

ASKED = DAY.starting(date(2026, 10, 24))


def body(*lists: object) -> dict[str, Any]:
    return {"ref_date": "20261024", "list": list(lists)}


def source(*items: tuple[object, object]) -> dict[str, Any]:
    pairs = [{"key": key, "value": value} for key, value in items]
    return {"index": "access_source_session_cnt", "item_list": pairs}


def read(found: dict[str, Any]) -> Row:
    row = VISIT_DISTRIBUTION.read(found, ASKED)
    assert row is not None
    return row


def refusal(found: dict[str, Any]) -> str:
    with pytest.raises(MalformedRowError) as caught:
        VISIT_DISTRIBUTION.read(found, ASKED)
    return str(caught.value)


def test_a_source_has_its_opens_and_its_visitors_whether_a_table_names_it_or_not() -> None:
    row = read(sample("visit_distribution__edited_unknown_keys_and_index"))
    sources = {point.labels[0]: point.values for point in row.points if point.labels[0]}
    assert sources == {
        "1": (40, 30, None, None),
        "2": (31, 28, None, None),
        "59": (2, 2, None, None),
        "60": (1, 1, None, None),
        "62": (17, 15, None, None),
        "99": (3, 3, None, None),
    }


def test_stay_and_depth_have_readable_labels_and_unknown_keys_their_number() -> None:
    row = read(sample("visit_distribution__edited_unknown_keys_and_index"))
    others = [point for point in row.points if not point.labels[0]]
    assert others == [
        Point(("", "0-2s", ""), (None, None, 50, None)),
        Point(("", ">100s", ""), (None, None, 44, None)),
        Point(("", "", "1"), (None, None, None, 60)),
        Point(("", "", ">10"), (None, None, None, 34)),
    ]
    depth = {"index": "access_depth_info", "item_list": [{"key": 6, "value": 1}, {"key": 8, "value": 2}]}
    assert [point.labels[2] for point in read(body(depth)).points] == ["6-10", "8"]


def test_the_undocumented_index_may_be_missing() -> None:
    assert read(body(source((2, 7)))).points == (Point(("2", "", ""), (7, None, None, None)),)


def test_an_index_may_have_no_items() -> None:
    assert read(body(source((2, 7)), {"index": "access_depth_info"})).points[0].values[0] == 7


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (body(source((2, 7), (2, 7))), "access_source_session_cnt has key 2 twice"),
        (body(source((2, 7)), source((3, 7))), "index 'access_source_session_cnt' is there twice"),
        (body({"item_list": []}), "list[0] has no index"),
        (body({"index": 4, "item_list": []}), "list[0].index is 4, not a text"),
        (body({"index": "access_something_new"}), "the row has none of the documented figures"),
        (
            body({"index": "access_depth_info", "item_list": None}),
            "'access_depth_info.item_list' is null, not a list",
        ),
        (
            {**body(), "list": [{**source((2, 7)), "itemList": []}]},
            "'access_source_session_cnt.item_list' and 'access_source_session_cnt.itemList' are both there",
        ),
        ({"list": []}, "ref_date is missing, asked for 20261024"),
    ],
)
def test_what_cannot_be_trusted_refuses_the_day(found: dict[str, Any], message: str) -> None:
    assert refusal(found) == message


def test_a_day_without_any_key_is_no_row() -> None:
    assert VISIT_DISTRIBUTION.read(sample("visit_distribution__edited_empty_list"), ASKED) is None
    assert VISIT_DISTRIBUTION.read(body(source()), ASKED) is None


def test_keys_over_the_cap_are_counted() -> None:
    row = read(body(source(*((key, 1) for key in range(1000)))))
    assert (len(row.points), row.dropped) == (300, 700)
    assert row.points[-1].labels[0] == "299"
