"""The ranking: its columns in the order in which they are read, and a word for each app's state."""

from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from exporter.beijing import DAY_SECONDS, midnight
from exporter.exposition.app_families import INFO, UP
from grafana import colours
from grafana.texts import Language
from prometheus.expressions import REF_DATE, daily
from tests.grafana.boards import Asked, Json, asked
from tests.prometheus.databases import in_prometheus
from tests.prometheus.history import History

DATE = date(2025, 1, 6)
NOON = midnight(DATE) + DAY_SECONDS + 12 * 3600
HELD = {"fine": 0, "late": 1, "failing": 0}
"""How many days before `DATE` each one's newest date is; the others have none."""


def ranking(language: Language) -> list[Asked]:
    wanted = f"{language.value}/fleet"
    return [each for each in asked(language) if each.board == wanted and len(each.panel["targets"]) > 10]


def state(language: Language = Language.EN) -> Asked:
    heading = {"en": "State", "zh": "状态"}[language.value]
    [found] = [each for each in ranking(language) if each.target["legendFormat"] == heading]
    return found


def words(panel: Json, heading: str) -> dict[str, tuple[str, str]]:
    """Return the word and colour of each number."""
    own = [o["properties"] for o in panel["fieldConfig"]["overrides"] if o["matcher"]["options"] == heading]
    [mappings] = [each["value"] for properties in own for each in properties if each["id"] == "mappings"]
    [unknown] = [each["options"]["result"]["color"] for each in mappings if each["type"] == "special"]
    assert unknown == colours.GREY
    [by_value] = [each["options"] for each in mappings if each["type"] == "value"]
    return {number: (each["text"], each["color"]) for number, each in by_value.items()}


def history() -> History:
    past = History()
    for at in range(NOON - 600, NOON + 1, 60):
        past.lines += [(series, value, at) for series, value in page()]
    return past


def page() -> Iterator[tuple[str, float]]:
    for number, name in enumerate((*HELD, "never any", "not asked yet")):
        labels = f'appid="wx{number}",name="{name}",job="wechat-miniprogram",instance="a:10950"'
        if name != "not asked yet":
            yield f"{UP.metric}{{{labels}}}", int(name != "failing")
        yield f"{INFO.metric}{{{labels}}}", 1
        if name in HELD:
            yield f"{daily(REF_DATE)}{{{labels}}}", midnight(DATE) - HELD[name] * DAY_SECONDS


@pytest.mark.parametrize("language", Language)
def test_the_app_comes_first_then_visitors_and_their_course_and_the_appid_last(language: Language) -> None:
    panel = ranking(language)[0].panel
    headings = {each["refId"]: each["legendFormat"] for each in panel["targets"]}
    [organize] = [each["options"] for each in panel["transformations"] if each["id"] == "organize"]
    order = sorted(organize["indexByName"], key=organize["indexByName"].get)
    assert order[0] == "name"
    assert order[-1] == "appid"
    assert [column.removeprefix("Value #") for column in order[1:7]] == ["A", "B", "C", "D", "Trend #T", "E"]
    if language is Language.EN:
        wanted = ["Date", "Visitors", "Day on day", "Week on week", "State"]
        assert [headings[letter] for letter in "ABCDE"] == wanted


def test_each_app_has_the_state_that_it_is_in(
    program: Callable[[str], str], free_port: Callable[[], int], tmp_path: Path
) -> None:
    target = state()
    texts = words(target.panel, "State")
    with in_prometheus(program, free_port, history(), tmp_path) as database:
        found = {
            series["metric"]["name"]: texts[series["value"][1]][0]
            for series in database.instant(target.expression(at=NOON), NOON + 1)
        }
    assert found == {name: name for name in (*HELD, "never any", "not asked yet")}


@pytest.mark.parametrize("language", Language)
def test_every_state_has_a_word_and_only_fine_is_green(language: Language) -> None:
    target = state(language)
    texts = words(target.panel, target.target["legendFormat"])
    assert len({text for text, _ in texts.values()}) == 5
    green = {text for text, colour in texts.values() if colour == colours.GREEN}
    assert green == {{"en": "fine", "zh": "正常"}[language.value]}
