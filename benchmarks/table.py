"""Figures of benchmarks, each beside a peer's of the same run, as a table and as JSON."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure over several runs, with its peer's."""

    name: str
    case: str
    unit: str
    ours: Sequence[float]
    peer: str
    theirs: Sequence[float]

    @property
    def ratio(self) -> float:
        """Return our median over the peer's."""
        return median(self.ours) / median(self.theirs)


def line(figure: Figure) -> str:
    """Write a figure as a line: median (min to max) of both, and the ratio."""
    mine, other = (
        f"{median(values):.4g} ({min(values):.4g} to {max(values):.4g}) {figure.unit}"
        for values in (figure.ours, figure.theirs)
    )
    return (
        f"{figure.name:<14} {figure.case:<34} {mine:<32} {figure.peer}: {other:<30} ratio {figure.ratio:.2f}"
    )


def write_json(figures: Iterable[Figure], path: Path) -> None:
    """Write all figures with their runs as JSON."""
    rows = [
        {
            "name": figure.name,
            "case": figure.case,
            "unit": figure.unit,
            "ours": list(figure.ours),
            "peer": figure.peer,
            "theirs": list(figure.theirs),
            "ratio": figure.ratio,
        }
        for figure in figures
    ]
    path.write_text(json.dumps(rows, indent=2) + "\n", "utf-8")
