"""The HTML of the status page, made from plain data without server, clock or network."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from exporter import __version__
from exporter.datasets.daily_trend import FIELDS, figure_of
from exporter.datasets.quota import QUOTA
from exporter.discovery.platform_state import PlatformState
from exporter.shards import THE_WHOLE, Shard
from exporter.store.entry import Entry
from exporter.web.status import chart
from exporter.web.status.app_list import app_state, list_apps, state_of, tables
from exporter.web.status.columns import COLUMNS
from exporter.web.status.daily_figures import days_late, figures, written
from exporter.web.status.language import Language
from exporter.web.status.query import LONGEST_SEARCH, REFRESHES, SIZES, Query, State
from exporter.web.status.times import local_time, span
from exporter.web.status.totals import overview
from exporter.wechat.failures.advice import EMPTY, NOT_READY

_TEMPLATES: Final = Path(__file__).parent / "templates"
_FIELDS: Final = {field.name: field for field in FIELDS}


@dataclass(frozen=True, slots=True)
class StatusData:
    """The data of the page: all apps in the configuration's order; times are Unix times.

    `next_round_at` is None before the first round is over; `interval` is the time between rounds in
    seconds, `telemetry_path` where the metrics are, `storage_trouble` why the storage fails, if it does;
    `refused`: what was wrong with new configurations; `platforms`: third-party platforms; `datasets`: the
    names of those that are on beside the daily trend, quotas included.
    """

    entries: Sequence[Entry]
    now: float
    next_round_at: float | None
    interval: float
    telemetry_path: str
    shard: Shard = THE_WHOLE
    storage_trouble: str = ""
    refused: Sequence[str] = ()
    platforms: Sequence[PlatformState] = ()
    datasets: Sequence[str] = ()


class StatusHtml:
    """Renders the status page, from any thread."""

    def __init__(self) -> None:
        environment = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        environment.filters["number"] = "{:,}".format
        environment.globals |= {
            "version": __version__,
            "languages": tuple(Language),
            "states": tuple(State),
            "sizes": SIZES,
            "columns": COLUMNS,
            "refreshes": REFRESHES,
            "longest_search": LONGEST_SEARCH,
            "chart_width": chart.WIDTH,
            "chart_height": chart.HEIGHT,
            "not_ready": NOT_READY,
            "empty": EMPTY,
            "fields": _FIELDS,
            "quota": QUOTA,
            "state_of": state_of,
            "days_late": days_late,
            "figure_of": figure_of,
        }
        self._template = environment.get_template("status.html")

    def render(self, data: StatusData, query: Query, language: Language) -> str:
        """Return the whole page."""
        now, upcoming = data.now, data.next_round_at
        state = partial(app_state, datasets=data.datasets)
        listing = list_apps(data.entries, query, state)
        return self._template.render(
            language=language,
            t=language.text,
            time=partial(local_time, now=now, language=language),
            span=partial(span, language=language),
            figures=partial(figures, language=language),
            written=partial(written, language=language),
            chart=partial(
                chart.chart,
                field=_FIELDS[query.chart],
                days=chart.days_shown(listing.entries),
                language=language,
            ),
            query=query,
            data=data,
            next_round_at=upcoming if upcoming is not None and upcoming > now else None,  # else under way
            field_names={name: language.text(f"field.{name}") for name in _FIELDS},
            overview=overview(data.entries, state),
            app_state=state,
            tables=partial(tables, datasets=data.datasets),
            listing=listing,
        )
