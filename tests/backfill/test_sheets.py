import csv
import io
import json
from datetime import timedelta

from exporter.backfill.journal import Journal
from exporter.backfill.sheets import comma_separated, json_lines
from exporter.backfill.span import Span
from exporter.trend import FIELDS
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
