"""Points of a long row in one compressed text: as objects they take ten times the memory."""

import json
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, overload

from exporter.datasets.dataset import Point

_FEW: Final = 8
"""So many points are kept as they are: most rows have one, and each is read at every rendering."""
_LEVEL: Final = 1


class PackedPoints(Sequence[Point]):
    """Points that are unpacked whenever they are read; equal to any sequence of equal points."""

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
    """Return equal points, in less memory where there are many."""
    return tuple(points) if len(points) <= _FEW else PackedPoints(points)
