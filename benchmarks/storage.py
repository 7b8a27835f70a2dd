"""The time to store a round, and to read all rows at the start; beside a JSON file with fsync."""

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from benchmarks.fleet import entries
from benchmarks.table import Figure
from exporter.store.entry import HeldRow
from exporter.store.sqlite import SqliteStore

SIZES = ((1_000, 9), (10_000, 9), (100_000, 1))
RUNS = 5


def measure() -> Iterator[Figure]:
    """Yield the figures of this benchmark, in seconds."""
    for apps, history_days in SIZES:
        fleet = entries(apps, history_days)
        newest = [(appid, entry.rows[0]) for appid, entry in fleet.items()]
        every = [(appid, held) for appid, entry in fleet.items() for held in entry.rows]
        case = f"{apps} apps, {history_days} dates"
        with tempfile.TemporaryDirectory() as folder:
            store = SqliteStore(Path(folder, "exporter.db"))
            plain = Path(folder, "rows.json")
            store.save("", every, history_days)
            ours, theirs = [], []
            for _ in range(RUNS):
                ours.append(timed(partial(store.save, "", newest, history_days)))
                theirs.append(timed(partial(write_json, newest, plain)))
            yield Figure("store a round", case, "s", ours, "JSON file", theirs)
            write_json(every, plain)
            ours, theirs = [], []
            for _ in range(RUNS):
                ours.append(timed(partial(read_all, store, [app for app, _ in newest])))
                theirs.append(timed(partial(read_json, plain)))
            yield Figure("read at start", case, "s", ours, "JSON file", theirs)
            store.close()


def read_all(store: SqliteStore, appids: list[str]) -> None:
    """Read every row, as at the start."""
    for _ in store.load("", appids):
        pass


def read_json(path: Path) -> object:
    """Read every row from the JSON file."""
    return json.loads(path.read_text("utf-8"))


def write_json(rows: list[tuple[str, HeldRow]], path: Path) -> None:
    """Write the rows to a JSON file and flush it to the disk."""
    report = [[appid, f"{held.row.ref_date}", held.asked_at, *held.row.values] for appid, held in rows]
    with path.open("w") as file:
        json.dump(report, file)
        file.flush()
        os.fsync(file.fileno())


def timed(work: Callable[[], object]) -> float:
    """Return the seconds of a call."""
    start = time.monotonic()
    work()
    return time.monotonic() - start
