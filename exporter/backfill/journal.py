"""The journal: every answer of a backfill, kept beside its output so that no call is made twice.

It is a separate SQLite file, as the exporter's storage may be memory:// and drops rows that leave its
window. The file survives kill -9 at any moment, is locked against a second backfill, and is read in order,
so that writing the output needs little memory.
"""

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final, Self

from exporter.backfill.periods import Span
from exporter.beijing import midnight, yesterday
from exporter.datasets.body_parsing import MalformedRowError
from exporter.datasets.daily_retention import DAYS
from exporter.datasets.daily_trend import DAILY_TREND
from exporter.datasets.dataset import Dataset, Row
from exporter.store.database import NewerError, explanation, open_database, transaction
from exporter.store.row_coding import read_row, row_text

UNSETTLED_DAYS: Final = 3
"""Age below which an empty answer may only mean "not yet": another day's run asks again."""

_MIGRATIONS: Final = (
    """
CREATE TABLE answers (
  appid TEXT NOT NULL, ref_date TEXT NOT NULL, answered_at REAL NOT NULL, is_row INTEGER NOT NULL,
  session_cnt NUMERIC, visit_pv NUMERIC, visit_uv NUMERIC, visit_uv_new NUMERIC, stay_time_uv NUMERIC,
  stay_time_session NUMERIC, visit_depth NUMERIC,
  PRIMARY KEY (appid, ref_date)
) WITHOUT ROWID;
CREATE TABLE pushed (
  target TEXT NOT NULL, appid TEXT NOT NULL, ref_date TEXT NOT NULL,
  PRIMARY KEY (target, appid, ref_date)
) WITHOUT ROWID
""",
    """
ALTER TABLE answers RENAME TO answers_1;
ALTER TABLE pushed RENAME TO pushed_1;
CREATE TABLE answers (
  server TEXT NOT NULL, appid TEXT NOT NULL, dataset TEXT NOT NULL, first TEXT NOT NULL,
  asked_at REAL NOT NULL, points TEXT,
  PRIMARY KEY (server, appid, dataset, first)
) WITHOUT ROWID;
CREATE TABLE pushed (
  server TEXT NOT NULL, target TEXT NOT NULL, appid TEXT NOT NULL, dataset TEXT NOT NULL, first TEXT NOT NULL,
  PRIMARY KEY (server, target, appid, dataset, first)
) WITHOUT ROWID;
INSERT INTO answers SELECT '', appid, 'daily_trend', ref_date, answered_at,
  CASE WHEN is_row THEN points_text(
    'session_cnt', session_cnt, 'visit_pv', visit_pv, 'visit_uv', visit_uv, 'visit_uv_new', visit_uv_new,
    'stay_time_uv', stay_time_uv, 'stay_time_session', stay_time_session, 'visit_depth', visit_depth) END
  FROM answers_1;
INSERT INTO pushed SELECT '', target, appid, 'daily_trend', ref_date FROM pushed_1;
DROP TABLE answers_1;
DROP TABLE pushed_1
""",
)
"""Each leads to the next version. Released ones never change with the list of figures."""

_OF_APP: Final = "server = ? AND appid = ? AND dataset = ?"
_FIND: Final = f"SELECT asked_at, points FROM answers WHERE {_OF_APP} AND first = ?"  # noqa: S608 - our own words
_WITHIN: Final = f"{_OF_APP} AND first BETWEEN ? AND ?"
_COUNT_ROWS: Final = f"SELECT count(*) FROM answers WHERE {_WITHIN} AND points NOT NULL"  # noqa: S608
_EMPTY: Final = f"SELECT first, asked_at FROM answers WHERE {_WITHIN} AND points ISNULL"  # noqa: S608
_ASKED: Final = f"SELECT first, asked_at FROM answers WHERE {_WITHIN} AND points NOT NULL"  # noqa: S608
_ROWS: Final = f"SELECT first, points FROM answers WHERE {_WITHIN} AND points NOT NULL ORDER BY first"  # noqa: S608
_SETTINGS: Final = (
    "locking_mode = EXCLUSIVE",  # a second backfill would ask for the same dates
    "synchronous = NORMAL",  # kill -9 loses nothing, a power cut loses the last seconds
)
_LOCK_SECONDS: Final = 0.2  # the holder keeps it for minutes: do not wait


class JournalError(Exception):
    """The journal cannot be opened, read or written; the text says what to do."""


@dataclass(frozen=True, slots=True)
class DateCounts:
    """The dates of an app that have a row, and those for which WeChat has none."""

    rows: int
    empty: int


