"""One app's row on the status page: everything about it in the words that the page prints."""

from dataclasses import dataclass
from typing import Final

from exporter.beijing import yesterday
from exporter.datasets.field import Field
from exporter.store.entry import Entry, Health
from exporter.web.status.chart import Chart, chart
from exporter.web.status.figures import DASH, Figure, figures
from exporter.web.status.language import TEXTS, Language
from exporter.web.status.moments import Moment, moment
from exporter.web.status.query import State
from exporter.web.status.selection import state_of
from exporter.wechat.failures.failure import Reason

PUBLISHED_BY: Final = 12 * 3600.0
"""Seconds of a day after which yesterday's figures are late: WeChat has them in the morning."""


@dataclass(frozen=True, slots=True)
class Moments:
    """When the page is made, and when the next round begins (Unix times); None: one is under way."""

    now: float
    next_round_at: float | None


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why and since when it fails, what WeChat said, what to do, and until when the app is left alone."""

    reason: str
    detail: str
    advice: str
    since: Moment | None
    last_figures: str = ""
    paused_until: Moment | None = None
    at_once: str = ""


@dataclass(frozen=True, slots=True)
class AppView:
    """One app as the table shows it."""

    name: str
    appid: str
    labels: tuple[tuple[str, str], ...]
    state: State
    state_text: str
    note: str
    trouble: Trouble | None
    held: bool
    newest: str
    days_late: int
    late_text: str
    figures: tuple[Figure, ...]
    chart: Chart | None
    last_refresh: Moment | None
    next_refresh: Moment | None
    token: str
    token_expiry: Moment | None


def app_view(entry: Entry, times: Moments, charted: Field, days: int, language: Language) -> AppView:
    """The row of an app.

    Args:
        entry: what is known of it.
        times: now, and the next round.
        charted: the figure of the chart.
        days: the dates that the chart spans.
        language: of the texts.
    """
    health = entry.health
    state = state_of(entry)
    expected = yesterday(times.now - PUBLISHED_BY)
    late = (expected - entry.rows[0].row.ref_date).days if entry.rows else 0
    return AppView(
        name=entry.app.name,
        appid=entry.app.appid,
        labels=entry.app.labels,
        state=state,
        state_text=language.text(f"state.{state}"),
        note=language.text(f"reason.{health.reason}") if health.reason is Reason.EMPTY else "",
        trouble=_trouble(entry, times, language),
        held=bool(entry.rows),
        newest=f"{entry.rows[0].row.ref_date}" if entry.rows else DASH,
        days_late=max(late, 0),
        late_text=_late(late, language),
        figures=figures(entry, language),
        chart=chart(entry, charted, days, language),
        last_refresh=moment(health.last_refresh, times.now, language),
        next_refresh=_next(health, times, language),
        token=_token(entry.token_kind, language),
        token_expiry=moment(entry.token_expires_at, times.now, language),
    )


def _trouble(entry: Entry, times: Moments, language: Language) -> Trouble | None:
    health = entry.health
    if health.failure is None or health.up:
        return None
    return Trouble(
        reason=language.text(f"reason.{health.reason}"),
        detail=health.detail,
        advice=language.advice(health.failure.advice),
        since=moment(health.failing_since, times.now, language),
        last_figures=_last_figures(entry, times, language),
        paused_until=moment(_paused_until(health, times), times.now, language),
        at_once=language.text("at_once") if health.ends_with_reload else "",
    )


def _last_figures(entry: Entry, times: Moments, language: Language) -> str:
    at = moment(entry.health.last_success, times.now, language)
    if at is not None:
        return language.text("last_success", when=at.short)
    return "" if entry.rows else language.text("never_success")


def _late(days: int, language: Language) -> str:
    if days <= 0:
        return ""
    return language.text("days_late_1") if days == 1 else language.text("days_late", days=f"{days:,}")


def _paused_until(health: Health, times: Moments) -> float | None:
    return health.resume_at if health.paused(times.now) else None


def _next(health: Health, times: Moments, language: Language) -> Moment | None:
    return moment(health.next_at(times.now, times.next_round_at), times.now, language)


def _token(kind: str, language: Language) -> str:
    key = f"token.{kind}"
    return language.text(key) if key in TEXTS else kind
