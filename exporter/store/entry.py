"""What is known of one app: the rows held and how its last refresh went."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from types import MappingProxyType
from typing import Final

from exporter.config.apps import App
from exporter.datasets.daily_trend import DAILY_TREND
from exporter.datasets.dataset import Row
from exporter.datasets.enabled import EnabledDataset
from exporter.datasets.period import Period
from exporter.not_before import NotBefore
from exporter.wechat.failures.failure import Failure, Reason


@dataclass(frozen=True, slots=True)
class HeldRow:
    """A row and when WeChat was asked for it (Unix time before the call was sent).

    Of two for one date the one asked for later is the newer, however long its answer took.
    """

    row: Row
    asked_at: float

    def is_outdated_by(self, other: "HeldRow", now: float) -> bool:
        """Whether another row of its date takes its place; one of the future, of a wrong clock, gives way."""
        return self.asked_at <= other.asked_at or self.asked_at > now


@dataclass(frozen=True, slots=True)
class Health:
    """How the last refresh of an app went; times are Unix times, None: never.

    `failure`: why the last refresh brought no row, None after one came. `failing_since`: when the present
    run of failures began; None while WeChat answers. `next_try`: asked then, also between two rounds; None:
    in the next round. `strikes`: refusals in a row, which make the next pause longer. `fingerprint`: of the
    credential that was refused, empty where it could not be read, None where nothing was refused.
    """

    last_refresh: float | None = None
    last_success: float | None = None
    failure: Failure | None = None
    failing_since: float | None = None
    next_try: NotBefore | None = None
    strikes: int = 0
    fingerprint: bytes | None = None

    @property
    def reason(self) -> Reason | None:
        """Why the last refresh brought no row; None after one came."""
        return None if self.failure is None else self.failure.reason

    @property
    def errcode(self) -> int | None:
        """WeChat's code for that, if it gave one."""
        return None if self.failure is None else self.failure.errcode

    @property
    def detail(self) -> str:
        """That in WeChat's words, or ours."""
        return "" if self.failure is None else self.failure.detail

    @property
    def up(self) -> bool:
        """WeChat answered; "not ready yet" and "empty" are answers too."""
        return self.failure is None or self.failure.reason.is_state

    @property
    def resume_at(self) -> float | None:
        """Until when rounds leave the app out (Unix time); None: not at all."""
        pauses = self.failure is not None and self.failure.action.pauses
        return self.next_try.at if pauses and self.next_try is not None else None

    @property
    def ends_with_reload(self) -> bool:
        """Whether a reload has the app asked again; a spent quota comes back with time alone."""
        return self.fingerprint is not None or self.resume_at is None

    def paused(self, now: float) -> bool:
        """Whether the app must not be asked yet."""
        return self.resume_at is not None and self.next_try is not None and not self.next_try.reached(now)

    def next_at(self, now: float, next_round_at: float | None) -> float | None:
        """When the app is asked next (Unix time); None while nobody knows when the next round begins."""
        if self.next_try is None or self.next_try.reached(now):
            return next_round_at
        if self.paused(now) or next_round_at is None:
            return self.next_try.at
        return min(self.next_try.at, next_round_at)

    def is_awaited(self, now: float) -> bool:
        """Whether the app is to be asked at once, not with the next round."""
        return self.last_refresh is None if self.next_try is None else self.next_try.reached(now)


@dataclass(frozen=True, slots=True)
class EmptyDate:
    """A date (a period's first) for which WeChat had no row: asked how often, and when last (Unix time)."""

    day: date
    asks: int
    asked_at: float


@dataclass(frozen=True, slots=True)
class Table:
    """What is held of one dataset of an app, rows newest first, and how asking for it goes."""

    rows: tuple[HeldRow, ...] = ()
    health: Health = Health()
    vacant: tuple[EmptyDate, ...] = ()

    @property
    def tried(self) -> bool:
        """Whether WeChat has answered: to a call since the start, or to one whose row was restored."""
        return self.health.last_refresh is not None or bool(self.rows)

    def held(self, period: Period) -> HeldRow | None:
        """The row of that period, if it is held."""
        return next((held for held in self.rows if held.row.period == period), None)


