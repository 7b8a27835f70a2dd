"""The Retention dashboard: how many of a day's visitors come back on the n-th day after it."""

from collections.abc import Iterator
from typing import Final

from grafana_foundation_sdk.builders import bargauge, stat, table, timeseries
from grafana_foundation_sdk.models.dashboard import Dashboard

from exporter.datasets.daily_retention import DAYS
from grafana.charts import dated_lines
from grafana.dashboard import APP, chosen_apps, link_to_app, new_dashboard, numbered, section
from grafana.datasets import app_columns, datasets_on, per_app_section, ratio
from grafana.figures import bars_of, figure
from grafana.overrides import override
from grafana.panels import COUNT, SHARE, Size, needing
from grafana.queries import AT_END, CHOSEN, FLEET, chosen
from grafana.tables import listing
from grafana.targets import Query
from grafana.texts import Words
from prometheus.cohorts import total_per_date
from prometheus.datasets import newest_row, retention, row_per_date, sum_per_date

KINDS: Final = (("visit_uv_new", "new"), ("visit_uv", "active"))
"""Whose return is counted: the figure's name, and the word for it."""
LINES: Final = (1, 7, 30)
"""The days that every product asks for, and the default of `daily_retention.days`."""
_DATASET: Final = retention().dataset
_HALF: Final = Size(12)
_ALL, _FILTERED = 'unfiltered=~"$value"', 'unfiltered!~"$value"'
"""Matches everything, or nothing: no series has such a label, and `$value` is `.*` while no filter is set.

Prometheus reads no more than the one that matches; for VictoriaMetrics, which takes the latter for everything
too, the totals come first.
"""


def retention_board(words: Words) -> Dashboard:
    """Make the dashboard in the language of the words; two months, so that day 30 has a line."""
    board = new_dashboard("retention", words, "now-60d", chosen_apps(words))
    fleet = [*_fleet(words), datasets_on(words, [retention()], 4), *_fleet_lines(words), _table(words)]
    section(board, words.word("all_apps"), fleet)
    per_app_section(board, [*_lines(words), *_curves(words)])
    return numbered(board)


def _names(figure_name: str) -> tuple[str, str]:
    return f"retain_{figure_name}", f"retain_cohort_{figure_name}"


def _back(figure_name: str, day: int, where: str) -> tuple[str, str]:
    """Return, for the newest cohort that has the day, those who came back and the cohort."""
    back, cohort = (newest_row(retention(day), name, where) for name in _names(figure_name))
    return back, cohort


def _back_per_date(figure_name: str, day: int, where: str) -> tuple[str, str]:
    """Return, per cohort's date, those who came back and the cohort; day n comes n days late."""
    back, cohort = (
        row_per_date(retention(day), name, where, AT_END, later=day) for name in _names(figure_name)
    )
    return back, cohort


def _fleet(words: Words) -> Iterator[stat.Panel]:
    for name, kind in KINDS:
        asked = []
        for day in LINES:
            back, cohort = _back(name, day, FLEET)
            asked.append(Query(f"sum({chosen(back)})\n/\nsum({chosen(cohort)})", f"D{day}", SHARE))
        yield needing(figure(words, f"all_{kind}", asked, SHARE, width=10), words, _DATASET).decimals(1)


def _fleet_lines(words: Words) -> Iterator[timeseries.Panel]:
    """Draw lines of recorded totals or, if a filter is set, of the apps' sums."""
    apps = f"{CHOSEN} {AT_END}"
    for name, kind in KINDS:
        asked = []
        for day in LINES:
            totals = (total_per_date(each, day, f"{FLEET}, {_ALL}", AT_END) for each in _names(name))
            sums = (
                sum_per_date(retention(day), each, f"{FLEET}, {_FILTERED}", apps, AT_END, later=day)
                for each in _names(name)
            )
            asked.append(Query(f"{_quotient(*totals)}\nor\n{_quotient(*sums)}", f"D{day}"))
        panel = dated_lines(words, f"all_dated_{kind}", asked, SHARE, _HALF).min(0)
        yield needing(panel, words, _DATASET).no_value(words.word("needs_rules").format(_DATASET))


def _quotient(back: str, cohort: str) -> str:
    return f"(\n{back}\n)\n/\n(\n{cohort}\n)"


def _table(words: Words) -> table.Panel:
    asked = []
    for name, kind in KINDS:
        for day in LINES:
            heading = f"{words.word(f'{kind}_back')} D{day}"
            back, cohort = _back(name, day, FLEET)
            asked.append(Query(chosen(_by_app(ratio(back, cohort))), heading, SHARE))
    _, cohort = _back("visit_uv_new", LINES[0], FLEET)
    asked.append(Query(chosen(_by_app(cohort)), words.word("cohort"), COUNT))
    columns = app_columns(words)
    panel = listing(words, "retention_table", asked, columns, words.word("cohort"), Size(24, 10))
    panel.override_by_name(words.word("app"), [override("links", [link_to_app(words)])])
    return needing(panel, words, _DATASET)


def _by_app(expr: str) -> str:
    """Drop the label `day`, as a table's columns would not merge on it."""
    return f"max by (appid, name) ({expr})"


def _lines(words: Words) -> Iterator[timeseries.Panel]:
    for name, kind in KINDS:
        asked = []
        for day in LINES:
            back, cohort = _back_per_date(name, day, APP)
            asked.append(Query(ratio(back, cohort), f"D{day}"))
        panel = dated_lines(words, f"dated_back_{kind}", asked, SHARE, _HALF).min(0)
        yield needing(panel, words, _DATASET)


def _curves(words: Words) -> Iterator[bargauge.Panel]:
    for name, kind in KINDS:
        asked = [Query(ratio(*_back(name, day, APP)), f"D{day}") for day in DAYS]
        yield needing(bars_of(words, f"curve_{kind}", asked, SHARE, _HALF), words, _DATASET).max(1)