class Journal:
    """The open journal; safe to use from many threads, and a context manager that closes it."""

    def __init__(self, place: Path | str, server: str = "", dataset: Dataset = DAILY_TREND) -> None:
        """Open or create the file; "" opens a temporary journal.

        Answers are kept by `server` and dataset; those of an old file, without a server, count as this one's.

        Raises:
            JournalError: the file cannot be used, or another backfill uses it.
        """
        self._place = place
        self.server = server
        self.dataset = dataset
        self._lock = threading.RLock()
        with self._explained("open"):
            self._db = self._opened()
        for table in ("answers", "pushed"):
            self._write(f"UPDATE {table} SET server = ? WHERE server = ''", [(server,)])  # noqa: S608

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file and release its lock."""
        with self._lock:
            self._db.close()

    def copy(self) -> "Journal":
        """Return a temporary copy of the journal."""
        other = Journal("", self.server, self.dataset)
        with self._explained("read"):
            self._db.backup(other._db)
        return other

    def keep(self, answers: Iterable[tuple[str, date, Row | None, float]]) -> None:
        """Keep answers in one transaction: appid, first day, row (None: no row), Unix time of the call."""
        records = (
            (*self._app(appid), f"{day}", at, None if row is None else row_text(row, self.dataset))
            for appid, day, row, at in answers
        )
        self._write("INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?, ?, ?)", records)

    def knows(self, appid: str, day: date, now: float) -> bool:
        """Return whether an answer makes another call needless; a damaged one does not."""
        for at, points in self._read(_FIND, *self._app(appid), f"{day}"):
            if points is not None:
                return self._row(f"{day}", points) is not None and not self._grows(day, at, now)
            return self._is_settled(day, at, now)
        return False

    def unknown(self, appid: str, span: Span, now: float) -> Iterator[date]:
        """Yield the first days of periods still to ask for, newest first, each looked up on demand."""
        return (day for day in span.newest_first() if not self.knows(appid, day, now))

    def count(self, appid: str, span: Span, now: float) -> DateCounts:
        """Count the dates that have an answer."""
        where = (*self._app(appid), f"{span.first}", f"{span.last}")
        ((rows,),) = self._read(_COUNT_ROWS, *where)
        if self.dataset.schedule.keyed:
            old = ((date.fromisoformat(day), at) for day, at in self._read(_ASKED, *where))
            rows -= sum(self._grows(day, at, now) for day, at in old)
        empty = self._read(_EMPTY, *where)
        return DateCounts(rows, sum(self._is_settled(date.fromisoformat(day), at, now) for day, at in empty))

    def rows(self, appid: str, span: Span) -> Iterator[Row]:
        """Yield an app's rows, oldest first, without damaged ones."""
        found = self._stream(_ROWS, (*self._app(appid), f"{span.first}", f"{span.last}"))
        return (row for first, points in found if (row := self._row(first, points)) is not None)

    def is_pushed(self, target: str, appid: str, day: date) -> bool:
        """Return whether a target has taken the row of a date."""
        where = f"SELECT 1 FROM pushed WHERE {_OF_APP} AND first = ? AND target = ?"  # noqa: S608
        return bool(self._read(where, *self._app(appid), f"{day}", target))

    def pushed(self, target: str, taken: Iterable[tuple[str, date]]) -> None:
        """Record the rows that a target has taken, as appid and first day."""
        records = ((self.server, target, appid, self.dataset.name, f"{day}") for appid, day in taken)
        self._write("INSERT OR REPLACE INTO pushed VALUES (?, ?, ?, ?, ?)", records)

    def _app(self, appid: str) -> tuple[str, str, str]:
        return self.server, appid, self.dataset.name

    def _row(self, first: str, points: str) -> Row | None:
        """Parse a stored row; return None for a damaged text."""
        with suppress(MalformedRowError):
            return read_row(first, points, self.dataset)
        return None

    def _is_settled(self, day: date, at: float, now: float) -> bool:
        """Return whether WeChat's "no row for that period" is final, as far as is known today."""
        asked_on = yesterday(at)
        over = self.dataset.calendar.starting(day).last
        return yesterday(now) == asked_on or asked_on - over >= timedelta(days=UNSETTLED_DAYS)

    def _grows(self, day: date, at: float, now: float) -> bool:
        """Return whether a cohort has got another due day since the call."""
        return self.dataset.schedule.keyed and any(
            at < midnight(day + timedelta(days=key + 1)) <= now for key in DAYS
        )

    def _opened(self) -> sqlite3.Connection:
        try:
            return open_database(self._place, _MIGRATIONS, busy_seconds=_LOCK_SECONDS, settings=_SETTINGS)
        except NewerError:
            problem = f"journal {self._place} was written by a newer version: upgrade the exporter"
            raise JournalError(problem) from None

    def _write(self, statement: str, records: Iterable[Sequence[object]]) -> None:
        with self._explained("write"), self._lock, transaction(self._db):
            self._db.executemany(statement, records)

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
            raise JournalError(
                f"cannot {doing} journal {self._place}: {explanation(error)}. Check the path, its rights and "
                "the disk; a damaged journal can be moved away: its dates are asked for again"
            ) from error
