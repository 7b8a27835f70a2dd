"""The storage `sqlite://`: a file, readable by its owner alone, that survives kill -9 at any moment."""

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Final

from exporter.datasets.daily_trend import DAILY_TREND
from exporter.datasets.dataset import Dataset
from exporter.store.database import NewerError, explanation, open_database, transaction
from exporter.store.encryption import Seal
from exporter.store.file_lock import FileLock
from exporter.store.interface import NewRows, ResealResult, StoredRows, StoreError, WriteObserver
from exporter.store.row_coding import RowReader, Unusable, row_text
from exporter.store.stored_refusals import Refusal, read_refusal, refusal_text

_KEEP_SECONDS: Final = 90 * 86_400
"""Age of an app's last answer after which its rows are deleted."""

MIGRATIONS: Final = (
    """
CREATE TABLE rows (
  appid TEXT NOT NULL, ref_date TEXT NOT NULL, fetched_at REAL NOT NULL,
  session_cnt NUMERIC, visit_pv NUMERIC, visit_uv NUMERIC, visit_uv_new NUMERIC, stay_time_uv NUMERIC,
  stay_time_session NUMERIC, visit_depth NUMERIC,
  PRIMARY KEY (appid, ref_date)
) WITHOUT ROWID
""",
    """
CREATE TABLE credentials (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID
""",
    """
ALTER TABLE rows RENAME TO rows_2;
CREATE TABLE rows (
  server TEXT NOT NULL, appid TEXT NOT NULL, dataset TEXT NOT NULL, first TEXT NOT NULL,
  asked_at REAL NOT NULL, points TEXT NOT NULL,
  PRIMARY KEY (server, appid, dataset, first)
) WITHOUT ROWID;
INSERT INTO rows SELECT '', appid, 'daily_trend', ref_date, fetched_at, points_text(
    'session_cnt', session_cnt, 'visit_pv', visit_pv, 'visit_uv', visit_uv, 'visit_uv_new', visit_uv_new,
    'stay_time_uv', stay_time_uv, 'stay_time_session', stay_time_session, 'visit_depth', visit_depth)
  FROM rows_2;
DROP TABLE rows_2;
CREATE TABLE refusals (
  server TEXT NOT NULL, appid TEXT NOT NULL, refusal TEXT NOT NULL,
  PRIMARY KEY (server, appid)
) WITHOUT ROWID
""",
)
"""Each leads to the next version. Released ones never change with the list of figures.

Rows of the first two versions have no server until the first `load`.
"""

_LOAD: Final = """
SELECT first, asked_at, points FROM rows WHERE server = ? AND appid = ? AND dataset = ? ORDER BY first DESC
"""
_SAVE: Final = """
INSERT INTO rows (server, appid, dataset, first, asked_at, points) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
ON CONFLICT DO UPDATE SET asked_at = ?5, points = ?6 WHERE asked_at <= ?5 OR asked_at > ?7
"""
_PRUNE: Final = """
DELETE FROM rows WHERE server = ?1 AND appid = ?2 AND dataset = ?3 AND first <= ?4
"""
_LIFT: Final = "DELETE FROM refusals WHERE server = ? AND appid = ?"
_FORGET: Final = """
WITH gone AS (SELECT server, appid FROM rows GROUP BY server, appid HAVING max(asked_at) <
  (SELECT max(asked_at) FROM rows WHERE asked_at <= ?1) - ?2)
DELETE FROM rows WHERE (server, appid) IN gone
"""  # relative to the last answer of any app, as the clock may be wrong


