"""No colour without its reason: an empty Prometheus, a dead exporter, a first day, what is switched off."""

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path

import pytest

from exporter.beijing import DAY_SECONDS, midnight
from exporter.datasets.catalogue import BY_NAME
from exporter.datasets.daily_trend import FIELDS
from grafana import colours
from prometheus.expressions import REF_DATE, daily
from prometheus.expressions import by_date as dated
from tests.grafana.boards import Asked, asked
from tests.prometheus.databases import in_prometheus
from tests.prometheus.history import History
from tests.prometheus.servers import Database, prometheus

Shown = Callable[[History], AbstractContextManager[Database]]
DATASET_BOARDS = {f"en/{name}" for name in ("audience", "retention", "sources", "pages")}
DATASET_METRICS = re.compile(
    r"_(weekly|monthly|by_week|by_month)_|_(share|retain|access|page)_\w+|visit_total_users|_dataset_up"
)
NAMING = {(board, "Mini programs with the dataset") for board in DATASET_BOARDS}
"""The tiles that name the datasets beside their figures."""
TOLD = {"en/fleet: Exporters scraped A", "en/exporter: Exporters scraped A"}
"""The only numbers that there are without an exporter: 0, which is red."""


@pytest.fixture
def empty(program: Callable[[str], str], free_port: Callable[[], int], tmp_path: Path) -> Iterator[Database]:
    config = tmp_path / "prometheus.yaml"
    config.write_text("global: {}\n", "utf-8")
    with prometheus(program("prometheus"), free_port(), config, tmp_path / "tsdb") as database:
        yield database


def test_without_an_exporter_every_number_is_absent_but_that_of_the_exporters(empty: Database) -> None:
    past = {}
    for target in asked():
        if target.target["instant"]:
            for series in empty.instant(target.expression()):
                past[target.name] = float(series["value"][1])
    assert past == dict.fromkeys(TOLD, 0)


DATE = date(2025, 1, 6)
NOW = midnight(DATE) + DAY_SECONDS + 14 * 3600
APP = 'appid="wxa",name="coffee",job="wechat-miniprogram",instance="a:10950"'
EXPORTER = 'job="wechat-miniprogram",instance="a:10950"'
OWN = "wechat_miniprogram_exporter"
GOOD, BAD = {colours.GREEN}, {colours.ORANGE, colours.VERMILION}
MINUTES = range(NOW - 3 * 3600, NOW + 1, 60)
"""An exporter that is three hours old."""


def healthy(until: int = NOW, *, by_date: bool = True) -> History:
    """Return one app whose row of yesterday came, by an exporter that answers until then."""
    past = History()
    for at in MINUTES:
        past.lines.append((f"up{{{EXPORTER}}}", int(at <= until), at))
        if at <= until:
            past.lines += [(series, value, at) for series, value in page(by_date=by_date)]
    return past


def page(*, by_date: bool) -> Iterator[tuple[str, float]]:
    """Yield what the exporter shows."""
    for metric, value in (*((field.metric, 200) for field in FIELDS), (REF_DATE, midnight(DATE))):
        yield f"{daily(metric)}{{{APP}}}", value
        if by_date:
            yield f'{dated(metric)}{{{APP},ref_date="{DATE}"}}', value
    yield f"wechat_miniprogram_up{{{APP}}}", 1
    yield f"wechat_miniprogram_info{{{APP}}}", 1
    yield f"wechat_miniprogram_last_success_timestamp_seconds{{{APP}}}", MINUTES[0]
    yield f"wechat_miniprogram_token_expiry_timestamp_seconds{{{APP}}}", NOW + 3600
    yield f'{OWN}_build_info{{{EXPORTER},version="1",pythonversion="3"}}', 1
    yield f'{OWN}_shard_info{{{EXPORTER},shard="0",total_shards="1"}}', 1
    yield f"{OWN}_config_last_reload_successful{{{EXPORTER}}}", 1
    yield f"{OWN}_apps{{{EXPORTER}}}", 1


