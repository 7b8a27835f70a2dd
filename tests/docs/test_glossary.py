"""The English pages keep to the plain words of the glossary."""

import re

import pytest

from tests.docs.pages import ROOT, markdown_files
from tests.docs.test_chinese import CODE

GLOSSARY = ROOT / "docs" / "glossary.md"
ENGLISH = [path for path in markdown_files() if not path.name.endswith(".zh-CN.md") and path != GLOSSARY]
ROW = re.compile(r"^\| [^|]+ \| ([^|]+) \|$", re.MULTILINE)


def unwanted() -> list[str]:
    plain = GLOSSARY.read_text("utf-8").partition("## Plain English")[2]
    return [word for row in ROW.findall(plain)[2:] for word in row.split(", ")]


def test_the_glossary_has_words_to_avoid() -> None:
    assert {"told", "anew", "mend"} <= set(unwanted())


@pytest.mark.parametrize("page", [str(path.relative_to(ROOT)) for path in ENGLISH])
def test_an_english_page_uses_plain_words(page: str) -> None:
    text = CODE.sub("", (ROOT / page).read_text("utf-8"))
    assert re.findall(rf"\b(?:{'|'.join(unwanted())})\b", text, re.IGNORECASE) == []
