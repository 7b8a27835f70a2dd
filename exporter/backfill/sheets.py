"""Rows for spreadsheets and notebooks: CSV and JSON Lines, with WeChat's field names."""

import csv
import io
import json
from collections.abc import Iterable, Iterator
from typing import Final

from exporter.backfill.journal import Journal
from exporter.backfill.span import Span
from exporter.config.settings import App
from exporter.trend import FIELDS

_NAMES: Final = tuple(field.name for field in FIELDS)


def comma_separated(journal: Journal, apps: Iterable[App], span: Span) -> Iterator[str]:
    """CSV (RFC 4180) with a head; a figure that WeChat left out is an empty cell."""
    line = io.StringIO()
    writer = csv.writer(line)
    writer.writerow(("appid", "name", "ref_date", *_NAMES))
    for app in apps:
        for row in journal.rows(app.appid, span):
            writer.writerow((app.appid, app.name, row.ref_date, *row.values))
            yield line.getvalue()
            line.seek(0)
            line.truncate()
    yield line.getvalue()


def json_lines(journal: Journal, apps: Iterable[App], span: Span) -> Iterator[str]:
    """One JSON object per line; a figure that WeChat left out has no key."""
    for app in apps:
        for row in journal.rows(app.appid, span):
            figures = {
                name: value for name, value in zip(_NAMES, row.values, strict=True) if value is not None
            }
            about = {"appid": app.appid, "name": app.name, "ref_date": f"{row.ref_date}"}
            yield json.dumps(about | figures, ensure_ascii=False) + "\n"
