"""The sample lines of past dates, streamed from the journal family by family.

promtool takes the samples of a series oldest first; one that comes too late within its block is
dropped without a word (promtool 2.42). OpenMetrics wants a family, and in it a series, in one piece.
Source: OpenMetrics 1.0; Prometheus' page on storage, "Backfilling from OpenMetrics format".
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from exporter.backfill.journal import Journal
from exporter.backfill.span import Span, shown_from
from exporter.config.settings import App
from exporter.exposition.families import BY_DATE, DAILY, Family, escape, headers
from exporter.trend import DAY_SECONDS, FIELDS, Row, midnight

HEAD_SECONDS: Final = 3 * 3600
"""Age below which no sample should go into a block: when Prometheus restarts, it forgets all that is in
memory, of whatever series, from before the end of the newest block (seen with 2.42)."""
COLUMNS: Final = (*(field.name for field in FIELDS), "ref_date")
"""The journal's column behind each family of DAILY and of BY_DATE."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What the samples look like.

    `labels` are the target labels, as `serve`'s samples would get them; `step` is the seconds between
    the samples of the latest family, None: without it; `until` (Unix time): nothing is stamped later.
    """

    labels: Mapping[str, str]
    step: int | None
    until: int

    def identity(self, app: App) -> str:
        """The labels that all samples of an app share, without braces."""
        pairs = {"appid": app.appid, "name": app.name, **self.labels}
        return ",".join(f'{name}="{escape(value)}"' for name, value in pairs.items())

    def dated(self, day: date) -> int:
        """When the by-date sample of a date is stamped, Unix time."""
        return min(shown_from(day), self.until)

    def replayed(self, day: date) -> range:
        """When the latest family showed that date: one day, or so much of it as has passed."""
        begin = shown_from(day)
        return range(begin, min(begin + DAY_SECONDS, self.until + 1), self.step) if self.step else range(0)


def openmetrics(journal: Journal, apps: Iterable[App], span: Span, shape: Shape) -> Iterator[str]:
    """A whole OpenMetrics text in pieces of some lines."""
    apps = tuple(apps)
    for family, column in zip(DAILY if shape.step else (), COLUMNS, strict=False):
        yield headers(family, openmetrics=True).decode()
        for app in apps:
            yield from _latest(journal, app, span, shape, family, column)
    for family, column in zip(BY_DATE, COLUMNS, strict=True):
        yield headers(family, openmetrics=True).decode()
        for app in apps:
            start = f"{family.metric}{{{shape.identity(app)},ref_date="
            for day, value in journal.column(app.appid, span, column):
                figure = midnight(day) if column == "ref_date" else value
                yield f'{start}"{day}"}} {figure} {shape.dated(day)}\n'
    yield "# EOF\n"


def prometheus(journal: Journal, apps: Iterable[App], span: Span, shape: Shape) -> Iterator[str]:
    """The lines that VictoriaMetrics imports (milliseconds, no headers), row by row."""
    for app in apps:
        for row in journal.rows(app.appid, span):
            yield row_lines(app, row, shape)


def row_lines(app: App, row: Row, shape: Shape) -> str:
    """All samples of one row in the text format."""
    identity = shape.identity(app)
    values = [
        (position, value)
        for position, value in enumerate((*row.values, midnight(row.ref_date)))
        if value is not None
    ]
    stamp = shape.dated(row.ref_date)
    dated = f'{identity},ref_date="{row.ref_date}"'
    lines = [f"{BY_DATE[position].metric}{{{dated}}} {value} {stamp}000\n" for position, value in values]
    lines += (
        f"{DAILY[position].metric}{{{identity}}} {value} {at}000\n"
        for position, value in values
        for at in shape.replayed(row.ref_date)
    )
    return "".join(lines)


def _latest(
    journal: Journal, app: App, span: Span, shape: Shape, family: Family, column: str
) -> Iterator[str]:
    """One series of the latest family; a piece per date."""
    start = f"{family.metric}{{{shape.identity(app)}}}"
    for day, value in journal.column(app.appid, span, column):
        figure = midnight(day) if column == "ref_date" else value
        yield "".join(f"{start} {figure} {at}\n" for at in shape.replayed(day))
