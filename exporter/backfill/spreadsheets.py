"""Rows for spreadsheets and notebooks: CSV and JSON Lines, one line per point, with WeChat's field names."""

import csv
import io
import json
from collections.abc import Iterable, Iterator

from exporter.backfill.journal import Journal
from exporter.backfill.periods import Span
from exporter.config.apps import App


def comma_separated(journal: Journal, apps: Iterable[App], span: Span) -> Iterator[str]:
    """Yield CSV (RFC 4180) with a header; a figure that WeChat left out is an empty cell."""
    line = io.StringIO()
    writer = csv.writer(line)
    names = [field.name for field in journal.dataset.fields]
    writer.writerow(("appid", "name", "ref_date", *journal.dataset.labels, *names))
    for app in apps:
        for row in journal.rows(app.appid, span):
            about = app.appid, app.name, row.period.first
            writer.writerows((*about, *point.labels, *point.values) for point in row.points)
            yield line.getvalue()
            line.seek(0)
            line.truncate()
    yield line.getvalue()


def json_lines(journal: Journal, apps: Iterable[App], span: Span) -> Iterator[str]:
    """Yield one JSON object per line; a figure that WeChat left out has no key."""
    labels, names = journal.dataset.labels, [field.name for field in journal.dataset.fields]
    for app in apps:
        for row in journal.rows(app.appid, span):
            for point in row.points:
                about = {"appid": app.appid, "name": app.name, "ref_date": f"{row.period.first}"}
                about |= {label: text for label, text in zip(labels, point.labels, strict=True) if text}
                figures = zip(names, point.values, strict=True)
                words = {name: value for name, value in figures if value is not None}
                yield json.dumps(about | words, ensure_ascii=False) + "\n"
