"""What the Chinese page about reliability is filled with: the English page, its prose apart from the rest."""

import re
from pathlib import Path
from typing import Any, Final

_PAGE: Final = Path(__file__).with_name("reliability.md")
_MARKUP: Final = re.compile(r"(^#+ |^\|(?: --- \|)+$|^\| | \| | \|$|\[test_\w+\]\([^)]*\) `\w+`)")


def context() -> dict[str, Any]:
    """Return the page's lines, each as pieces of prose and of markup in turn."""
    return {"lines": [_MARKUP.split(line) for line in _PAGE.read_text("utf-8").splitlines()]}
