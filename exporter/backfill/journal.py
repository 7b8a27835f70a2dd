"""The journal: every answer of a backfill, kept beside its output so that no date is asked for twice.

A SQLite file of its own and not the exporter's storage: that one may be memory://, drops the rows that
leave its window, and a year's rows have no place in it. The file survives kill -9 at any moment, is
locked against a second backfill, and is read in order, so that writing needs no memory.
"""

import os
import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from exporter.backfill.span import Span
from exporter.trend import FIELDS, Row, yesterday

SCHEMA_VERSION: Final = 1
UNSETTLED_DAYS: Final = 3
"""An empty answer for a date so young may only mean "not yet": on another day it is asked again."""

_FIGURES: Final = ", ".join(field.name for field in FIELDS)
_SCHEMA: Final = f"""
CREATE TABLE answers (
  appid TEXT NOT NULL, ref_date TEXT NOT NULL, answered_at REAL NOT NULL, is_row INTEGER NOT NULL,
  {", ".join(f"{field.name} NUMERIC" for field in FIELDS)},
  PRIMARY KEY (appid, ref_date)
) WITHOUT ROWID;
CREATE TABLE pushed (
  target TEXT NOT NULL, appid TEXT NOT NULL, ref_date TEXT NOT NULL,
  PRIMARY KEY (target, appid, ref_date)
) WITHOUT ROWID;
PRAGMA user_version = {SCHEMA_VERSION};
"""
_KEEP: Final = (
    f"INSERT OR REPLACE INTO answers (appid, ref_date, answered_at, is_row, {_FIGURES}) "  # noqa: S608
    f"VALUES (?, ?, ?, ?{', ?' * len(FIELDS)})"
)
_WITHIN: Final = "appid = ? AND ref_date BETWEEN ? AND ?"
_COUNT_ROWS: Final = f"SELECT count(*) FROM answers WHERE {_WITHIN} AND is_row"  # noqa: S608
_EMPTY: Final = f"SELECT ref_date, answered_at FROM answers WHERE {_WITHIN} AND NOT is_row"  # noqa: S608
_LOCK_SECONDS: Final = 0.2  # who has the journal keeps it for minutes: no use waiting
_NO_FIGURES: Final = (None,) * len(FIELDS)


class JournalError(Exception):
    """The journal cannot be opened, read or written; the text tells what to do."""


@dataclass(frozen=True, slots=True)
class Count:
    """What is known of an app's dates: how many have a row, how many WeChat has none for."""

    rows: int
    empty: int


