"""The Pages dashboard: the pages of a mini program, and which of them rise and fall."""

from collections.abc import Iterator
from typing import Final

from grafana_foundation_sdk.builders import bargauge, table
from grafana_foundation_sdk.builders.common import TableSortByFieldState
from grafana_foundation_sdk.models.dashboard import Dashboard

from grafana.colours import CHANGE, PLAIN
from grafana.dashboard import APP, chosen_apps, link_to_app, new_dashboard, numbered, section
from grafana.datasets import app_columns, datasets_on, per_app_section
from grafana.figures import bars_of
from grafana.overrides import override
from grafana.panels import COUNT, SHARE, Size, needing
from grafana.queries import FLEET, chosen
from grafana.tables import listing
from grafana.targets import Query
from grafana.texts import Words
from prometheus.datasets import PAGES, newest_row, row_before

_TOP: Final = 50
_FLOOR: Final = 100
"""Views a week before; the change of fewer says little."""
_PAGE: Final = "appid, page_path"
_REST: Final = "(other)"
"""What the exporter calls the pages that it does not show one by one."""


def pages(words: Words) -> Dashboard:
    """Make the dashboard in the language of the words."""
    board = new_dashboard("pages", words, "now-30d", chosen_apps(words))
    section(board, words.word("all_apps"), [datasets_on(words, [PAGES], 24), _top(words)])
    per_app_section(board, [_table(words), *_movers(words)])
    return numbered(board)


def _figure(name: str, where: str) -> str:
    return newest_row(PAGES, f"page_{name}", where)


def _per_view(name: str, where: str) -> str:
    """Divide a count of a page by its views: exits or shares per view."""
    return f"{_figure(name, where)}\n/ on ({_PAGE}) ({_figure('visit_pv', where)} > 0)"


def _top(words: Words) -> table.Panel:
    """List the pages with the most views over all apps, without the pages that are added up."""
    views = chosen(_figure("visit_pv", f'{FLEET}, page_path!="{_REST}"'))
    asked = [
        Query(f"topk({_TOP}, {views})", words.field("visit_pv"), COUNT),
        Query(
            f"max by (appid, name, page_path) (({_per_view('exitpage_pv', FLEET)})\n"
            f"and on ({_PAGE}) topk({_TOP}, {views}))",
            words.word("exit_rate"),
            SHARE,
        ),
    ]
    columns = {**app_columns(words), "page_path": words.word("page")}
    panel = listing(words, "top_pages", asked, columns, words.field("visit_pv"), Size(24, 10))
    panel.override_by_name(words.word("app"), [override("links", [link_to_app(words)])])
    return needing(panel, words, PAGES.dataset)


def _table(words: Words) -> table.Panel:
    figures = (
        (words.field("visit_pv"), _figure("visit_pv", APP), COUNT),
        (words.field("visit_uv"), _figure("visit_uv", APP), COUNT),
        (words.word("stay_per_view"), _figure("staytime_pv_seconds", APP), words.word("seconds")),
        (words.word("entries"), _figure("entrypage_pv", APP), COUNT),
        (words.word("exits"), _figure("exitpage_pv", APP), COUNT),
        (words.word("exit_rate"), _per_view("exitpage_pv", APP), SHARE),
        (words.word("shares"), _figure("share_pv", APP), COUNT),
        (words.word("sharers"), _figure("share_uv", APP), COUNT),
    )
    asked = [Query(f"max by (page_path) ({expr})", heading, unit) for heading, expr, unit in figures]
    columns = {"page_path": words.word("page")}
    panel = listing(words, "pages_table", asked, columns, words.field("visit_pv"), Size(24, 10))
    return needing(panel, words, PAGES.dataset)


def _movers(words: Words) -> Iterator[bargauge.Panel | table.Panel]:
    then = row_before(PAGES, "page_visit_pv", 7, APP)
    change = f"max by (page_path) ({_figure('visit_pv', APP)}\n/ on ({_PAGE}) (({then}) >= {_FLOOR})) - 1"
    risers = Query(f"topk(10, ({change}) > 0)", "{{page_path}}")
    none = words.word("no_page_change").format(PAGES.dataset)
    yield bars_of(words, "page_risers", [risers], SHARE, Size(12), PLAIN).no_value(none)
    heading = words.word("week_on_week")
    fallers = Query(f"bottomk(10, ({change}) < 0)", heading, SHARE, CHANGE)
    panel = listing(words, "page_fallers", [fallers], {"page_path": words.word("page")}, heading, Size(12))
    panel.sort_by([TableSortByFieldState().display_name(heading).desc(False)])  # noqa: FBT003 - SDK
    yield panel.no_value(none).override_by_name(
        heading, [override("custom.cellOptions", {"type": "color-text"})]
    )
