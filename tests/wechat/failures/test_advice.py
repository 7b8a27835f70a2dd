import re
from pathlib import Path

import pytest

from exporter.wechat.failures import advice
from exporter.wechat.failures.advice import ADVICE, Advice
from exporter.wechat.failures.errcodes import CODELESS, ERRCODES

ROWS = (*ERRCODES.values(), *CODELESS)
EXPORTER = Path(advice.__file__).parents[2]
NAME = re.compile(r"\badvice\.([A-Z_]+)\b")
IMPORTED = re.compile(r"failures\.advice import (.+)")
VARIANTS = {
    f"{name} {variant}": getattr(each, variant)
    for name, each in ADVICE.items()
    for variant in ("other_dataset", "discovered")
    if getattr(each, variant)
}
ALL = ADVICE | VARIANTS


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


def test_the_names_in_the_code_are_the_names_in_the_file() -> None:
    text = "\n".join(file.read_text("utf-8") for file in EXPORTER.rglob("*.py"))
    imported = {name for names in IMPORTED.findall(text) for name in names.split(", ") if name.isupper()}
    in_the_table = {name for name, each in ADVICE.items() for row in ROWS if row.advice is each}
    assert (imported - {"ADVICE"}) | set(NAME.findall(text)) | in_the_table == set(ADVICE)
    with pytest.raises(AttributeError):
        _ = advice.NO_SUCH_NAME


def test_an_advice_about_another_dataset_names_its_interface() -> None:
    assert advice.GAME.about("getDailyVisitTrend") is advice.GAME
    assert advice.GAME.about("getVisitPage").en.startswith("WeChat has no getVisitPage for this account")
    assert advice.CLOUD_CALL.about("getVisitPage").zh == advice.CLOUD_CALL.zh.replace(
        "getDailyVisitTrend", "getVisitPage"
    )
    assert advice.ACCOUNT.about("getVisitPage").discovered is advice.ACCOUNT.discovered
    assert advice.WAIT.then(Advice("Now.", "现在。")).zh == f"{advice.WAIT.zh}现在。"