class Journal:
    """Safe to use from many threads; a context manager that closes itself."""

    def __init__(self, place: Path | str) -> None:
        """Open or create the file; the text "" stands for a journal that ends with the process.

        Raises:
            JournalError: it cannot be used, or another backfill uses it.
        """
        self._place = place
        self._lock = threading.RLock()
        with self._explained("open"):
            if place:
                os.close(os.open(place, os.O_RDWR | os.O_CREAT, 0o600))
            self._db = sqlite3.connect(
                place, timeout=_LOCK_SECONDS, check_same_thread=False, isolation_level=None
            )
            try:
                self._prepare()
            except BaseException:
                self._db.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the file and let another backfill have it."""
        with self._lock:
            self._db.close()

    def copy(self) -> "Journal":
        """A journal that begins with all that this one knows and leaves no trace."""
        other = Journal("")
        with self._explained("read"):
            self._db.backup(other._db)
        return other

    def keep(self, answers: Iterable[tuple[str, date, Row | None, float]]) -> None:
        """Keep what WeChat answered: appid, date, row (None: it has none) and Unix time; all or nothing."""
        records = (
            (appid, day.isoformat(), at, row is not None, *(_NO_FIGURES if row is None else row.values))
            for appid, day, row, at in answers
        )
        self._write(_KEEP, records)

    def knows(self, appid: str, day: date, now: float) -> bool:
        """Whether there is an answer that makes another call needless."""
        found = self._read(
            "SELECT is_row, answered_at FROM answers WHERE appid = ? AND ref_date = ?", appid, f"{day}"
        )
        return any(is_row or _is_settled(day, at, now) for is_row, at in found)

    def unknown(self, appid: str, span: Span, now: float) -> Iterator[date]:
        """The dates still to ask for, newest first; each is looked up when it is wanted."""
        return (day for day in span.newest_first() if not self.knows(appid, day, now))

    def count(self, appid: str, span: Span, now: float) -> Count:
        """How many of the dates have an answer."""
        where = (appid, f"{span.first}", f"{span.last}")
        ((rows,),) = self._read(_COUNT_ROWS, *where)
        empty = self._read(_EMPTY, *where)
        return Count(rows, sum(_is_settled(date.fromisoformat(day), at, now) for day, at in empty))

    def column(self, appid: str, span: Span, name: str) -> Iterator[tuple[date, float]]:
        """One figure of an app, oldest date first; dates that lack it are left out.

        `name` is a field's; "ref_date" gives every date that has a row, with 0.
        """
        wanted = "0" if name == "ref_date" else name
        found = self._stream(
            f"SELECT ref_date, {wanted} FROM answers WHERE {_WITHIN} AND is_row AND {wanted} NOT NULL "  # noqa: S608
            "ORDER BY ref_date",
            (appid, f"{span.first}", f"{span.last}"),
        )
        return ((date.fromisoformat(day), value) for day, value in found)

    def rows(self, appid: str, span: Span) -> Iterator[Row]:
        """An app's rows, oldest first."""
        found = self._stream(
            f"SELECT ref_date, {_FIGURES} FROM answers WHERE {_WITHIN} AND is_row ORDER BY ref_date",  # noqa: S608
            (appid, f"{span.first}", f"{span.last}"),
        )
        return (Row(date.fromisoformat(day), tuple(values)) for day, *values in found)

    def is_pushed(self, target: str, appid: str, day: date) -> bool:
        """Whether that target has taken that row."""
        return bool(
            self._read(
                "SELECT 1 FROM pushed WHERE target = ? AND appid = ? AND ref_date = ?",
                target,
                appid,
                f"{day}",
            )
        )

    def pushed(self, target: str, taken: Iterable[tuple[str, date]]) -> None:
        """Write down which rows a target has taken."""
        records = ((target, appid, f"{day}") for appid, day in taken)
        self._write("INSERT OR REPLACE INTO pushed VALUES (?, ?, ?)", records)

    def _prepare(self) -> None:
        self._db.execute("PRAGMA locking_mode = EXCLUSIVE")  # two backfills would ask for the same dates
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = NORMAL")  # kill -9 loses nothing, a power cut the last seconds
        self._db.execute("BEGIN IMMEDIATE")
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            raise JournalError(f"journal {self._place} was written by a newer version: upgrade the exporter")
        if version == 0:
            for statement in _SCHEMA.split(";"):
                self._db.execute(statement)
        self._db.execute("COMMIT")

    def _write(self, statement: str, records: Iterable[Sequence[object]]) -> None:
        with self._explained("write"), self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                self._db.executemany(statement, records)
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def _read(self, statement: str, *parameters: object) -> list[Any]:
        with self._explained("read"), self._lock:
            return self._db.execute(statement, parameters).fetchall()

    def _stream(self, statement: str, parameters: Sequence[object]) -> Iterator[Any]:
        with self._explained("read"):
            yield from self._db.execute(statement, parameters)

    @contextmanager
    def _explained(self, doing: str) -> Iterator[None]:
        try:
            yield
        except (OSError, sqlite3.Error) as error:
            if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
                raise JournalError(f"another backfill is using journal {self._place}") from error
            told = error.strerror if isinstance(error, OSError) else str(error)
            raise JournalError(
                f"cannot {doing} journal {self._place}: {told}. Check the path, its rights and the disk; a "
                "damaged journal can be moved away: its dates are asked for again"
            ) from error


def _is_settled(day: date, at: float, now: float) -> bool:
    """Whether WeChat's "nothing for that date" is its last word, as far as can be told today."""
    asked_on = yesterday(at)
    return yesterday(now) == asked_on or asked_on - day >= timedelta(days=UNSETTLED_DAYS)
