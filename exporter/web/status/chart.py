"""A small bar chart of a figure over the held dates, with gaps for missing ones."""

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
"""Most dates to draw: more bars would be too thin to see."""

_WIDEST: Final = 14.0  # widest bar with its gap, for few dates
_THINNEST: Final = 1.0  # height of a 0, visible as it is a figure, not a gap


@dataclass(frozen=True, slots=True)
class Chart:
    """SVG paths in a box of WIDTH x HEIGHT; `label` describes the chart, `values` gives each date's value."""

    bars: str
    newest: str
    label: str
    values: str


def days_shown(entries: Iterable[Entry]) -> int:
    """Return the number of dates that the charts of some apps span, so that all bars are equally wide."""
    spans = [
        (entry.rows[0].row.ref_date - entry.rows[-1].row.ref_date).days for entry in entries if entry.rows
    ]
    return min(max(spans, default=0) + 1, MOST_DAYS)


def chart(entry: Entry, field: Field, days: int, language: Language) -> Chart | None:
    """Draw `days` dates up to the app's newest; return None without a row."""
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
    """Return a closed path per value, from the base line up; an empty one for a gap."""
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
