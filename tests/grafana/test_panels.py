"""What every panel must have, and what makes charts and gauges mislead."""

from itertools import combinations
from pathlib import Path

from grafana import colours
from grafana.texts import WORDS, Language
from tests.grafana.boards import FILES, Json, board, panels, placed, walk

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
TIMES = ("seconds", "minutes", "hours")


def test_panels_have_numbers_places_and_words(loaded: Json, path: Path) -> None:
    assert [panel["id"] for panel in placed(loaded)] == list(range(1, len(placed(loaded)) + 1))
    titles = [panel["title"] for panel in panels(path)]
    assert len(titles) == len(set(titles))
    for panel in panels(path):
        assert panel["title"]
        assert len(panel["description"]) > 8
        assert panel["fieldConfig"]["defaults"]["unit"]
        assert panel["fieldConfig"]["defaults"]["noValue"]
        assert panel["datasource"] == SOURCE


def test_panels_do_not_lie_on_each_other(loaded: Json) -> None:
    places = [panel["gridPos"] for panel in placed(loaded)]
    for place in places:
        assert place["x"] + place["w"] <= 24
    for a, b in combinations(places, 2):
        beside = a["x"] + a["w"] <= b["x"] or b["x"] + b["w"] <= a["x"]
        below = a["y"] + a["h"] <= b["y"] or b["y"] + b["h"] <= a["y"]
        assert beside or below


def test_bars_begin_at_zero_and_dated_panels_go_by_days(path: Path) -> None:
    for panel in panels(path):
        custom = panel["fieldConfig"]["defaults"].get("custom", {})
        if custom.get("drawStyle") == "bars" or panel["type"] == "barchart":
            assert panel["fieldConfig"]["defaults"]["min"] == 0
        if custom.get("stacking", {}).get("mode") == "normal":
            assert panel["fieldConfig"]["defaults"]["min"] == 0
        expressions = [target["expr"] for target in panel["targets"]]
        if any("% 86400" in text and target_is_ranged(panel) for text in expressions):
            assert panel["interval"] == "1d", panel["title"]


def target_is_ranged(panel: Json) -> bool:
    return any(target["range"] for target in panel["targets"])


def test_labels_are_not_cut_and_bars_of_a_gauge_begin_at_zero(path: Path) -> None:
    for panel in panels(path):
        if panel["type"] == "bargauge":
            assert panel["fieldConfig"]["defaults"]["min"] == 0, panel["title"]
        if panel["type"] == "barchart":
            assert panel["options"]["xTickLabelMaxLength"] > 0
            assert panel["options"]["xTickLabelSpacing"] == 0


def test_times_have_the_unit_of_their_dashboard_s_language(path: Path) -> None:
    """Refuse Grafana's units of time, which are English and vary within a column."""
    ours = {
        language: {WORDS[key].en if language == "en" else WORDS[key].zh for key in TIMES}
        for language in Language
    }
    others = {"none", "locale", "percent", "percentunit", "bytes"}
    units = {value for key, value in walk(board(path)) if key == "unit"}
    units |= {
        each["value"] for _, each in walk(board(path)) if isinstance(each, dict) and each.get("id") == "unit"
    }
    assert units <= others | ours[Language(path.parent.name)]


def test_a_colour_that_begins_at_a_number_is_explained(path: Path) -> None:
    """Leave out what none or one is good or bad of: the title says it."""
    said = {"en": {colours.ORANGE: "orange", colours.VERMILION: "vermilion"}}
    said["zh"] = {colours.ORANGE: "橙色", colours.VERMILION: "朱红"}
    for panel in panels(path):
        config = panel["fieldConfig"]
        steps = [step for key, step in walk(config) if key == "steps" and isinstance(step, dict)]
        if any(step["value"] not in {None, 1} for step in steps):
            for step in steps:
                name = said[path.parent.name].get(step["color"], "")
                assert name in panel["description"], panel["title"]


def test_a_legend_is_there_where_there_are_several_series(path: Path) -> None:
    for panel in panels(path):
        if panel["type"] == "timeseries":
            several = len(panel["targets"]) > 1 or "{{" in panel["targets"][0]["legendFormat"]
            assert panel["options"]["legend"]["showLegend"] == several, panel["title"]


def test_the_sparkline_s_query_alone_becomes_a_column() -> None:
    for path in FILES:
        for panel in panels(path):
            for step in panel.get("transformations", ()):
                if step["id"] == "timeSeriesTable":
                    assert step["filter"] == {"id": "byRefId", "options": "T"}
                    assert [t["refId"] for t in panel["targets"] if t["range"]] == ["T"]
