"""A small bar chart of one figure over the dates held; a date that is not held is left empty."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from exporter.datasets.daily_trend import figure_of
from exporter.datasets.field import Field
from exporter.store.entry import Entry
from exporter.web.status.daily_figures import written
from exporter.web.status.language import Language

WIDTH: Final = 120
HEIGHT: Final = 32
MOST_DAYS: Final = 35
"""Older dates are not drawn: their bars would be too thin to see."""

_WIDEST: Final = 14.0  # a bar and its gap, where few dates are held
_THINNEST: Final = 1.0  # a bar of 0 is still seen: it is a figure, not a gap


@dataclass(frozen=True, slots=True)
class Chart:
    """SVG paths in a box of WIDTH x HEIGHT; `label` says what it shows, `values` each date's value."""

    bars: str
    newest: str
    label: str
    values: str


def days_shown(entries: Iterable[Entry]) -> int:
    """Return the number of dates that the charts of these apps span, so that their bars are equally wide."""
    spans = [
        (entry.rows[0].row.ref_date - entry.rows[-1].row.ref_date).days for entry in entries if entry.rows
    ]
    return min(max(spans, default=0) + 1, MOST_DAYS)


def chart(entry: Entry, field: Field, days: int, language: Language) -> Chart | None:
    """Draw `days` dates up to the app's newest; None where no row is held."""
    if not entry.rows:
        return None
    newest = entry.rows[0].row.ref_date
    dates = [newest - timedelta(days=days - 1 - place) for place in range(days)]
    held = {each.row.ref_date: each.row for each in entry.rows}
    rows = [held.get(day) for day in dates]
    bars = _bars([None if row is None else figure_of(row, field.name) for row in rows])
    name = language.text(f"field.{field.name}")
    gap = language.text("gap")
    texts = [gap if row is None else written(field, figure_of(row, field.name), language) for row in rows]
    return Chart(
        bars="".join(bars[:-1]),
        newest=bars[-1],
        label=language.text("chart_of", field=name, first=f"{dates[0]}", last=f"{newest}"),
        values="\n".join(f"{day}: {text}" for day, text in zip(dates, texts, strict=True)),
    )


def _bars(values: list[int | float | None]) -> list[str]:
    """Draw one closed path per value, from the ground up; an empty one for a gap."""
    top = max((value for value in values if value is not None), default=0) or 1
    step = min(WIDTH / len(values), _WIDEST)
    gap = min(2.0, step / 4)
    paths: list[str] = []
    for place, value in enumerate(values):
        if value is None:
            paths.append("")
            continue
        left = WIDTH - (len(values) - place) * step + gap / 2
        height = max(value / top * HEIGHT, _THINNEST)
        paths.append(f"M{left:.1f} {HEIGHT}v-{height:.1f}h{step - gap:.1f}v{height:.1f}z")
    return paths
