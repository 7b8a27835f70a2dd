import re
from pathlib import Path

import pytest

from exporter.wechat.failures import advice
from exporter.wechat.failures.advice import Advice

ALL = {name: each for name, each in vars(advice).items() if isinstance(each, Advice)}


@pytest.mark.parametrize("name", ALL)
def test_an_advice_is_a_whole_sentence_in_english_and_in_chinese(name: str) -> None:
    each = ALL[name]
    assert each.en[0].isupper()
    assert each.en.endswith((".", "?"))
    assert each.zh.endswith(("。", "？"))
    assert any("\u4e00" <= character <= "\u9fff" for character in each.zh)
    for text in (each.en, each.zh):
        assert text == text.strip()
        assert "  " not in text
        assert "\n" not in text


def test_no_two_advices_say_the_same() -> None:
    assert len({each.en for each in ALL.values()}) == len({each.zh for each in ALL.values()}) == len(ALL)


def test_every_advice_is_given_for_something() -> None:
    files = Path(advice.__file__).parents[1].rglob("*.py")
    used = "".join(file.read_text("utf-8") for file in files if file.name != "advice.py")
    assert [name for name in ALL if not re.search(rf"\b{name}\b", used)] == []
