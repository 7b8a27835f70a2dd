"""The JSON is what the source makes, complete in both languages, and importable as it stands."""

import re
from pathlib import Path

import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from exporter.datasets.daily_trend import FIELDS
from exporter.wechat.failures.errcodes import ERRCODES
from exporter.wechat.failures.failure import Reason
from grafana.__main__ import DASHBOARDS, HOME, files, main
from grafana.advice import advice_mappings
from grafana.texts import PANELS, WORDS, Language, Words
from tests.grafana.boards import FILES, board, name_of, placed


def test_the_files_are_what_the_source_makes(tmp_path: Path) -> None:
    assert main(["--to", str(tmp_path)]) == 0
    for name in files():
        made = tmp_path.joinpath(name).read_text("utf-8")
        assert made == HOME.joinpath(name).read_text("utf-8"), f"run python -m grafana: {name} is old"
    assert {name_of(path) + ".json" for path in FILES} == set(files())


@pytest.mark.parametrize("language", Language)
def test_every_text_is_there_and_used(language: Language) -> None:
    words = Words(language)
    for make in DASHBOARDS.values():
        make(words)
    assert words.used == {*WORDS, *PANELS}
    for field in FIELDS:
        assert words.field(field.name)


def test_both_languages_have_the_same_panels_and_questions() -> None:
    for name in DASHBOARDS:
        english, chinese = (board(HOME / language / f"{name}.json") for language in ("en", "zh"))
        assert [panel["type"] for panel in placed(english)] == [p["type"] for p in placed(chinese)]
        for ours, theirs in zip(placed(english), placed(chinese), strict=True):
            targets = [[target["expr"] for target in p.get("targets", ())] for p in (ours, theirs)]
            assert targets[0] == [
                text.replace('"最新"', '"newest"').replace("name_zh", "name_en") for text in targets[1]
            ]


def test_chinese_texts_are_chinese() -> None:
    for key, text in PANELS.items():
        assert text.title.zh == "CPU" or re.search("[\u4e00-\u9fff]", text.title.zh), key
        assert re.search("[\u4e00-\u9fff]", text.description.zh), key
        assert not re.search("[\u4e00-\u9fff]", text.title.en + text.description.en), key


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_the_sdk_reads_a_file_back_without_loss(path: Path) -> None:
    register_default_plugins()
    report = path.read_text("utf-8")
    again = JSONEncoder(indent=1, sort_keys=True, ensure_ascii=False).encode(Dashboard.from_json(board(path)))
    assert f"{again}\n" == report


@pytest.mark.parametrize("language", Language)
def test_each_failure_has_its_advice(language: Language) -> None:
    exact, *others = advice_mappings(language)
    assert exact["options"].keys() == {f"{row.reason}/{row.code}" for row in ERRCODES.values()}  # type: ignore[attr-defined]
    patterns = [other["options"]["pattern"] for other in others]  # type: ignore[index]
    for reason in Reason:
        assert [bool(re.fullmatch(pattern, f"{reason}/")) for pattern in patterns].count(True) == 1


def test_every_text_is_there_in_both_languages() -> None:
    for key, text in WORDS.items():
        assert text.en, key
        assert text.zh, key
    for key, (title, description) in PANELS.items():
        assert all((title.en, title.zh, description.en, description.zh)), key
