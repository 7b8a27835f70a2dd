"""The entry of an app: its rows and its health."""

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
    """A row and the Unix time before its call.

    Of two rows for one date, the one from the later call is newer, however long its answer took.
    """

    row: Row
    asked_at: float

    def is_outdated_by(self, other: "HeldRow", now: float) -> bool:
        """Return whether another row of its date replaces it; it does if this one's time is in the future."""
        return self.asked_at <= other.asked_at or self.asked_at > now


@dataclass(frozen=True, slots=True)
class Health:
    """The result of the last refresh of an app's dataset; times are Unix times, None for never.

    `failure`: why the last refresh brought no row; None after a row. `failing_since`: when the present run of
    failures began; None while WeChat answers. `next_try`: when to ask, even between two rounds; None for the
    next round. `strikes`: refusals in a row, which lengthen the next pause. `fingerprint`: that of the
    refused credential, empty if it could not be read; None without a refusal.
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
        """Return the reason why the last refresh brought no row; None after a row."""
        return None if self.failure is None else self.failure.reason

    @property
    def errcode(self) -> int | None:
        """Return WeChat's code for the failure, if it gave one."""
        return None if self.failure is None else self.failure.errcode

    @property
    def detail(self) -> str:
        """Return the failure in WeChat's words, or in ours; empty without one."""
        return "" if self.failure is None else self.failure.detail

    @property
    def up(self) -> bool:
        """Return whether WeChat answered; "not ready yet" and "empty" are answers too."""
        return self.failure is None or self.failure.reason.is_state

    @property
    def resume_at(self) -> float | None:
        """Return the Unix time until which rounds skip the app; None if they do not."""
        pauses = self.failure is not None and self.failure.action.pauses
        return self.next_try.at if pauses and self.next_try is not None else None

    @property
    def ends_with_reload(self) -> bool:
        """Return whether a reload ends the failure's pause, as it does unless a quota is spent."""
        return self.fingerprint is not None or self.resume_at is None

    def paused(self, now: float) -> bool:
        """Return whether the app must not be asked yet."""
        return self.resume_at is not None and self.next_try is not None and not self.next_try.reached(now)

    def next_at(self, now: float, next_round_at: float | None) -> float | None:
        """Return the Unix time of the next call; None while the start of the next round is unknown."""
        if self.next_try is None or self.next_try.reached(now):
            return next_round_at
        if self.paused(now) or next_round_at is None:
            return self.next_try.at
        return min(self.next_try.at, next_round_at)

    def is_awaited(self, now: float) -> bool:
        """Return whether the app must be asked at once, before the next round."""
        return self.last_refresh is None if self.next_try is None else self.next_try.reached(now)


@dataclass(frozen=True, slots=True)
class EmptyDate:
    """A period without a row at WeChat, by its first date: the number of calls, the Unix time of the last."""

    day: date
    asks: int
    asked_at: float


@dataclass(frozen=True, slots=True)
class Table:
    """An app's rows of a dataset, newest first, with the dataset's health."""

    rows: tuple[HeldRow, ...] = ()
    health: Health = Health()
    empty_dates: tuple[EmptyDate, ...] = ()

    @property
    def tried(self) -> bool:
        """Return whether a call was made since the start, or a row was restored."""
        return self.health.last_refresh is not None or bool(self.rows)

    def held(self, period: Period) -> HeldRow | None:
        """Return the row of a period, if it is held."""
        return next((held for held in self.rows if held.row.period == period), None)


@dataclass(frozen=True, slots=True)
class HeldQuota:
    """Limit, used and left calls of an interface, and the Unix time before the call for them."""

    figures: tuple[int | float | None, ...]
    asked_at: float


_NO_TABLE: Final = Table()
_NO_TABLES: Final[Mapping[str, Table]] = MappingProxyType({})
_NO_QUOTAS: Final[Mapping[str, HeldQuota]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Entry:
    """An app on the page; `rows` are newest first, one per date.

    `rows`, `health` and `empty_dates` belong to the daily trend; `tables` has the other datasets by name;
    `quotas` has WeChat's counts of calls by path.
    """

    app: App
    token_kind: str
    rows: tuple[HeldRow, ...] = ()
    health: Health = Health()
    token_expires_at: float | None = None
    empty_dates: tuple[EmptyDate, ...] = ()
    tables: Mapping[str, Table] = field(default_factory=lambda: _NO_TABLES)
    quotas: Mapping[str, HeldQuota] = field(default_factory=lambda: _NO_QUOTAS)

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the datasets with a table, the daily trend first."""
        return DAILY_TREND.name, *self.tables

    def table(self, dataset: str) -> Table:
        """Return the table of a dataset, the daily trend included."""
        if dataset == DAILY_TREND.name:
            return Table(self.rows, self.health, self.empty_dates)
        return self.tables.get(dataset, _NO_TABLE)

    def with_table(self, dataset: str, table: Table) -> "Entry":
        """Return the entry with a dataset's table replaced."""
        if dataset == DAILY_TREND.name:
            return replace(self, rows=table.rows, health=table.health, empty_dates=table.empty_dates)
        return replace(self, tables={**self.tables, dataset: table})

    @property
    def tried(self) -> bool:
        """Return whether the app was asked for at least once, or its rows restored."""
        return self.health.last_refresh is not None or bool(self.rows)

    def row(self, day: date) -> Row | None:
        """Return the row of a date, if it is held."""
        return next((held.row for held in self.rows if held.row.ref_date == day), None)


def with_empty_date(
    empty_dates: tuple[EmptyDate, ...], day: date, now: float, keep_days: int
) -> tuple[EmptyDate, ...]:
    """Return the dates without a row after one more call for `day`, without those long past."""
    asks = 1 + next((each.asks for each in empty_dates if each.day == day), 0)
    others = (each for each in empty_dates if each.day != day and (day - each.day).days < keep_days)
    return (*others, EmptyDate(day, asks, now))


def with_row(rows: tuple[HeldRow, ...], new: HeldRow, keep_days: int, now: float) -> tuple[HeldRow, ...]:
    """Return the rows with a new one, unless a later call has its date's, and without rows that are too old.

    Age counts from the newest row, not from today, as a wrong clock must not drop rows.
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
    """Return a dataset's rows with a new one, unless a later call has its period's; keep the shown ones."""
    known = next((held for held in rows if held.row.period == new.row.period), None)
    if known is not None and not known.is_outdated_by(new, now):
        return rows
    asked_at = {held.row.period: held.asked_at for held in (*rows, new)}
    by_period = {held.row.period: held.row for held in (*rows, new)}
    ordered = [by_period[period] for period in sorted(by_period, reverse=True)]
    kept = enabled.dataset.selection.held(ordered, enabled.settings)
    return tuple(HeldRow(row, asked_at[row.period]) for row in kept)
