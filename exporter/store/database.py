"""SQLite files: opened for many threads, migrated from earlier versions, written in transactions."""

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from exporter.store.row_coding import points_text


class NewerError(Exception):
    """The file has a version that this program does not know."""


def open_database(
    path: Path | str, migrations: Sequence[str], *, busy_seconds: float, settings: Sequence[str]
) -> sqlite3.Connection:
    """Open or create a file that only its owner can read; "" opens a temporary one.

    `settings` are SQLite's pragmas (`synchronous = FULL`). The caller must use the connection from one thread
    at a time. Text that is not UTF-8 is read with replacement characters.

    Raises:
        NewerError: a newer program has written the file, which stays unchanged.
        OSError, sqlite3.Error: the file cannot be opened, and stays unchanged.
    """
    if path:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    db = sqlite3.connect(path, timeout=busy_seconds, check_same_thread=False, isolation_level=None)
    try:
        for setting in (*settings, "journal_mode = WAL"):
            db.execute(f"PRAGMA {setting}")
        db.text_factory = lambda text: text.decode(errors="replace")
        db.create_function("points_text", -1, points_text, deterministic=True)
        _migrate(db, migrations)
    except BaseException:
        db.close()
        raise
    return db


@contextmanager
def transaction(db: sqlite3.Connection) -> Iterator[None]:
    """Run a transaction that excludes other writers."""
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def explanation(error: OSError | sqlite3.Error | ValueError) -> str:
    """Return an error's text without its class and number."""
    return error.strerror or "" if isinstance(error, OSError) else str(error)


def _migrate(db: sqlite3.Connection, migrations: Sequence[str]) -> None:
    """Run the migrations that the file lacks; each is SQL whose statements end in a semicolon.

    Their number is the file's version. `points_text(name, value, ...)` writes old columns as a row's text.
    """
    with transaction(db):  # even without migrations: this shows that the file is writable
        version: int = db.execute("PRAGMA user_version").fetchone()[0]
        if version > len(migrations):
            raise NewerError
        for migration in migrations[version:]:
            for statement in migration.split(";"):
                db.execute(statement)
        db.execute(f"PRAGMA user_version = {len(migrations)}")
