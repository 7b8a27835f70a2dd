"""The status page as HTML, made from plain data: no server, no clock, no network."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from exporter import __version__
from exporter.datasets.daily_trend import FIELDS
from exporter.discovery.state import PlatformState
from exporter.shards import THE_WHOLE, Shard
from exporter.store.entry import Entry
from exporter.web.status import chart
from exporter.web.status.figures import written
from exporter.web.status.language import Language
from exporter.web.status.moments import moment, spoken
from exporter.web.status.platforms import platform_view
from exporter.web.status.query import COLUMNS, LONGEST_SEARCH, REFRESHES, SIZES, Query, State
from exporter.web.status.selection import select
from exporter.web.status.totals import Overview, overview
from exporter.web.status.view import Moments, app_view
from exporter.wechat.failures.advice import EMPTY, NOT_READY

_TEMPLATES: Final = Path(__file__).parent / "templates"
_FIELDS: Final = {field.name: field for field in FIELDS}


@dataclass(frozen=True, slots=True)
class Situation:
    """What the page is about: all apps in the configuration's order; times are Unix times.

    `next_round_at` is None before the first round is over; `interval` is the time between rounds in
    seconds, `telemetry_path` where the metrics are, `storage_trouble` why the storage fails, if it does;
    `refused`: what was wrong with new configurations; `platforms`: third-party platforms.
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


@dataclass(frozen=True, slots=True)
class TotalView:
    """A sum at the top, as text."""

    field: str
    text: str
    apps: int


class StatusHtml:
    """Renders pages; may be used by several threads."""

    def __init__(self) -> None:
        environment = Environment(
            loader=FileSystemLoader(_TEMPLATES),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._template = environment.get_template("status.html")

    def render(self, situation: Situation, query: Query, language: Language) -> str:
        """The whole page."""
        times = _moments(situation)
        whole = overview(situation.entries)
        selection = select(situation.entries, query)
        days = chart.days_shown(selection.entries)
        charted = _FIELDS[query.chart]
        return self._template.render(
            language=language,
            languages=tuple(Language),
            t=language.text,
            version=__version__,
            query=query,
            states=tuple(State),
            sizes=SIZES,
            columns=COLUMNS,
            field_names={field.name: language.text(f"field.{field.name}") for field in FIELDS},
            longest_search=LONGEST_SEARCH,
            chart_width=chart.WIDTH,
            chart_height=chart.HEIGHT,
            metrics=f".{situation.telemetry_path}",
            as_of=moment(times.now, times.now, language),
            next_round=moment(times.next_round_at, times.now, language),
            interval=spoken(situation.interval, language),
            shard=situation.shard,
            storage_trouble=situation.storage_trouble,
            refused=situation.refused,
            platforms=[platform_view(each, situation.now, language) for each in situation.platforms],
            refreshes={seconds: spoken(seconds, language) for seconds in REFRESHES if seconds},
            overview=whole,
            totals=_totals(whole, language),
            selection=selection,
            apps=[app_view(entry, times, charted, days, language) for entry in selection.entries],
            advice_not_ready=language.advice(NOT_READY),
            advice_empty=language.advice(EMPTY),
        )


def _moments(situation: Situation) -> Moments:
    """A next round that should have begun is one under way."""
    upcoming = situation.next_round_at
    return Moments(situation.now, upcoming if upcoming is not None and upcoming > situation.now else None)


def _totals(whole: Overview, language: Language) -> tuple[TotalView, ...]:
    if whole.newest is None:
        return ()
    return tuple(
        TotalView(total.field, written(_FIELDS[total.field], total.value, language), total.apps)
        for total in whole.newest.totals
    )
