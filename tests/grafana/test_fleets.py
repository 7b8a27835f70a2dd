"""Replicas, clusters, shards and odd names: every panel has an answer, and shows each mini program once."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from grafana.texts import Language
from tests.grafana.boards import asked
from tests.prometheus.answers import Answers, everything
from tests.prometheus.corrected import NOW, show
from tests.prometheus.databases import ShownIn
from tests.prometheus.history import History

NAMES = {
    "wxa": "coffee",
    "wxb": "coffee",  # two may have the same name
    "wxc": "wxc",  # what an app without a name is called
    "wxd": r"say \"hi\" \\ back|slash (x)+[y]",
    "wxe": "奶茶小铺",
    "wxf": "$1 {{name}}",
}
"""As labels, with Prometheus' escapes."""
FIGURES = {appid: 200 + 10 * number for number, appid in enumerate(NAMES)}
MINUTES = range(40, -1, -4)
Exporter = tuple[str, Sequence[str]]
ALL = list(NAMES)
ONE: list[Exporter] = [('cluster="c",namespace="n",instance="a"', ALL)]
FLEETS: Mapping[str, list[Exporter]] = {
    "two replicas": [(f'cluster="c",namespace="n",instance="{name}"', ALL) for name in "ab"],
    "two clusters, the same address": [(f'cluster="{name}",instance="a"', ALL) for name in "cd"],
    "two namespaces": [(f'cluster="c",namespace="{name}",instance="{name}"', ALL) for name in "nm"],
    "three shards": [(f'cluster="c",instance="{number}"', ALL[number::3]) for number in range(3)],
    "three shards, an app in two": [
        (f'cluster="c",instance="{number}"', ALL[number : number + 3]) for number in (0, 2, 3)
    ],
}


def history(fleet: Sequence[Exporter]) -> History:
    past = History()
    for target, apps in fleet:
        for minute in MINUTES:
            for appid in apps:
                labels = f'job="wechat-miniprogram",{target},appid="{appid}",name="{NAMES[appid]}"'
                at = NOW - 60 * minute
                show(past, labels, at, FIGURES[appid], at)
    return past


@pytest.fixture(scope="module")
def wanted(
    shown_in: ShownIn,
    program: Callable[[str], str],
    free_port: Callable[[], int],
    tmp_path_factory: pytest.TempPathFactory,
) -> Answers:
    """Return what one exporter shows that has all the apps."""
    with shown_in(program, free_port, history(ONE), tmp_path_factory.mktemp("one")) as database:
        return everything(database, asked())


@pytest.mark.parametrize("fleet", FLEETS)
def test_a_fleet_shows_what_one_exporter_of_all_its_mini_programs_would(
    fleet: str,
    wanted: Answers,
    shown_in: ShownIn,
    program: Callable[[str], str],
    free_port: Callable[[], int],
    tmp_path: Path,
) -> None:
    with shown_in(program, free_port, history(FLEETS[fleet]), tmp_path) as database:
        found = everything(database, asked())
    assert {name: shown for name, shown in found.items() if shown != wanted[name]} == {}


def test_the_chinese_dashboards_have_an_answer_wherever_the_english_ones_have_one(
    wanted: Answers,
    shown_in: ShownIn,
    program: Callable[[str], str],
    free_port: Callable[[], int],
    tmp_path: Path,
) -> None:
    """Ask what has Chinese text in it; all else is asked in English, in the same words."""
    pairs = [
        (english, chinese)
        for english, chinese in zip(asked(), asked(Language.ZH), strict=True)
        if english.target["expr"] != chinese.target["expr"]
    ]
    assert pairs
    with shown_in(program, free_port, history(ONE), tmp_path) as database:
        found = everything(database, [chinese for _, chinese in pairs])
    for english, chinese in pairs:
        assert len(found[chinese.name]) == len(wanted[english.name]), chinese.name