@dataclass(frozen=True, slots=True)
class HeldQuota:
    """Limit, used and left calls of an interface, and when they were asked for (Unix time)."""

    figures: tuple[int | float | None, ...]
    asked_at: float


_NO_TABLE: Final = Table()
_NO_TABLES: Final[Mapping[str, Table]] = MappingProxyType({})
_NO_QUOTAS: Final[Mapping[str, HeldQuota]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Entry:
    """One app on show; `rows` are newest first and never two of one date.

    `rows`, `health` and `vacant` are the daily trend's, `tables` has those of the other datasets by name,
    `quotas` what WeChat has counted of calls, by path.
    """

    app: App
    token_kind: str
    rows: tuple[HeldRow, ...] = ()
    health: Health = Health()
    token_expires_at: float | None = None
    vacant: tuple[EmptyDate, ...] = ()
    tables: Mapping[str, Table] = field(default_factory=lambda: _NO_TABLES)
    quotas: Mapping[str, HeldQuota] = field(default_factory=lambda: _NO_QUOTAS)

    @property
    def names(self) -> tuple[str, ...]:
        """The datasets of which there are tables, the daily trend first."""
        return DAILY_TREND.name, *self.tables

    def table(self, dataset: str) -> Table:
        """What is held of a dataset, the daily trend included."""
        if dataset == DAILY_TREND.name:
            return Table(self.rows, self.health, self.vacant)
        return self.tables.get(dataset, _NO_TABLE)

    def with_table(self, dataset: str, table: Table) -> "Entry":
        """The entry with another table of that dataset."""
        if dataset == DAILY_TREND.name:
            return replace(self, rows=table.rows, health=table.health, vacant=table.vacant)
        return replace(self, tables={**self.tables, dataset: table})

    @property
    def tried(self) -> bool:
        """Whether there is something to show: asked at least once, or restored."""
        return self.health.last_refresh is not None or bool(self.rows)

    def row(self, day: date) -> Row | None:
        """The row of that date, if it is held."""
        return next((held.row for held in self.rows if held.row.ref_date == day), None)


def with_vacant(
    vacant: tuple[EmptyDate, ...], day: date, now: float, keep_days: int
) -> tuple[EmptyDate, ...]:
    """The dates without a row with one more ask of `day`; those long past are forgotten."""
    asks = 1 + next((each.asks for each in vacant if each.day == day), 0)
    others = (each for each in vacant if each.day != day and (day - each.day).days < keep_days)
    return (*others, EmptyDate(day, asks, now))


def with_row(rows: tuple[HeldRow, ...], new: HeldRow, keep_days: int, now: float) -> tuple[HeldRow, ...]:
    """The rows with one more, unless its date's was asked for later; without those too old beside the newest.

    Age counts from the newest row, not from today: a clock set wrong must not make rows vanish.
    """
    others = [held for held in rows if held.row.ref_date != new.row.ref_date]
    if any(held.row.ref_date == new.row.ref_date and not held.is_outdated_by(new, now) for held in rows):
        return rows
    ordered = sorted((*others, new), key=lambda held: held.row.ref_date, reverse=True)
    newest = ordered[0].row.ref_date
    return tuple(held for held in ordered if (newest - held.row.ref_date).days < keep_days)


def with_period(
    rows: tuple[HeldRow, ...], new: HeldRow, enabled: EnabledDataset, now: float
) -> tuple[HeldRow, ...]:
    """The rows of a dataset with one more, unless its period's was asked for later; as many as it shows."""
    known = next((held for held in rows if held.row.period == new.row.period), None)
    if known is not None and not known.is_outdated_by(new, now):
        return rows
    asked_at = {held.row.period: held.asked_at for held in (*rows, new)}
    by_period = {held.row.period: held.row for held in (*rows, new)}
    ordered = [by_period[period] for period in sorted(by_period, reverse=True)]
    kept = enabled.dataset.selection.held(ordered, enabled.settings)
    return tuple(HeldRow(row, asked_at[row.period]) for row in kept)
