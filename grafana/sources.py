"""The Sources dashboard: where opens come from, how long they stay, how deep they go."""

from collections.abc import Iterator
from typing import Final

from grafana_foundation_sdk.builders import bargauge, table, timeseries
from grafana_foundation_sdk.builders.common import StackingConfig
from grafana_foundation_sdk.models.common import StackingMode
from grafana_foundation_sdk.models.dashboard import Dashboard

from exporter.datasets.visit_distribution import DEPTHS, STAY_TIMES
from exporter.exposition.family import NAMESPACE
from grafana.charts import series_lines
from grafana.colours import CHANGE, PLAIN
from grafana.dashboard import APP, chosen_apps, new_dashboard, numbered, section
from grafana.datasets import datasets_on, per_app_section
from grafana.figures import bars_of
from grafana.overrides import override
from grafana.panels import COUNT, DAY, SHARE, Size, needing
from grafana.queries import AT_END, FLEET, chosen
from grafana.tables import listing
from grafana.targets import Query
from grafana.texts import Words
from prometheus.datasets import (
    distribution,
    holding,
    is_before,
    leading,
    newest_row,
    row_before,
    row_per_date,
)

_SOURCE: Final = distribution("source")
_OPENS: Final = "access_source_session_cnt"
_INFO: Final = f"{NAMESPACE}_access_source_info"
_WEEK: Final = "offset 7d"
_HELD_FOR: Final = "4d"
"""How long after a date its row may still be the newest."""


def sources(words: Words) -> Dashboard:
    """Make the dashboard in the language of the words."""
    board = new_dashboard("sources", words, "now-30d", chosen_apps(words))
    section(
        board,
        words.word("all_apps"),
        [datasets_on(words, [_SOURCE], 24), _table(words, "all_sources", FLEET)],
    )
    per_app_section(board, [_stack(words), _table(words, "app_sources", APP), *_buckets(words)])
    return numbered(board)


def _named(words: Words, expr: str, keys: str) -> str:
    """Give sources their names in the language of the words; one that WeChat does not document, its key.

    `keys` selects the series that have all the keys.
    """
    name = f"name_{words.language}"
    unknown = f'label_replace(0 * max by (source) ({keys}) + 1, "{name}", "#$1", "source", "(.*)")'
    names = f"max by (source, {name}) ({_INFO})\n  or on (source) {unknown}"
    return f"({expr})\n* on (source) group_left ({name}) (\n  {names}\n)"


def _stack(words: Words) -> timeseries.Panel:
    opens = f"sum by (source) (\n{row_per_date(_SOURCE, _OPENS, APP, AT_END)}\n)"
    keys = f"last_over_time({_SOURCE.select(_OPENS, APP)}[{_HELD_FOR}] offset -{_HELD_FOR})"
    query = Query(_named(words, opens, keys), f"{{{{name_{words.language}}}}}")
    panel = series_lines(words, "source_shares", query, COUNT, Size(24, 10)).min(0).interval(DAY)
    panel.fill_opacity(60).stacking(StackingConfig().mode(StackingMode.PERCENT).group("A"))
    return needing(panel, words, _SOURCE.dataset)


def _compared(where: str) -> tuple[str, str, str]:
    """Return the opens by app and source: now; now, of apps with a row of a week before; a week before.

    For a whole fleet the apps are chosen first: there are ten times as many sources.
    """
    if where != FLEET:
        now, then = newest_row(_SOURCE, _OPENS, where), row_before(_SOURCE, _OPENS, 7, where)
        return now, f"({now})\nand on (appid) ({then})", then
    now, then = (
        chosen(leading(_SOURCE, where)),
        chosen(holding(_SOURCE, where, _WEEK, is_before(_SOURCE, 7, where))),
    )
    select, matching = _SOURCE.select(_OPENS, where), _SOURCE.matching()
    return (
        f"{select}\nand{matching} {now}",
        f"{select}\nand{matching} ({now} and on (appid) {then})",
        f"{_SOURCE.select(_OPENS, where, _WEEK)}\nand{matching} {then}",
    )


def _table(words: Words, key: str, where: str) -> table.Panel:
    """List the opens of each source, their share, and their change on the apps that have both rows."""
    name = f"name_{words.language}"
    now, both, then = _compared(where)
    opens = f"sum by (source) ({now})"
    change = f"sum by (source) ({both})\n/\nsum by (source) ({then}) - 1"
    figures = [
        (words.word("opens"), _named(words, opens, _SOURCE.select(_OPENS, where)), COUNT, ()),
        (words.word("share"), f"{opens}\n/ on () group_left () sum({now})", SHARE, ()),
        (words.word("week_on_week"), change, SHARE, CHANGE),
    ]
    if where == APP:  # visitors of several apps are not the same people
        visitors = f"max by (source) ({newest_row(_SOURCE, 'access_source_visit_uv', where)})"
        figures.append((words.field("visit_uv"), visitors, COUNT, ()))
    asked = [Query(expr, heading, unit, steps) for heading, expr, unit, steps in figures]
    columns = {name: words.word("source"), "source": words.word("source_key")}
    panel = listing(words, key, asked, columns, words.word("opens"), Size(24, 10))
    panel.override_by_name(
        words.word("week_on_week"), [override("custom.cellOptions", {"type": "color-text"})]
    )
    return needing(panel, words, _SOURCE.dataset)


def _buckets(words: Words) -> Iterator[bargauge.Panel]:
    """Draw the share of opens in each bucket, in the buckets' order."""
    for label, buckets, figure in (
        ("staytime", STAY_TIMES, "access_staytime_session_cnt"),
        ("depth", DEPTHS, "access_depth_session_cnt"),
    ):
        opens = newest_row(distribution(label), figure, APP)
        asked = [
            Query(f"sum({newest_row(distribution(label, bucket), figure, APP)})\n/\nsum({opens})", bucket)
            for bucket in buckets.values()
        ]
        yield needing(
            bars_of(words, f"buckets_{label}", asked, SHARE, Size(12), PLAIN), words, _SOURCE.dataset
        )
