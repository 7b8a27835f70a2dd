"""Every row of the tables of faults names an existing test."""

import re

from tests.docs.pages import ROOT

PAGE = ROOT / "docs" / "reliability.md"
ROW = re.compile(r"^\| .+ \| .+ \| \[\w+\]\(\.\./(tests/[\w/]+\.py)\) `(test_\w+)` \|$", re.MULTILINE)


def test_every_row_names_a_test_that_is_there() -> None:
    rows = ROW.findall(PAGE.read_text("utf-8").partition("## Longer runs")[0])
    assert len(rows) > 25
    for path, name in rows:
        assert f"def {name}(" in (ROOT / path).read_text("utf-8"), name
    assert PAGE.read_text("utf-8").count("`test_") == len(rows)
