"""The variables of the Chinese page about reliability: the English page, its prose apart from its markup."""

import re
from pathlib import Path
from typing import Any, Final

_PAGE: Final = Path(__file__).with_name("reliability.md")
_MARKUP: Final = re.compile(r"(^#+ |^\|(?: --- \|)+$|^\| | \| | \|$|\[test_\w+\]\([^)]*\) `\w+`)")


def context() -> dict[str, Any]:
    """Return the page's lines, each split into alternating pieces of prose and markup."""
    return {"lines": [_MARKUP.split(line) for line in _PAGE.read_text("utf-8").splitlines()]}
