"""sqlite://: one file, readable by its owner alone, that survives kill -9 at any moment."""

import os
import sqlite3
import threading
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from itertools import groupby
from pathlib import Path
from typing import Any, Final

from exporter.store.entry import HeldRow
from exporter.store.interface import StoreError, WriteObserver
from exporter.store.sealing import NoSeal, Seal, opened
from exporter.trend import FIELDS, Row

SCHEMA_VERSION: Final = 2
_FIGURES: Final = ", ".join(field.name for field in FIELDS)
_ROWS_TABLE: Final = f"""
CREATE TABLE rows (
  appid TEXT NOT NULL, ref_date TEXT NOT NULL, fetched_at REAL NOT NULL,
  {", ".join(f"{field.name} NUMERIC" for field in FIELDS)},
  PRIMARY KEY (appid, ref_date)
) WITHOUT ROWID
"""
_CREDENTIALS_TABLE: Final = """
CREATE TABLE credentials (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID
"""
_STEPS: Final = (_ROWS_TABLE, _CREDENTIALS_TABLE)  # each leads to the next version
_SAVE_ROW: Final = (
    f"INSERT OR REPLACE INTO rows (appid, ref_date, fetched_at, {_FIGURES}) "  # noqa: S608 - our own names
    f"VALUES (?, ?, ?{', ?' * len(FIELDS)})"
)
_PRUNE: Final = """
DELETE FROM rows WHERE appid = ?1 AND ref_date <=
  (SELECT date(max(ref_date), ?2) FROM rows WHERE appid = ?1)
"""


class SqliteStore:
    """Keeps rows and credentials in a SQLite file in WAL mode."""

    def __init__(
        self, path: Path, observer: WriteObserver = lambda _: None, seal: Seal | None = None
    ) -> None:
        """Open or create the file; `seal` encrypts its credentials; raises StoreError, telling what to do."""
        self._path = path
        self._observer = observer
        self._seal = seal or NoSeal()
        self._lock = threading.Lock()
        with self._explained("open"):
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            path.chmod(0o600)
            self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            try:
                self._prepare()
            except BaseException:
                self._db.close()
                raise

    def load(self) -> Iterable[tuple[str, tuple[HeldRow, ...]]]:
        """All rows kept, per appid, newest first."""
        with self._explained("read"):
            ordered = self._db.execute(
                f"SELECT appid, ref_date, fetched_at, {_FIGURES} FROM rows ORDER BY appid, ref_date DESC"  # noqa: S608
            )
            for appid, records in groupby(ordered, key=lambda record: record[0]):
                yield appid, tuple(_held(record) for record in records)

    def save(self, rows: Collection[tuple[str, HeldRow]], keep_days: int) -> None:
        """Keep these in one transaction."""
        with self._explained("write"), self._transaction():
            self._db.executemany(_SAVE_ROW, (_record(appid, held) for appid, held in rows))
            appids = {appid for appid, _ in rows}
            self._db.executemany(_PRUNE, ((appid, f"-{keep_days} days") for appid in appids))

    def credential(self, key: str) -> str | None:
        """What was saved last under that key."""
        with self._explained("read"), self._lock:
            kept = self._kept(key)
        return opened(self._seal, kept, lambda value: self.replace_credential(key, value, value))

    def save_credential(self, key: str, value: str) -> None:
        """Keep the value; it is on the disk when this returns (synchronous = FULL)."""
        with self._explained("write"), self._lock:
            self._db.execute(
                "INSERT OR REPLACE INTO credentials (key, value) VALUES (?, ?)",
                (key, self._seal.close(value)),
            )

    def replace_credential(self, key: str, old: str, new: str) -> bool:
        """The same in place of `old` alone."""
        with self._explained("write"), self._lock:
            kept = self._kept(key)
            if kept is None or self._seal.open(kept) != old:
                return False
            changed = self._db.execute(
                "UPDATE credentials SET value = ? WHERE key = ? AND value = ?",
                (self._seal.close(new), key, kept),
            )
            return changed.rowcount == 1

    def put(self, key: str, expected: str | None, new: str) -> bool:
        """Keep `new` where `expected` is stored; it is on the disk when this returns (synchronous = FULL)."""
        with self._explained("write"), self._transaction():
            kept = self._kept(key)
            if (None if kept is None else self._seal.open(kept)) not in (expected, new):
                return False
            self._db.execute(
                "INSERT OR REPLACE INTO credentials (key, value) VALUES (?, ?)", (key, self._seal.close(new))
            )
            return True

    def _kept(self, key: str) -> str | None:
        found = self._db.execute("SELECT value FROM credentials WHERE key = ?", (key,)).fetchone()
        return None if found is None else str(found[0])

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    def _prepare(self) -> None:
        self._db.execute("PRAGMA busy_timeout = 5000")
        self._db.execute("PRAGMA journal_mode = WAL")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("BEGIN IMMEDIATE")  # two exporters may start at once; and shows that we may write
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version > SCHEMA_VERSION:
            raise StoreError(
                f"storage {self._path} was written by a newer version (schema {version}, this one knows "
                f"{SCHEMA_VERSION}): upgrade the exporter or name another file in storage.url"
            )
        for step in _STEPS[version:]:
            self._db.execute(step)
        self._db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        self._db.execute("COMMIT")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """Write all or nothing, with nobody in between."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    @contextmanager
    def _explained(self, doing: str) -> Iterator[None]:
        try:
            yield
            if doing == "write":
                self._observer(True)  # noqa: FBT003 - the observer's one word
        except (OSError, sqlite3.Error, ValueError) as error:
            if doing == "write":
                self._observer(False)  # noqa: FBT003 - the same
            told = error.strerror if isinstance(error, OSError) else str(error)
            raise StoreError(
                f"cannot {doing} storage {self._path}: {told}. Check the path, its rights and the disk; a "
                f"damaged file can be moved away: rows are fetched again"
            ) from error


def _record(appid: str, held: HeldRow) -> tuple[Any, ...]:
    return (appid, held.row.ref_date.isoformat(), held.fetched_at, *held.row.values)


def _held(record: tuple[Any, ...]) -> HeldRow:
    return HeldRow(Row(date.fromisoformat(record[1]), tuple(record[3:])), record[2])