def colour(target: Asked, value: float) -> str:
    """Return the colour that Grafana gives a value of this query: its mapping's, or its threshold's."""
    given = dict(target.panel["fieldConfig"]["defaults"])
    for override in target.panel["fieldConfig"]["overrides"]:
        if override["matcher"]["options"] in (target.target["refId"], target.target["legendFormat"]):
            given |= {each["id"]: each["value"] for each in override["properties"]}
    for mapping in given["mappings"]:
        mapped = mapping["options"].get(f"{value:g}", {}) if mapping["type"] == "value" else {}
        if "color" in mapped:
            return str(mapped["color"])
    if target.panel["type"] == "table" and "color" not in str(given.get("custom.cellOptions")):
        return colours.PLAIN[0][1]
    steps = given["thresholds"]["steps"]
    return str([step["color"] for step in steps if step["value"] is None or step["value"] <= value][-1])


def coloured(database: Database, among: set[str]) -> dict[str, str]:
    """Return the figures that are in one of these colours."""
    found = {}
    for target in asked():
        if target.target["instant"]:
            for series in database.instant(target.expression(at=NOW), NOW):
                its = colour(target, float(series["value"][1]))
                if its in among:
                    found[target.name] = its
    return found


@pytest.fixture
def shown(program: Callable[[str], str], free_port: Callable[[], int], tmp_path: Path) -> Shown:
    return lambda past: in_prometheus(program, free_port, past, tmp_path)


def test_while_the_exporter_is_down_only_the_tiles_about_it_have_a_colour(shown: Shown) -> None:
    with shown(healthy(until=NOW - 3600)) as database:
        down = {name.replace("scraped A", "scraped B") for name in TOLD}
        assert coloured(database, GOOD | BAD) == dict.fromkeys(TOLD | down, colours.VERMILION)


def starting() -> History:
    """Return an exporter that has not asked for its one app yet."""
    past = History()
    for at in MINUTES:
        past.lines.append((f"up{{{EXPORTER}}}", 1, at))
        past.lines += [
            (s, value, at) for s, value in page(by_date=False) if "_exporter_" in s or "_info{" in s
        ]
    return past


def test_before_the_first_round_nothing_is_said_of_the_mini_programs(shown: Shown) -> None:
    with shown(starting()) as database:
        assert coloured(database, BAD) == {}
        green = coloured(database, GOOD)
    assert {name.split(": ")[1] for name in green} == {
        "Exporters scraped A",
        "Exporters scraped B",
        "Configuration in force A",
    }


def test_one_exporter_of_two_that_is_down_is_red_beside_the_one_that_answers(shown: Shown) -> None:
    past = healthy()
    for series, value, at in healthy(until=NOW - 3600).lines:
        past.lines.append((series.replace('instance="a:10950"', 'instance="b:10950"'), value, at))
    with shown(past) as database:
        assert coloured(database, BAD) == {
            name.replace("scraped A", "scraped B"): colours.VERMILION for name in TOLD
        }


@pytest.mark.parametrize("by_date", [True, False], ids=["first day", "history_days: 1"])
def test_nothing_is_red_because_it_is_new_or_switched_off(by_date: bool, shown: Shown) -> None:  # noqa: FBT001 - a case
    with shown(healthy(by_date=by_date)) as database:
        assert coloured(database, BAD) == {}
        green = coloured(database, GOOD)
    assert {name.split(": ")[1] for name in green} == {
        "Exporters scraped A",
        "Exporters scraped B",
        "Late A",
        "Failing A",
        "Never any figures A",
        "Last refresh A",
        "All mini programs by visitors E",  # its state
        "Configuration in force A",
    }


def test_a_panel_of_a_dataset_that_is_off_is_empty_and_says_which_to_switch_on(shown: Shown) -> None:
    empty = set()
    with shown(healthy()) as database:
        for target in asked():
            text = target.expression(at=NOW)
            if DATASET_METRICS.search(text) and target.board in DATASET_BOARDS:
                found = database.instant(text, NOW) if target.target["instant"] else []
                assert found == [], target.name
                empty.add((target.board, target.panel["title"]))
    assert len(empty) > 30
    for target in asked():
        if (target.board, target.panel["title"]) in empty - NAMING:
            hint = target.panel["fieldConfig"]["defaults"]["noValue"]
            assert any(name in hint for name in BY_NAME), target.name
