"""A dashboard's frame: identity, time range, links, variables, rows and panel ids."""

from collections.abc import Sequence
from typing import Final

from grafana_foundation_sdk.builders.dashboard import (
    Dashboard,
    DashboardLink,
    DatasourceVariable,
    QueryVariable,
    Row,
)
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models.dashboard import Dashboard as DashboardModel
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    Panel,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from exporter.exposition.families import INFO, NAMESPACE
from grafana.targets import DATASOURCE
from grafana.texts import Words

TAG: Final = "wechat-miniprogram"
BUILD_INFO: Final = f"{NAMESPACE}_exporter_build_info"
_QUERY_RESULT: Final = 3  # Grafana's number for a variable made from a query's result
_LABEL_VALUES: Final = 1


def uid(name: str, words: Words) -> str:
    """The fixed uid of a dashboard; the languages live side by side."""
    return f"{TAG}-{name}-{words.language}"


def sheet(name: str, words: Words, start: str, variables: Sequence[QueryVariable]) -> Dashboard:
    """An empty dashboard; its title and description are the words `name` and `name`_about."""
    here = f"{TAG}-{words.language}"
    key = name.replace("-", "_")
    link = (
        DashboardLink(words.word("links"))
        .type(DashboardLinkType.DASHBOARDS)
        .tags([here])
        .include_vars(True)  # noqa: FBT003 - the SDK's own signature
        .keep_time(True)  # noqa: FBT003 - the same
    )
    datasource = DatasourceVariable("datasource").label(words.word("datasource")).type("prometheus")
    return (
        Dashboard(words.word(key))
        .uid(uid(name, words))
        .description(words.word(f"{key}_about"))
        .tags([TAG, here])
        .timezone("Asia/Shanghai")
        .time(start, "now")
        .refresh("5m")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .editable()
        .link(link)
        .variables([datasource, *variables])
        .annotations([])
    )


def job(words: Words, series: str) -> QueryVariable:
    """The scrape jobs that have this series; all of them at first."""
    return _labels("job", words.word("job"), f"label_values({series}, job)")


def instance(words: Words, series: str) -> QueryVariable:
    """The exporters of the chosen jobs that have this series; all of them at first."""
    return _labels("instance", words.word("instance"), f'label_values({series}{{job=~"$job"}}, instance)')


def app(words: Words) -> QueryVariable:
    """Mini programs by name; the value is the appid, as two may have the same name."""
    return (
        QueryVariable("appid")
        .label(words.word("app"))
        .datasource(DATASOURCE)
        .query(_query(f"query_result(max by (appid, name) ({INFO.metric}))", _QUERY_RESULT))
        .regex('/name="(?<text>[^"]+)|appid="(?<value>[^"]+)/g')
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_CASE_INSENSITIVE_ASC)
        .multi(True)  # noqa: FBT003 - the SDK's own signature
    )


def link_to_app(words: Words) -> dict[str, object]:
    """Lead from a row's name to its mini program, with 30 days rather than the range of this dashboard."""
    there = f"/d/{uid('mini-program', words)}"
    column = words.word("appid")
    parameters = (
        f'var-appid=${{__data.fields["{column}"]}}&var-datasource=${{datasource}}&from=now-30d&to=now'
    )
    return {"title": words.word("mini_program"), "url": f"{there}?{parameters}", "targetBlank": False}


def section(board: Dashboard, title: str, panels: Sequence[Builder[Panel]], repeat: str = "") -> None:
    """A row with its panels; `repeat` names the variable for each of whose values it appears."""
    row = Row(title)
    board.with_row(row.repeat(repeat) if repeat else row)
    for panel in panels:
        board.with_panel(panel)


def numbered(board: Dashboard) -> DashboardModel:
    """The finished dashboard, its panels numbered from 1 on."""
    finished = board.build()
    for number, panel in enumerate(finished.panels or (), 1):
        panel.id_val = number
    return finished


def _labels(name: str, label: str, query: str) -> QueryVariable:
    return (
        QueryVariable(name)
        .label(label)
        .datasource(DATASOURCE)
        .query(_query(query, _LABEL_VALUES))
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
        .multi(True)  # noqa: FBT003 - the SDK's own signature
        .include_all(True)  # noqa: FBT003 - the same
        .all_value(".*")
        .current(VariableOption(text="All", value="$__all"))
    )


def _query(query: str, kind: int) -> dict[str, object]:
    return {"query": query, "qryType": kind, "refId": "PrometheusVariableQueryEditor-VariableQuery"}
