"""The Chinese pages: each reference page has one, with the same parts, in the words of the glossary."""

import re
from pathlib import Path

import pytest

from docs import generate
from tests.docs.pages import ROOT, markdown_files

PAGES = (
    "SECURITY.md",
    "docs/configuration.md",
    "docs/datasets.md",
    "docs/errors.md",
    "docs/metrics.md",
    "docs/performance.md",
    "docs/reliability.md",
)
CODE = re.compile(r"^( *)```.*?^\1```$|`[^`\n]+`|\]\([^)]*\)|<!--.*?-->", re.MULTILINE | re.DOTALL)
TERM = re.compile(r"^\| [^|]+ \| [^|]+ \| ([^|]+) \|$", re.MULTILINE)
TEXTS = (
    "exporter/web/status/texts.yaml",
    "exporter/wechat/failures/advice.yaml",
    "grafana/dashboards/zh/exporter.json",
    "grafana/dashboards/zh/fleet.json",
    "grafana/dashboards/zh/mini-program.json",
    "prometheus/alerts.yaml",
)
TWINS = [path for path in markdown_files() if path.name.endswith(".zh-CN.md")]


def of(paths: list[Path]) -> list[str]:
    return [str(path.relative_to(ROOT)) for path in paths]


def outline(path: Path) -> list[str]:
    """Return the page's headings by depth, its tables' rows, its blocks by language."""
    parts = []
    for line in path.read_text("utf-8").splitlines():
        if line.startswith("#"):
            parts.append(line.partition(" ")[0])
        elif line.startswith("|"):
            parts.append("|")
        elif line.lstrip().startswith("```"):
            parts.append(line.strip())
    return parts


def unwanted() -> list[str]:
    """Return the words that the glossary replaces by others."""
    rows = TERM.findall((ROOT / "docs" / "glossary.md").read_text("utf-8"))
    return [word for row in rows[2:] for word in row.split("、") if word]


@pytest.mark.parametrize("page", PAGES)
def test_a_reference_page_has_the_same_parts_in_chinese(page: str) -> None:
    assert outline((ROOT / page).with_suffix(".zh-CN.md")) == outline(ROOT / page)


@pytest.mark.parametrize("page", of(TWINS))
def test_each_page_begins_with_a_link_to_the_other_language(page: str) -> None:
    chinese = ROOT / page
    english = chinese.with_name(chinese.name.replace(".zh-CN", ""))
    assert f"[English]({english.name})" in "".join(chinese.read_text("utf-8").splitlines()[:5])
    assert f"[中文]({chinese.name})" in "".join(english.read_text("utf-8").splitlines()[:5])


@pytest.mark.parametrize("page", of(TWINS))
def test_a_chinese_page_keeps_to_the_glossary(page: str) -> None:
    text = CODE.sub("", (ROOT / page).read_text("utf-8"))
    assert [word for word in unwanted() if word in text] == []
    assert re.findall(r'[一-鿿]"|"[一-鿿]', text) == []


@pytest.mark.parametrize("file", TEXTS)
def test_what_the_program_says_in_chinese_keeps_to_the_glossary(file: str) -> None:
    text = (ROOT / file).read_text("utf-8")
    assert [word for word in unwanted() if word in text] == []


def test_the_glossary_has_words_to_keep_to() -> None:
    assert {"本程序", "看板", "配额", "「"} <= set(unwanted())


def test_every_chinese_text_is_used() -> None:
    used: set[str] = set()

    class Seen(dict[str, str]):
        def __getitem__(self, key: str) -> str:
            used.add(key)
            return super().__getitem__(key)

    texts = Seen(generate.chinese())
    for page in generate.PAGES:
        generate.render(page, texts)
    assert used == set(texts)
