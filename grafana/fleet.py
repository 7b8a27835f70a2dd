"""The Fleet dashboard: every mini program at a glance, two thousand as well as two."""

from collections.abc import Iterator
from typing import Final

from grafana_foundation_sdk.builders import bargauge, histogram, stat, table
from grafana_foundation_sdk.builders.common import TableSortByFieldState
from grafana_foundation_sdk.models.dashboard import Dashboard

from exporter.beijing import DAY_SECONDS
from exporter.exposition.app_families import ERROR_INFO, INFO
from grafana import queries
from grafana.charts import spread
from grafana.colours import CHANGE, DAYS_OLD, NONE_IS_BEST, NONE_IS_GOOD, PLAIN
from grafana.dashboard import job, label_filter, link_to_app, new_dashboard, numbered, section
from grafana.failing_table import failing_table
from grafana.figures import bars_of, exporters_scraped, figure
from grafana.overrides import override
from grafana.panels import COUNT, NUMBER, SHARE, Size
from grafana.queries import FLEET, REF, chosen, counted, week_before
from grafana.ranking import ranking
from grafana.tables import listing
from grafana.targets import Query
from grafana.texts import Words
from grafana.totals import totals
from prometheus.expressions import change, named, newest
from prometheus.recording import recorded
from prometheus.thresholds import shipped

_FLOOR: Final = 100  # visitors a week before; the change of fewer says little
_SIZES: Final = (0, 1, 100, 1000, 10_000, 100_000)  # where each class of daily visitors begins
_ALERTS: Final = "|".join(shipped().table)
_RECORDED: Final = recorded("visit_uv", "newest")
_WEEK: Final = chosen(change(newest("visit_uv", FLEET), f"({week_before('visit_uv')}) >= {_FLOOR}"))


def fleet(words: Words) -> Dashboard:
    """Make the dashboard in the language of the words: what needs attention first, then totals."""
    board = new_dashboard("fleet", words, "now-30d", [job(words, INFO.metric), *label_filter(words)])
    section(board, words.word("fleet_now"), list(_now(words)))
    attention = [
        failing_table(words, "failing_table", chosen(f"{ERROR_INFO.metric}{{{FLEET}}}"), Size(24)),
        _waiting(words),
    ]
    section(board, words.word("fleet_troubles"), attention)
    section(board, words.word("fleet_totals"), totals(words))
    section(board, words.word("fleet_ranking"), [ranking(words)])
    section(board, words.word("fleet_spread"), [*_movers(words), _sizes(words), _changes(words)])
    return numbered(board)


def _now(words: Words) -> Iterator[stat.Panel]:
    late = f"time() - {REF} > {queries.DUE}"
    never = f"{queries.answered()} unless on (appid) {REF}"
    asked = queries.refreshed()
    arrived = f"count({queries.with_yesterday()})"
    firing = f'count(ALERTS{{alertstate="firing",alertname=~"{_ALERTS}"}})\nor\n0 * count({_RECORDED})'
    yield exporters_scraped(words, "fleet_scraped", FLEET)
    yield figure(words, "apps_total", [Query(f"count({queries.configured()})")], width=6)
    share = [
        Query(f"{counted(queries.with_yesterday())}", words.word("with_data")),
        Query(f"{arrived}\n/\ncount({queries.configured()})", words.word("share"), SHARE),
    ]
    yield figure(words, "arrived", share, width=6)
    yield figure(words, "newest", [Query(queries.date_number(f"max({REF})"))], NUMBER, width=6)
    yield figure(words, "late", [Query(counted(late, REF))], steps=NONE_IS_BEST, width=6)
    yield figure(words, "failing", [Query(counted(queries.failing(), asked))], steps=NONE_IS_GOOD, width=6)
    yield figure(words, "never", [Query(counted(never, asked))], steps=NONE_IS_BEST, width=6)
    yield figure(words, "firing", [Query(firing)], steps=NONE_IS_BEST, width=6)


def _waiting(words: Words) -> table.Panel:
    unheld = f"{queries.answered()} unless on (appid) {queries.with_yesterday()}"
    age = f"floor((time() - {REF}) / {DAY_SECONDS})"
    asked = [
        Query(named(unheld, FLEET)),
        Query(
            f"{queries.newest_date_number()}\nand on (appid) ({unheld})", words.word("newest_date"), NUMBER
        ),
        Query(f"{age}\nand on (appid) ({unheld})", words.word("days_old"), NUMBER, DAYS_OLD),
    ]
    columns = {"name": words.word("app"), "appid": words.word("appid")}
    panel = listing(words, "waiting_table", asked, columns, words.word("days_old"), Size(24, 12))
    panel.no_value(words.word("nothing_waits"))
    panel.override_by_name(words.word("app"), [override("links", [link_to_app(words)])])
    coloured = override("custom.cellOptions", {"type": "color-text"})
    return panel.override_by_name(words.word("days_old"), [coloured])


def _movers(words: Words) -> Iterator[bargauge.Panel | table.Panel]:
    risers = Query(f"topk(10, ({_WEEK}) > 0)", "{{name}}")
    none = words.word("no_change")
    yield bars_of(words, "risers", [risers], SHARE, Size(12, 9), PLAIN).no_value(none)
    fallers = Query(f"bottomk(10, ({_WEEK}) < 0)", words.word("week_on_week"), SHARE, CHANGE)
    heading = words.word("week_on_week")
    panel = listing(words, "fallers", [fallers], {"name": words.word("app")}, heading, Size(12, 9)).no_value(
        none
    )
    panel.sort_by([TableSortByFieldState().display_name(heading).desc(False)])  # noqa: FBT003 - SDK
    yield panel.override_by_name(heading, [override("custom.cellOptions", {"type": "color-text"})])


def _sizes(words: Words) -> bargauge.Panel:
    visitors = chosen(newest("visit_uv", FLEET))
    classes = []
    for low, high in zip(_SIZES, (*_SIZES[1:], None), strict=True):
        below = "" if high is None else f" < {high}"
        classes.append(Query(counted(f"({visitors}) >= {low}{below}"), words.word(f"size_{low}")))
    return bars_of(words, "sizes", classes, COUNT, Size(12), PLAIN)


def _changes(words: Words) -> histogram.Panel:
    panel = spread(words, "changes", Query(f"100 * ({_WEEK})"), "percent", 10, Size(12))
    return panel.no_value(words.word("no_change"))
