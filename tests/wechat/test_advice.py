import pytest

from exporter.wechat import advice
from exporter.wechat.advice import Advice
from exporter.wechat.errcodes import CODELESS, ERRCODES
from exporter.wechat.network_errors import EXPLANATIONS

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
    given = {row.advice for row in (*ERRCODES.values(), *CODELESS)} | {
        advice.UNKNOWN,
        advice.PAUSED,
        advice.PLATFORM_SECRET,
    }
    given |= {row.advice for row in EXPLANATIONS if row.advice} | {advice.PROXY}
    assert {name for name, each in ALL.items() if each not in given} == set()
