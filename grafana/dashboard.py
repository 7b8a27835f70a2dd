"""A dashboard's frame: identity, time range, links, variables, rows and panel ids."""

from collections.abc import Sequence
from typing import Final

from grafana_foundation_sdk.builders.dashboard import (
    AnnotationQuery,
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
    RowPanel,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from exporter.exposition.app_families import INFO
from exporter.exposition.family import NAMESPACE
from grafana.colours import PURPLE, SKY
from grafana.queries import CHOSEN
from grafana.targets import DATASOURCE
from grafana.texts import Words

TAG: Final = "wechat-miniprogram"
APP: Final = 'appid=~"$appid"'
"""The content of the selectors' braces in a row of panels that repeats for each chosen app."""
BUILD_INFO: Final = f"{NAMESPACE}_exporter_build_info"
_OWN: Final = f"{NAMESPACE}_exporter"
_REVISED: Final = f"sum(increase({_OWN}_rows_revised_total[$__rate_interval])) > 0"
_RELOADED: Final = (
    f"count(changes({_OWN}_config_last_reload_success_timestamp_seconds[$__rate_interval]) > 0) > 0"
)
_LABEL_NAMES: Final = 0  # Grafana's numbers of kinds of variable queries
_LABEL_VALUES: Final = 1
_QUERY_RESULT: Final = 3


def uid(name: str, words: Words) -> str:
    """Return the fixed uid of a dashboard; the languages live side by side."""
    return f"{TAG}-{name}-{words.language}"


def new_dashboard(name: str, words: Words, start: str, variables: Sequence[QueryVariable]) -> Dashboard:
    """Return an empty dashboard; its title and description are the words `name` and `name`_about."""
    here = f"{TAG}-{words.language}"
    key = name.replace("-", "_")
    link = (
        DashboardLink(words.word("links"))
        .type(DashboardLinkType.DASHBOARDS)
        .tags([here])
        .include_vars(True)  # noqa: FBT003 - the SDK's own signature
        .keep_time(name != "exporter")  # whose day is too short for the others
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
        .annotations([_event(words, "revised", _REVISED, SKY), _event(words, "reloaded", _RELOADED, PURPLE)])
    )


def _event(words: Words, key: str, expr: str, colour: str) -> AnnotationQuery:
    """Mark an event in all charts."""
    return (
        AnnotationQuery()
        .name(words.word(key))
        .datasource(DATASOURCE)
        .enable(True)  # noqa: FBT003 - the SDK's own signature
        .icon_color(colour)
        .expr(expr)
    )


def job(words: Words, series: str) -> QueryVariable:
    """Return the scrape jobs that have this series; all of them at first."""
    return _labels("job", words.word("job"), f"label_values({series}, job)")


def instance(words: Words, series: str) -> QueryVariable:
    """Return the exporters of the chosen jobs that have this series; all of them at first."""
    return _labels("instance", words.word("instance"), f'label_values({series}{{job=~"$job"}}, instance)')


def label_filter(words: Words) -> list[QueryVariable]:
    """Return the variables for a label of the configuration, such as `team`, and its values; all at first."""
    label = (
        QueryVariable("label")
        .label(words.word("label"))
        .datasource(DATASOURCE)
        .query(_query(f"label_names({INFO.metric})", _LABEL_NAMES))
        .regex("/^(?!__name__$|job$|instance$|appid$).*/")
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_ASC)
        .current(VariableOption(text="name", value="name"))
    )
    return [label, _labels("value", words.word("label_value"), f"label_values({INFO.metric}, $label)")]


def app(words: Words) -> QueryVariable:
    """Choose mini programs by name; the value is the appid, as two may have the same name.

    Grafana matches labels that it has written without escapes: a name with quotes ends before the next label.

    One is chosen at first that is never there, so that Grafana takes the first of the list: with none
    chosen, Grafana 12 asks for appid="" when the page is opened by a link.
    """
    return (
        QueryVariable("appid")
        .label(words.word("app"))
        .datasource(DATASOURCE)
        .query(_query(f"query_result(max by (appid, name) ({CHOSEN}))", _QUERY_RESULT))
        .regex(r'/name="(?<text>.+?)"(?=,\w+="|\})|appid="(?<value>[^"]+)/g')
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_CASE_INSENSITIVE_ASC)
        .multi(True)  # noqa: FBT003 - the SDK's own signature
        .current(VariableOption(text=["–"], value=["-"]))
    )


def chosen_apps(words: Words) -> list[QueryVariable]:
    """Return the variables of a dashboard with panels over all apps, and a row for each chosen app."""
    return [job(words, INFO.metric), *label_filter(words), app(words)]


def link_to_app(words: Words) -> dict[str, object]:
    """Link a row's name to its mini program, with 30 days instead of this dashboard's range."""
    there = f"/d/{uid('mini-program', words)}"
    column = words.word("appid")
    parameters = (
        f'var-appid=${{__data.fields["{column}"]}}&var-datasource=${{datasource}}&from=now-30d&to=now'
    )
    return {"title": words.word("mini_program"), "url": f"{there}?{parameters}", "targetBlank": False}


def section(board: Dashboard, title: str, panels: Sequence[Builder[Panel]], repeat: str = "") -> None:
    """Add a row with its panels; it appears for each value of the variable `repeat`, if given."""
    row = Row(title)
    board.with_row(row.repeat(repeat) if repeat else row)
    for panel in panels:
        board.with_panel(panel)


def folded(board: Dashboard, title: str, panels: Sequence[Builder[Panel]]) -> None:
    """Add a folded row, whose panels query only once a reader unfolds it."""
    row = Row(title)
    for panel in panels:
        row.with_panel(panel)
    board.with_row(row)


def numbered(board: Dashboard) -> DashboardModel:
    """Return the finished dashboard, with panels numbered from 1."""
    finished = board.build()
    panels = [each for panel in finished.panels or () for each in (panel, *_inside(panel))]
    for number, panel in enumerate(panels, 1):
        panel.id_val = number
    return finished


def _inside(panel: Panel | RowPanel) -> list[Panel]:
    return panel.panels if isinstance(panel, RowPanel) else []


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
