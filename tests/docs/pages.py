"""Reads the repository's Markdown: fenced blocks, headings, links, paths."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
_LEFT_OUT = {"node_modules", "build", "dist"}
_FENCE = re.compile(r"^( *)```([a-z]*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^()\s]+)\)")
_CODE = re.compile(r"`([^`\n]+)`")
_PATH = re.compile(r"[\w.*-]+(/[\w.*-]*)+|[\w.*-]+\.(py|ya?ml|md|jinja|js|json|toml)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


class Block(NamedTuple):
    """One fenced block: its language and its lines without the fence's indentation."""

    language: str
    text: str


def markdown_files() -> list[Path]:
    """Return every page of the repository, but not of what is installed or built in it."""
    return [
        path
        for path in sorted(ROOT.rglob("*.md"))
        if not any(part.startswith(".") or part in _LEFT_OUT for part in path.relative_to(ROOT).parts)
    ]


def blocks(path: Path) -> Iterator[Block]:
    for indentation, language, text in _FENCE.findall(path.read_text("utf-8")):
        yield Block(language, re.sub(f"^{indentation}", "", text, flags=re.MULTILINE))


def links(path: Path) -> list[str]:
    """Return the addresses that the page's prose links to."""
    return _LINK.findall(_prose(path))


def paths(path: Path) -> set[str]:
    """Return the files and folders that the page names in backticks."""
    return {text for text in _CODE.findall(_prose(path)) if _PATH.fullmatch(text)}


def anchors(path: Path) -> set[str]:
    """Return the anchors of a page, as GitHub makes them from its headings."""
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-")
        for heading in _HEADING.findall(_prose(path))
    }


def _prose(path: Path) -> str:
    return _FENCE.sub("", path.read_text("utf-8"))
