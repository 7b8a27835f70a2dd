"""Points of a long row keep all that they hold in less memory."""

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter.datasets.dataset import Point
from exporter.datasets.packed_points import PackedPoints, packed

FIGURE = st.one_of(st.none(), st.integers(0, 2**63), st.floats(0, 1e12))
POINTS = st.lists(
    st.builds(
        Point,
        st.tuples(st.text(st.characters(codec="utf-8"))),
        st.tuples(FIGURE, FIGURE, FIGURE),
    ),
    max_size=40,
)


@given(POINTS)
def test_packed_points_are_the_points_with_their_types(points: list[Point]) -> None:
    found = packed(points)
    assert found == tuple(points)
    assert tuple(found) == tuple(points)
    assert [type(value) for each in found for value in each.values] == [
        type(value) for each in points for value in each.values
    ]


def test_few_points_stay_as_they_are_and_many_are_packed() -> None:
    few = tuple(Point((f"pages/{number}",), (number,)) for number in range(8))
    assert packed(few) is few
    many = tuple(Point((f"pages/{number}",), (number,)) for number in range(9))
    assert isinstance(packed(many), PackedPoints)
    assert len(packed(many)) == 9


def test_packed_points_compare_as_a_tuple_does() -> None:
    points = tuple(Point((f"pages/{number}",), (number, 2.0)) for number in range(20))
    long = PackedPoints(points)
    assert points == long
    assert long == PackedPoints(points)
    assert hash(long) == hash(points)
    assert long != PackedPoints(points[1:])
    assert long != 20
    assert (long[0], long[-2:]) == (points[0], points[-2:])
    assert repr(long) == repr(points)


@pytest.mark.parametrize("pages", [30, 200])
def test_packed_points_take_a_tenth_of_what_their_figures_take(pages: int) -> None:
    points = [Point((f"pages/goods/{number}",), (900 + number, 41, 2.5, 3, 2)) for number in range(pages)]
    objects = sum(
        sys.getsizeof(part)
        for point in points
        for part in (point, point.labels, *point.labels, point.values, *point.values)
    )
    assert sys.getsizeof(PackedPoints(points)._packed) < objects / 10
