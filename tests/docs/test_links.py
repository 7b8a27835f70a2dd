"""Links inside the repository lead somewhere."""

from pathlib import Path

import pytest

from tests.docs.pages import ROOT, anchors, links, markdown_files

ENTRANCES = ("README.md", "README.zh-CN.md")


@pytest.mark.parametrize("path", markdown_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_relative_link_leads_to_a_file_and_its_heading(path: Path) -> None:
    dead = []
    for link in links(path):
        if "://" in link or link.startswith("mailto:"):
            continue
        file, _, anchor = link.partition("#")
        target = (path.parent / file).resolve() if file else path
        if not target.exists() or (anchor and anchor not in anchors(target)):
            dead.append(link)
    assert dead == []


@pytest.mark.parametrize("entrance", ENTRANCES)
def test_every_page_of_the_docs_is_reached_from_the_readme(entrance: str) -> None:
    seen: set[Path] = set()
    waiting = [ROOT / entrance]
    while waiting:
        path = waiting.pop()
        if path not in seen:
            seen.add(path)
            targets = ((path.parent / link.partition("#")[0]).resolve() for link in links(path))
            waiting += [target for target in targets if target.suffix == ".md" and target.is_file()]
    assert {ROOT / "docs" / name for name in ("metrics.md", "configuration.md", "errors.md")} <= seen
    assert set((ROOT / "docs").glob("*.md")) <= seen


def test_both_readmes_have_the_same_parts_and_lead_to_the_same_places() -> None:
    english, chinese = (ROOT / entrance for entrance in ENTRANCES)
    led, also_led = (
        {link.partition("#")[0].replace(".zh-CN", "") for link in links(path)} for path in (english, chinese)
    )
    assert led == also_led
    counts = [path.read_text("utf-8").count("\n## ") for path in (english, chinese)]
    assert counts[0] == counts[1]
