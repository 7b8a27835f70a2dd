"""A dashboard's frame: identity, variables, links and rows."""

import re
from pathlib import Path

import pytest

from tests.grafana.boards import FILES, Json, board, walk

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
STARTS = {"exporter": "now-24h", "retention": "now-60d", "audience": "now-90d"}
FILTER = {"label", "value"}
PER_APP = {"mini-program", "audience", "retention", "sources", "pages"}


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


@pytest.mark.parametrize("name", ["奶茶小铺", 'say "hi"', '"quoted"', 'a,b="c', "back\\slash|b}", "{x}"])
def test_apps_are_chosen_by_name_and_asked_for_by_appid(name: str) -> None:
    """Match as Grafana does: the first match of each named group in the output of query_result()."""
    for path in FILES:
        if path.stem in PER_APP:
            variable = board(path)["templating"]["list"][-1]
            assert variable["current"]["value"]  # with none, Grafana 12 asks for appid="" after a link
            assert variable["regex"].startswith("/")
            assert variable["regex"].endswith("/g")
            pattern = variable["regex"][1:-2].replace("(?<", "(?P<")
            found: dict[str, str] = {}
            output = f'{{appid="wxfa4e000000000002",name="{name}"}} 1 1795491210909'
            for match in re.finditer(pattern, output):
                found |= {group: text for group, text in match.groupdict().items() if text}
            assert found == {"value": "wxfa4e000000000002", "text": name}


def test_each_app_has_a_row_of_its_own() -> None:
    for path in FILES:
        repeated = [panel.get("repeat") for panel in board(path)["panels"] if panel["type"] == "row"]
        assert [name for name in repeated if name] == (["appid"] if path.stem in PER_APP else [])


def test_only_the_last_row_of_the_exporter_is_folded() -> None:
    for path in FILES:
        rows = [panel for panel in board(path)["panels"] if panel["type"] == "row"]
        folded = [number for number, row in enumerate(rows, 1) if row["collapsed"]]
        assert folded == ([len(rows)] if path.stem == "exporter" else []), path


def test_boards_link_to_each_other_in_their_language(loaded: Json, path: Path) -> None:
    assert [link["tags"] for link in loaded["links"]] == [[f"wechat-miniprogram-{path.parent.name}"]]
    known = {board(other)["uid"] for other in FILES}
    links = [value for key, value in walk(loaded["panels"]) if key == "url"]
    for link in links:
        found = re.match(r"/d/([\w-]+)\?", link)
        assert found
        assert found[1] in known
        assert found[1].endswith(path.parent.name)
