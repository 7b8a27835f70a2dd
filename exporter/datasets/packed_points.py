"""The points of a long row in one compressed text, which takes a tenth of the memory."""

import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, overload

from exporter.datasets.dataset import Point

_FEW: Final = 8
"""Longest row to keep unpacked: most rows have one point, and every rendering reads it."""
_LEVEL: Final = 1


class PackedPoints(Sequence[Point]):
    """Points that are unpacked at each reading; equal to any sequence of equal points."""

    __slots__ = ("_packed",)

    def __init__(self, points: Iterable[Point]) -> None:
        pairs = [(point.labels, point.values) for point in points]
        text = json.dumps(pairs, separators=(",", ":"), ensure_ascii=False)
        self._packed = zlib.compress(text.encode(), _LEVEL)

    def __len__(self) -> int:
        return len(self._unpacked())

    def __iter__(self) -> Iterator[Point]:
        return iter(self._unpacked())

    @overload
    def __getitem__(self, index: int) -> Point: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Point]: ...
    def __getitem__(self, index: int | slice) -> Point | Sequence[Point]:
        return self._unpacked()[index]

    def __eq__(self, other: object) -> bool:
        return tuple(other) == self._unpacked() if isinstance(other, Sequence) else NotImplemented

    def __hash__(self) -> int:
        return hash(self._unpacked())

    def __repr__(self) -> str:
        return repr(self._unpacked())

    def _unpacked(self) -> tuple[Point, ...]:
        found = json.loads(zlib.decompress(self._packed))
        return tuple(Point(tuple(labels), tuple(values)) for labels, values in found)


def packed(points: Sequence[Point]) -> Sequence[Point]:
    """Return the points, packed if there are many."""
    return tuple(points) if len(points) <= _FEW else PackedPoints(points)
