"""The formats in which a backfill writes its rows to a file: made in samples.py and spreadsheets.py."""

from collections.abc import Collection, Iterator
from typing import Final

from exporter.backfill import samples, spreadsheets
from exporter.backfill.journal import Journal
from exporter.backfill.periods import Span
from exporter.backfill.samples import SampleShape
from exporter.config.apps import App

OPENMETRICS: Final = "openmetrics"
BY_SUFFIX: Final = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".prom": "prometheus"}
"""The format by a file's suffix; OpenMetrics for any other."""


def written(
    form: str, journal: Journal, apps: Collection[App], span: Span, shape: SampleShape
) -> Iterator[str]:
    """Yield the text of all rows of these apps within the span, in the format of that name."""
    match form:
        case "csv":
            return spreadsheets.comma_separated(journal, apps, span)
        case "jsonl":
            return spreadsheets.json_lines(journal, apps, span)
        case "prometheus":
            return samples.prometheus(journal, apps, span, shape)
    return samples.openmetrics(journal, apps, span, shape)
