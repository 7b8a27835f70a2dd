"""The Fleet dashboard: every mini program at a glance, two thousand as well as two."""

from collections.abc import Iterator
from typing import Final

from grafana_foundation_sdk.builders import barchart, bargauge, histogram, stat, table
from grafana_foundation_sdk.models.dashboard import Dashboard

from exporter.exposition.families import ERROR_INFO, INFO
from exporter.trend import DAY_SECONDS
from grafana import queries
from grafana.advice import JOINED_BY, advice_mappings
from grafana.colours import CHANGE, NONE_IS_BEST, NONE_IS_GOOD, PLAIN
from grafana.overrides import override
from grafana.panels import (
    COUNT,
    NUMBER,
    SECONDS,
    SHARE,
    Size,
    bars_of,
    category_bars,
    figure,
    listing,
    spread,
)
from grafana.queries import FLEET, REF, counted
from grafana.ranking import ranking
from grafana.sheet import job, numbered, section, sheet
from grafana.targets import Query
from grafana.texts import Words
from prometheus.expressions import before, change, named, newest

_DAYTIME_DUE: Final = 60 * 3600  # a newest date whose midnight is longer past is late
_FLOOR: Final = 100  # visitors a week before; the change of fewer says little
_SIZES: Final = (0, 1, 100, 1000, 10_000, 100_000)  # where each class of daily visitors begins
_SUMS: Final = ("session_cnt", "visit_pv", "visit_uv_new")
_WEEK: Final = change(newest("visit_uv", FLEET), f"({before('visit_uv', 7, FLEET)}) >= {_FLOOR}")


def fleet(words: Words) -> Dashboard:
    """The dashboard in the language of the words."""
    board = sheet("fleet", words, "now-30d", [job(words, INFO.metric)])
    section(board, words.word("fleet_now"), list(_now(words)))
    section(board, words.word("fleet_totals"), [*_totals(words), _totals_bars(words), _totals_table(words)])
    section(board, words.word("fleet_troubles"), [_failing(words), _waiting(words)])
    section(board, words.word("fleet_ranking"), [ranking(words)])
    section(board, words.word("fleet_spread"), [*_movers(words), _sizes(words), _changes(words)])
    return numbered(board)


def _now(words: Words) -> Iterator[stat.Panel]:
    late = f"time() - {REF} > {_DAYTIME_DUE}"
    waiting = f"{queries.answered()} unless on (appid) {queries.with_yesterday()}"
    never = f"{queries.configured()} unless on (appid) {REF}"
    yield figure(words, "apps_total", [Query(f"count({queries.configured()})")], width=3)
    yield figure(words, "newest", [Query(queries.date_number(f"max({REF})"))], NUMBER)
    yield figure(words, "have_newest", [Query(queries.have_latest())], width=3)
    yield figure(words, "waiting", [Query(counted(waiting))], width=3)
    yield figure(words, "late", [Query(counted(late))], steps=NONE_IS_BEST, width=3)
    yield figure(words, "failing", [Query(counted(queries.failing()))], steps=NONE_IS_GOOD)
    yield figure(words, "never", [Query(counted(never))], steps=NONE_IS_BEST)


def _totals(words: Words) -> Iterator[stat.Panel]:
    apps = Query(queries.have_latest(), words.word("of_apps"))
    for name in _SUMS:
        yield figure(words, f"sum_{name}", [Query(queries.total(name), words.field(name)), apps], width=6)
    stay = queries.on_latest("stay_time_session_seconds")
    opens = queries.on_latest("session_cnt")
    weighted = f"sum({stay}\n* on (appid, name)\n{opens})\n/\nsum({opens}\nand on (appid) {stay})"
    yield figure(words, "mean_stay", [Query(weighted)], SECONDS, width=6)


def _per_date(words: Words) -> list[Query]:
    label = words.word("newest")
    return [Query(queries.totals_by_date("sum", name, label), words.field(name), COUNT) for name in _SUMS]


def _totals_bars(words: Words) -> barchart.Panel:
    return category_bars(words, "totals_bars", _per_date(words), "ref_date", COUNT, Size(14))


def _totals_table(words: Words) -> table.Panel:
    apps = Query(
        queries.totals_by_date("count", "ref_date_timestamp_seconds", words.word("newest")),
        words.word("apps"),
        COUNT,
    )
    date = words.word("date")
    return listing(words, "totals_table", [apps, *_per_date(words)], {"ref_date": date}, date, Size(10))


def _failing(words: Words) -> table.Panel:
    advised = (
        f"max by (appid, name, reason, errcode, advice) (label_join({ERROR_INFO.metric}{{{FLEET}}}, "
        f'"advice", "{JOINED_BY}", "reason", "errcode"))'
    )
    columns = {
        "name": words.word("app"),
        "appid": words.word("appid"),
        "reason": words.word("reason"),
        "errcode": words.word("errcode"),
        "advice": words.word("advice"),
    }
    panel = listing(words, "failing_table", [Query(advised)], columns, words.word("reason"), Size(24))
    return panel.override_by_name(
        words.word("advice"),
        [
            override("mappings", advice_mappings(words.language)),
            override("custom.minWidth", 600),
            override("custom.inspect", value=True),
            override("custom.cellOptions", {"type": "auto", "wrapText": True}),
        ],
    )


def _waiting(words: Words) -> table.Panel:
    unheld = f"{queries.answered()} unless on (appid) {queries.with_yesterday()}"
    asked = [
        Query(named(unheld, FLEET)),
        Query(f"{queries.date_number(REF)}\nand on (appid) ({unheld})", words.word("newest_date"), NUMBER),
        Query(
            f"(time() - {REF} - {DAY_SECONDS})\nand on (appid) ({unheld})", words.word("date_age"), SECONDS
        ),
    ]
    columns = {"name": words.word("app"), "appid": words.word("appid")}
    return listing(words, "waiting_table", asked, columns, words.word("date_age"), Size(24))


def _movers(words: Words) -> Iterator[bargauge.Panel]:
    for key, choose in (("risers", "topk"), ("fallers", "bottomk")):
        query = Query(f"{choose}(10, {_WEEK})", "{{name}}")
        yield bars_of(words, key, [query], SHARE, Size(12, 9), CHANGE)


def _sizes(words: Words) -> bargauge.Panel:
    visitors = newest("visit_uv", FLEET)
    classes = []
    for low, high in zip(_SIZES, (*_SIZES[1:], None), strict=True):
        below = "" if high is None else f" < {high}"
        classes.append(Query(counted(f"({visitors}) >= {low}{below}"), words.word(f"size_{low}")))
    return bars_of(words, "sizes", classes, COUNT, Size(12), PLAIN)


def _changes(words: Words) -> histogram.Panel:
    return spread(words, "changes", Query(f"100 * ({_WEEK})"), "percent", 10, Size(12))
