"""The rules of Grafana's dashboard linter that make sense here, and those of this house."""

import re
from itertools import combinations
from pathlib import Path
from typing import Any

import promql_parser
import pytest

from grafana import colours
from grafana.texts import PANELS, WORDS, Language
from tests.grafana.boards import FILES, Json, asked, board, name_of, panels, placed

SAFE = {value for name, value in vars(colours).items() if name.isupper() and str(value).startswith("#")}
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
STARTS = {"exporter": "now-24h", "retention": "now-60d", "audience": "now-90d"}
FILTER = {"label", "value"}
PER_APP = {"mini-program", "audience", "retention", "sources", "pages"}
TIMES = ("seconds", "minutes", "hours")
COUNTERS = ("_total", "_bucket", "_count", "_sum")


def walk(node: Any, key: str = "") -> Any:
    """Yield every (key, value) below a node."""
    yield key, node
    for name, inner in node.items() if isinstance(node, dict) else ():
        yield from walk(inner, name)
    for inner in node if isinstance(node, list) else ():
        yield from walk(inner, key)


@pytest.fixture(params=FILES, ids=name_of)
def path(request: pytest.FixtureRequest) -> Path:
    found: Path = request.param
    return found


@pytest.fixture
def loaded(path: Path) -> Json:
    return board(path)


def test_a_board_is_the_same_wherever_it_is_imported(loaded: Json, path: Path) -> None:
    assert loaded["uid"] == f"wechat-miniprogram-{path.stem}-{path.parent.name}"
    assert len(loaded["uid"]) <= 40  # Grafana's limit
    assert "id" not in loaded
    assert "__inputs" not in loaded
    assert "${DS_" not in path.read_text("utf-8")
    assert loaded["schemaVersion"] == 41
    assert loaded["timezone"] == "Asia/Shanghai"
    assert loaded["time"]["to"] == "now"
    assert loaded["time"]["from"] == STARTS.get(path.stem, "now-30d")
    assert f"wechat-miniprogram-{path.parent.name}" in loaded["tags"]


def test_the_first_variable_chooses_the_data_source_of_all(loaded: Json) -> None:
    variables = loaded["templating"]["list"]
    assert (variables[0]["name"], variables[0]["type"], variables[0]["query"]) == (
        "datasource",
        "datasource",
        "prometheus",
    )
    sources = [value for key, value in walk(loaded) if key == "datasource" and isinstance(value, dict)]
    assert sources
    assert all(source == SOURCE for source in sources)
    for variable in variables:
        assert variable["label"]


def test_every_variable_is_asked_for_and_every_one_asked_for_is_there(loaded: Json) -> None:
    have = {variable["name"] for variable in loaded["templating"]["list"]}
    builtin = {
        "__range",
        "__rate_interval",
        "__url_time_range",
        "__data",
        "__to",
        "1",
    }  # $1: label_replace's own
    report = " ".join(
        value
        for key, value in walk(loaded)
        if key in ("expr", "uid", "url", "query", "title", "repeat") and isinstance(value, str)
    )
    used = {name.strip("{") for name in re.findall(r"\$(\{?\w+)", report)} - builtin
    used |= {panel["repeat"] for panel in loaded["panels"] if panel.get("repeat")}
    assert used == have


def test_jobs_and_exporters_can_be_chosen(loaded: Json, path: Path) -> None:
    wanted = {
        "fleet": {"job", *FILTER},
        "exporter": {"job", "instance"},
        "mini-program": {"appid", *FILTER},
    }.get(path.stem, {"job", "appid", *FILTER})
    variables = {variable["name"]: variable for variable in loaded["templating"]["list"]}
    assert wanted == set(variables) - {"datasource"}
    for name in wanted - {"appid", "label"}:
        assert (variables[name]["includeAll"], variables[name]["allValue"]) == (True, ".*")


def test_apps_are_chosen_by_name_and_asked_for_by_appid() -> None:
    """Match as Grafana does: the first match of each named group in the output of query_result()."""
    for path in FILES:
        if path.stem in PER_APP:
            variable = board(path)["templating"]["list"][-1]
            assert variable["current"]["value"]  # with none, Grafana 12 asks for appid="" after a link
            assert variable["regex"].startswith("/")
            assert variable["regex"].endswith("/g")
            pattern = variable["regex"][1:-2].replace("(?<", "(?P<")
            found: dict[str, str] = {}
            for match in re.finditer(pattern, '{appid="wxfa4e000000000002",name="奶茶小铺"} 1 1795491210909'):
                found |= {name: text for name, text in match.groupdict().items() if text}
            assert found == {"value": "wxfa4e000000000002", "text": "奶茶小铺"}


def test_each_app_has_a_row_of_its_own() -> None:
    for path in FILES:
        repeated = [panel.get("repeat") for panel in board(path)["panels"] if panel["type"] == "row"]
        assert [name for name in repeated if name] == (["appid"] if path.stem in PER_APP else [])


def test_the_sparkline_s_query_alone_becomes_a_column() -> None:
    for path in FILES:
        for panel in panels(path):
            for step in panel.get("transformations", ()):
                if step["id"] == "timeSeriesTable":
                    assert step["filter"] == {"id": "byRefId", "options": "T"}
                    assert [t["refId"] for t in panel["targets"] if t["range"]] == ["T"]


