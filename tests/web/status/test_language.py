import re
import string
from pathlib import Path

import pytest

from exporter.datasets.daily_trend import FIELDS
from exporter.web.status import language
from exporter.web.status.language import TEXTS, Language, negotiate
from exporter.web.status.query import State
from exporter.wechat.failures.advice import WAIT
from exporter.wechat.failures.failure import Reason

TEMPLATES = Path(language.__file__).parent / "templates"


def placeholders(text: str) -> set[str | None]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("key", TEXTS)
def test_every_text_has_both_languages_with_the_same_places_to_fill(key: str) -> None:
    found = TEXTS[key]
    assert list(found) == list(Language)
    assert all(text.strip() for text in found.values())
    assert placeholders(found["en"]) == placeholders(found["zh"])


def test_every_reason_state_and_figure_has_a_text() -> None:
    needed = {f"reason.{reason}" for reason in Reason} | {f"state.{state}" for state in State}
    assert needed | {f"field.{field.name}" for field in FIELDS} <= TEXTS.keys()


def test_the_figures_have_wechats_own_chinese_terms() -> None:
    assert [TEXTS[f"field.{field.name}"]["zh"] for field in FIELDS] == [field.chinese for field in FIELDS]


def test_the_templates_use_only_texts_that_exist_and_have_no_words_of_their_own() -> None:
    source = "".join(path.read_text() for path in TEMPLATES.glob("*.html"))
    assert set(re.findall(r"""\bt\("([a-z_.]+)"[,)]""", source)) <= TEXTS.keys()
    bare = re.sub(r"{%.*?%}|{{.*?}}|<[^>]*>", "", source, flags=re.DOTALL)
    assert not re.search(r"[A-Za-z]{2,}", bare), bare


def test_a_text_is_filled_in_in_its_language() -> None:
    assert Language.EN.text("days_late", days=3) == "3 days late"
    assert Language.ZH.text("days_late", days=3) == "晚 3 天"
    assert (WAIT.text(Language.EN), WAIT.text(Language.ZH)) == (WAIT.en, WAIT.zh)


def test_html_names_of_the_languages() -> None:
    assert [language.tag for language in Language] == ["en", "zh-CN"]


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", Language.EN),
        ("zh-CN,zh;q=0.9,en;q=0.8", Language.ZH),
        ("zh-Hant-TW", Language.ZH),
        ("en-GB,en;q=0.9,zh;q=0.8", Language.EN),
        ("en;q=0.3, zh;q=0.7", Language.ZH),
        ("fr-FR, de;q=0.9", Language.EN),
        ("fr, zh;q=0.1", Language.ZH),
        ("zh;q=0, en;q=0.1", Language.EN),
        ("zh;q=much", Language.EN),
        ("ZH-cn ; Q=0.5", Language.ZH),
        (",;,=;q=", Language.EN),
        ("zho", Language.EN),
        ("en;q=0.5, zh;q=0.5", Language.EN),
    ],
)
def test_the_browsers_settings_choose_the_language(header: str, language: Language) -> None:
    assert negotiate(header) is language
