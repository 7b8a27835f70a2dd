import csv
import io
import json
from collections.abc import Iterable
from datetime import timedelta

from exporter.backfill.journal import Journal
from exporter.backfill.periods import Span
from exporter.backfill.spreadsheets import comma_separated, json_lines
from exporter.datasets.daily_trend import FIELDS
from exporter.datasets.dataset import Point, Row
from exporter.datasets.period import DAY
from exporter.datasets.visit_pages import VISIT_PAGES
from tests.building import NOON, YESTERDAY, bare_row, make_app, make_row

BEFORE = YESTERDAY - timedelta(days=1)
SPAN = Span(BEFORE, YESTERDAY)
APP = make_app(1, 'the "奶茶", \\ \n shop')


def kept() -> Journal:
    journal = Journal("")
    journal.keep(
        [
            (APP.appid, YESTERDAY, make_row(YESTERDAY), NOON),
            (APP.appid, BEFORE, bare_row(BEFORE, visit_pv=0, visit_depth=1.25), NOON),
        ]
    )
    return journal


def test_csv_has_a_head_and_a_line_per_date_with_empty_cells_for_what_is_absent() -> None:
    lines = list(csv.reader(io.StringIO("".join(comma_separated(kept(), [APP], SPAN)), newline="")))
    assert lines == [
        ["appid", "name", "ref_date", *(field.name for field in FIELDS)],
        [APP.appid, APP.name, "2026-11-22", "", "0", "", "", "", "", "1.25"],
        [APP.appid, APP.name, "2026-11-23", "10", "40", "8", "3", "62.5", "50", "1.9838"],
    ]


def test_csv_without_rows_is_its_head() -> None:
    assert "".join(comma_separated(Journal(""), [APP], SPAN)).count("\r\n") == 1


def test_json_lines_leave_out_what_is_absent() -> None:
    lines = "".join(json_lines(kept(), [APP], SPAN)).splitlines()
    about = {"appid": APP.appid, "name": APP.name}
    assert [json.loads(line) for line in lines] == [
        {**about, "ref_date": "2026-11-22", "visit_pv": 0, "visit_depth": 1.25},
        {
            **about,
            "ref_date": "2026-11-23",
            **dict(zip((field.name for field in FIELDS), make_row().values, strict=True)),
        },
    ]
    assert "奶茶" in lines[0]


def pages(paths: Iterable[str]) -> Journal:
    journal = Journal("", dataset=VISIT_PAGES)
    points = tuple(Point((path,), (40, 8, 2.5, 3, 2, 1, None)) for path in paths)
    journal.keep([(APP.appid, YESTERDAY, Row(DAY.starting(YESTERDAY), points), NOON)])
    return journal


def test_another_dataset_has_its_labels_and_figures_as_columns_and_a_line_per_point() -> None:
    kept = pages(["pages/index/index", "pages/pay"])
    lines = list(csv.reader(io.StringIO("".join(comma_separated(kept, [APP], SPAN)), newline="")))
    assert lines[0][3:6] == ["page_path", "page_visit_pv", "page_visit_uv"]
    assert [line[3:] for line in lines[1:]] == [
        ["pages/index/index", "40", "8", "2.5", "3", "2", "1", ""],
        ["pages/pay", "40", "8", "2.5", "3", "2", "1", ""],
    ]
    first, second = (json.loads(line) for line in json_lines(kept, [APP], SPAN))
    assert (first["page_path"], second["page_path"]) == ("pages/index/index", "pages/pay")
    assert (first["ref_date"], first["page_staytime_pv"]) == ("2026-11-23", 2.5)
    assert "page_share_uv" not in first