class SqliteStore:
    """Keeps rows, refusals and credentials in a SQLite file in WAL mode."""

    leases = None

    def __init__(
        self,
        path: Path,
        observer: WriteObserver = lambda _: None,
        seal: Seal | None = None,
        unusable: Unusable = lambda *_: None,
        claim: FileLock | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Open or create the file, and raise StoreError, which says what to do, if that fails.

        `seal` encrypts credentials, `claim` is released when the store is closed.
        """
        self._path = path
        self._observer = observer
        self._seal = seal or Seal()
        self._unusable = unusable
        self._claim = claim
        self._clock = clock
        self._lock = threading.Lock()
        with self._explained("open"):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            if path.exists() and path.stat().st_uid == os.geteuid():  # the file's owner may allow our group
                path.chmod(0o600)
            self._db = self._opened()

    def load(self, server: str, appids: Collection[str], dataset: Dataset = DAILY_TREND) -> StoredRows:
        """Yield the apps' stored rows, newest first; rows without a server become this server's."""
        with self._explained("read"), self._transaction():
            self._db.execute("UPDATE OR REPLACE rows SET server = ? WHERE server = ''", (server,))
            self._db.execute(_FORGET, (self._clock(), _KEEP_SECONDS))
        reader = RowReader(self._unusable, self._clock(), dataset)
        for appid in appids:
            with self._explained("read"), self._lock:
                records = self._db.execute(_LOAD, (server, appid, dataset.name)).fetchall()
            if rows := reader.read(appid, records):
                yield appid, rows
        reader.report()

    def save(self, server: str, rows: NewRows, keep_days: int, dataset: Dataset = DAILY_TREND) -> None:
        """Store all in one transaction."""
        now, name = self._clock(), dataset.name
        newest: dict[str, date] = {}
        records = []
        for appid, held in rows:
            day = held.row.ref_date
            newest[appid] = max(day, newest.get(appid, day))
            records.append((server, appid, name, f"{day}", held.asked_at, row_text(held.row, dataset), now))
        old = [(server, appid, name, f"{day - timedelta(keep_days)}") for appid, day in newest.items()]
        with self._explained("write"), self._transaction():
            self._db.executemany(_SAVE, records)
            self._db.executemany(_PRUNE, old)

    def refusals(self, server: str, keys: Collection[str]) -> Mapping[str, Refusal]:
        """Return those of the refusals that still hold; delete all that are over from the file."""
        with self._explained("read"), self._transaction():
            read = {
                (of, key): read_refusal(text, self._clock())
                for of, key, text in self._db.execute("SELECT server, appid, refusal FROM refusals")
            }
            self._db.executemany(_LIFT, [place for place, refusal in read.items() if refusal is None])
        found = ((key, read.get((server, key))) for key in keys)
        return {key: refusal for key, refusal in found if refusal is not None}

    def save_refusals(self, server: str, refusals: Mapping[str, Refusal | None]) -> None:
        """Store all in one transaction."""
        with self._explained("write"), self._transaction():
            self._db.executemany(_LIFT, ((server, key) for key in refusals))
            self._db.executemany(
                "INSERT INTO refusals (server, appid, refusal) VALUES (?, ?, ?)",
                (
                    (server, key, refusal_text(refusal))
                    for key, refusal in refusals.items()
                    if refusal is not None and not refusal.of_this_machine
                ),
            )

    def emptied(self) -> bool:
        """Return False: nobody else writes the file."""
        return False

    def credential(self, key: str) -> str | None:
        """Return the text under a key; None without one."""
        with self._explained("read"), self._lock:
            kept = self._kept(key)
        return None if kept is None else self._seal.open(kept)

    def put(self, key: str, expected: str | None, new: str) -> bool:
        """Replace `expected` by `new` on the disk; return False if another text is stored."""
        with self._explained("write"), self._transaction():
            kept = self._kept(key)
            if (None if kept is None else self._seal.open(kept)) not in (expected, new):
                return False
            self._db.execute(
                "INSERT OR REPLACE INTO credentials (key, value) VALUES (?, ?)", (key, self._seal.close(new))
            )
            return True

    def reseal(self) -> ResealResult:
        """Encrypt all credentials with the newest key."""
        return self._seal.reseal(self._credentials(), lambda key, _, text: self.put(key, text, text))

    def _credentials(self) -> Iterator[tuple[str, str]]:
        with self._explained("read"), self._lock:
            kept = self._db.execute("SELECT key, value FROM credentials").fetchall()
        yield from kept

    def _kept(self, key: str) -> str | None:
        found = self._db.execute("SELECT value FROM credentials WHERE key = ?", (key,)).fetchone()
        return None if found is None else str(found[0])

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()
        if self._claim is not None:
            self._claim.release()

    def _opened(self) -> sqlite3.Connection:
        try:
            return open_database(self._path, MIGRATIONS, busy_seconds=5, settings=["synchronous = FULL"])
        except NewerError:
            raise StoreError(
                f"storage {self._path} was written by a newer version: upgrade the exporter or name another "
                "file in storage.url"
            ) from None

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock, transaction(self._db):
            yield

    @contextmanager
    def _explained(self, doing: str) -> Iterator[None]:
        try:
            yield
            if doing == "write":
                self._observer(True)  # noqa: FBT003 - the observer's one word
        except (OSError, sqlite3.Error, ValueError) as error:
            if doing == "write":
                self._observer(False)  # noqa: FBT003 - likewise
            raise StoreError(
                f"cannot {doing} storage {self._path}: {explanation(error)}. Check the path, its rights and "
                "the disk; a damaged file can be moved away: rows are fetched again"
            ) from error
