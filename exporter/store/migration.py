"""Brings a SQLite file of any earlier version up to date, in one transaction."""

import sqlite3
from collections.abc import Sequence

from exporter.store.coding import points_text


class NewerError(Exception):
    """The file is of a version that this program does not know."""


def migrate(db: sqlite3.Connection, migrations: Sequence[str]) -> None:
    """Run the migrations that the file lacks; each is SQL whose statements end in a semicolon.

    Their number is the file's version. `points_text(name, value, ...)` writes old columns as a row's text.

    Raises:
        NewerError: the file has had more of them; it stays as it is.
        sqlite3.Error: it cannot be written; nothing has changed.
    """
    db.text_factory = lambda text: text.decode(errors="replace")  # one damaged text must not end the reading
    db.create_function("points_text", -1, points_text, deterministic=True)
    db.execute("BEGIN IMMEDIATE")  # two programs may start at once; and it shows that we may write
    try:
        version = _version(db, len(migrations))
        for migration in migrations[version:]:
            for statement in migration.split(";"):
                db.execute(statement)
        db.execute(f"PRAGMA user_version = {len(migrations)}")
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def _version(db: sqlite3.Connection, newest: int) -> int:
    version: int = db.execute("PRAGMA user_version").fetchone()[0]
    if version > newest:
        raise NewerError
    return version