def test_boards_link_to_each_other_in_their_language(loaded: Json, path: Path) -> None:
    assert [link["tags"] for link in loaded["links"]] == [[f"wechat-miniprogram-{path.parent.name}"]]
    known = {board(other)["uid"] for other in FILES}
    links = [value for key, value in walk(loaded["panels"]) if key == "url"]
    for link in links:
        found = re.match(r"/d/([\w-]+)\?", link)
        assert found
        assert found[1] in known
        assert found[1].endswith(path.parent.name)


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


def test_no_number_is_red_by_accident_and_every_colour_is_safe(path: Path) -> None:
    for panel in panels(path):
        steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
        assert steps[0]["value"] is None
        report = {
            str(value) for key, value in walk(panel) if key in ("color", "fixedColor", "lineColor") if value
        }
        assert {value for value in report if not value.startswith("{")} <= SAFE, panel["title"]
        many = any("{{" in target["legendFormat"] for target in panel["targets"])
        if panel["type"] == "timeseries" and not many:
            by_query = {o["matcher"]["options"] for o in panel["fieldConfig"]["overrides"]}
            assert {target["refId"] for target in panel["targets"]} <= by_query


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


@pytest.mark.parametrize("language", Language)
def test_targets_ask_once_and_name_what_they_show(language: Language) -> None:
    for target in asked(language):
        assert target.target["instant"] != target.target["range"], target.name
        assert target.target["legendFormat"]
        refs = [each["refId"] for each in target.panel["targets"]]
        assert len(refs) == len(set(refs))


@pytest.mark.parametrize("language", Language)
def test_expressions_parse_and_counters_are_read_as_rates(language: Language) -> None:
    for target in asked(language):
        text = target.expression()
        promql_parser.parse(text)
        for metric in re.findall(r"wechat_miniprogram_exporter_\w+|process_cpu_seconds_total", text):
            if metric.endswith(COUNTERS):
                assert re.search(rf"(rate|increase)\({metric}\{{[^}}]*\}}\[", text), target.name


def test_daily_gauges_are_never_read_as_rates_or_mixed_by_time() -> None:
    for target in asked():
        text = target.expression()
        assert not re.search(
            r"(rate|increase|delta|avg_over_time|sum_over_time|max_over_time)\(wechat_miniprogram_(daily|by_date)",
            text,
        ), target.name
        assert not re.search(r"avg[^(]*\([^)]*_(stay_time|visit_depth)", text), target.name
        assert not re.search(
            r"sum\b[^(]*\((?!.*session).*(?<!retain_)(?<!cohort_)visit_uv\b(?!_new)", text
        ), target.name


def test_labels_are_not_cut_and_bars_of_a_gauge_begin_at_zero(path: Path) -> None:
    for panel in panels(path):
        if panel["type"] == "bargauge":
            assert panel["fieldConfig"]["defaults"]["min"] == 0, panel["title"]
        if panel["type"] == "barchart":
            assert panel["options"]["xTickLabelMaxLength"] > 0
            assert panel["options"]["xTickLabelSpacing"] == 0


def test_no_dated_panel_asks_at_the_floored_end_of_its_range() -> None:
    for language in Language:
        for target in asked(language):
            assert "@ end()" not in target.target["expr"], target.name


def test_what_is_not_known_is_grey_and_never_green(path: Path) -> None:
    for panel in panels(path):
        defaults = panel["fieldConfig"]["defaults"]
        grey = [
            mapping["options"]["result"]["color"]
            for mapping in defaults["mappings"]
            if mapping["type"] == "special" and mapping["options"]["match"] == "null+nan"
        ]
        assert grey == [colours.GREY], panel["title"]
        if defaults["thresholds"]["steps"][0]["color"] == colours.GREEN:
            assert not any("vector(0)" in target["expr"] for target in panel["targets"]), panel["title"]


def test_every_text_is_there_in_both_languages() -> None:
    for key, text in WORDS.items():
        assert text.en, key
        assert text.zh, key
    for key, (title, description) in PANELS.items():
        assert all((title.en, title.zh, description.en, description.zh)), key


def test_only_the_last_row_of_the_exporter_is_folded() -> None:
    for path in FILES:
        rows = [panel for panel in board(path)["panels"] if panel["type"] == "row"]
        folded = [number for number, row in enumerate(rows, 1) if row["collapsed"]]
        assert folded == ([len(rows)] if path.stem == "exporter" else []), path


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


def luminance(colour: str) -> float:
    """Return the relative luminance by WCAG 2.1."""
    shares = (int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    linear = [share / 12.92 if share <= 0.03928 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return sum(weight * each for weight, each in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("panel", ["#ffffff", "#181b1f"], ids=["light", "dark"])
def test_every_colour_stands_out_from_the_panel(panel: str) -> None:
    for colour in sorted(SAFE):
        dark, light = sorted((luminance(colour), luminance(panel)))
        assert (light + 0.05) / (dark + 0.05) >= 3, colour


def test_a_legend_is_there_where_there_are_several_series(path: Path) -> None:
    for panel in panels(path):
        if panel["type"] == "timeseries":
            several = len(panel["targets"]) > 1 or "{{" in panel["targets"][0]["legendFormat"]
            assert panel["options"]["legend"]["showLegend"] == several, panel["title"]
