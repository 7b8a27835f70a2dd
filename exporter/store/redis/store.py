"""The storage that several exporters share; safe to use from many threads."""

import threading
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Final, TypeVar

from redis import ResponseError

from exporter.config.settings import StorageSettings
from exporter.store.entry import Entry, HeldRow
from exporter.store.interface import WriteObserver
from exporter.store.redis import scripts
from exporter.store.redis.coding import read_row, read_shared, row_text, state_text
from exporter.store.redis.connection import Connection
from exporter.store.redis.tokens import RedisTokens
from exporter.store.sealing import Seal, open_seal, opened
from exporter.store.shared import Shared

_KEEP_SECONDS: Final = 90 * 86_400
"""What is not written again for so long is of an app that is gone."""

_NOT_TOLD: Final = ""
_AT_ONCE: Final = 256  # apps in one message: Redis answers others between two
_Item = TypeVar("_Item")


class RedisStore:
    """Keeps rows, states, credentials and duties under keys that begin with the fleet's prefix."""

    def __init__(self, connection: Connection, prefix: str, seal: Seal) -> None:
        self._connection = connection
        self._seal = seal
        self._prefix = f"{prefix}:"
        self._rows = self._key("rows:")
        self._states = self._key("state:")
        self._journal = [self._key("writes"), self._key("news")]
        self._own: set[int] = set()  # numbers of our own writes, which are no news to us
        self._own_lock = threading.Lock()
        self._run: str | None = None
        self.tokens = RedisTokens(connection, self._prefix, seal)

    def load(self) -> Iterator[tuple[str, tuple[HeldRow, ...]]]:
        """All rows kept, per appid, newest first; of all exporters of the fleet."""
        with self._connection.reading() as client:
            for key in client.scan_iter(f"{self._rows}*", count=1000):
                found = (
                    read_row(day, text) for day, text in sorted(client.hgetall(key).items(), reverse=True)
                )
                if rows := tuple(held for held in found if held is not None):
                    yield key.removeprefix(self._rows), rows

    def save(self, rows: Collection[tuple[str, HeldRow]], keep_days: int) -> None:
        """Keep these, each unless Redis has a later one of its date."""
        grouped: dict[str, list[HeldRow]] = {}
        for appid, held in rows:
            grouped.setdefault(appid, []).append(held)
        refused = 0
        for apps in _batches(list(grouped.items())):
            words: list[str | int] = []
            for appid, held_rows in apps:
                newest = max(held.row.ref_date for held in held_rows)
                words += appid, (newest - timedelta(days=keep_days)).isoformat(), len(held_rows)
                for held in held_rows:
                    words += held.row.ref_date.isoformat(), row_text(held)
            refused += self._write(scripts.SAVE_ROWS, self._rows, words)
        self._connection.check_clocks(refused)

    def save_states(self, entries: Mapping[str, Entry]) -> None:
        """Share how the last refresh of these apps went, each unless Redis has a later one."""
        asked = [(appid, entry) for appid, entry in entries.items() if entry.changed_at]
        refused = 0
        for apps in _batches(asked):
            words = [word for appid, entry in apps for word in (appid, state_text(entry))]
            refused += self._write(scripts.SAVE_STATES, self._states, words)
        self._connection.check_clocks(refused)

    def states(self, appids: Collection[str]) -> Iterator[tuple[str, Shared]]:
        """What is kept of these apps."""
        for batch in _batches(list(appids)):
            with self._connection.reading() as client:
                asked = client.pipeline(transaction=False)
                for appid in batch:
                    asked.hgetall(self._rows + appid).get(self._states + appid)
                answers = asked.execute()
            for appid, rows, state in zip(batch, answers[::2], answers[1::2], strict=True):
                if rows or state:
                    yield appid, read_shared(rows, state)

    def mark(self) -> int:
        """What to ask for news since now with."""
        with self._connection.reading() as client:
            return int(client.get(self._journal[0]) or 0)

    def news(self, since: int) -> tuple[int, list[str]]:
        """The appids saved after `since` by others, and what to ask with the next time."""
        number, news = self._journal
        with self._connection.reading() as client:
            last, found = (
                client.pipeline(transaction=True)
                .get(number)
                .zrangebyscore(news, f"({since}", "+inf", withscores=True)
                .execute()
            )
        newest = int(last or 0)
        with self._own_lock:
            own = self._own if newest >= since else set()  # where Redis lost data, numbers come again
            others = [appid for appid, write in found if int(write) not in own]
            self._own = {write for write in own if write > newest}
        return newest, others

    def lost(self) -> bool:
        """Whether another Redis answers, or the same one was started anew, since the last call."""
        if self._run == _NOT_TOLD:
            return False
        before, self._run = self._run, self._run_id()
        return before not in (None, self._run)

    def _run_id(self) -> str:
        with self._connection.reading() as client:
            try:
                run: str = client.info("server")["run_id"]
            except (ResponseError, KeyError):  # not allowed to this user, or not Redis itself
                return _NOT_TOLD
            return run

    def phase(self, proposed: float) -> float:
        """At which part of the interval rounds begin: as the first exporter of the fleet has proposed."""
        with self._connection.writing() as client:
            client.set(self._key("phase"), proposed, nx=True)
            return float(client.get(self._key("phase")) or proposed)

    def take(self, duty: str, holder: str, seconds: float) -> bool:
        """Take a duty for that long, or go on having it; False where another holder has it."""
        with self._connection.writing() as client:
            return bool(client.eval(scripts.TAKE, 1, self._key(f"duty:{duty}"), holder, int(seconds * 1000)))

    def leave(self, duty: str, holder: str) -> None:
        """Give a duty back at once."""
        with self._connection.writing() as client:
            client.eval(scripts.LEAVE, 1, self._key(f"duty:{duty}"), holder)

    def probe(self) -> None:
        """The calling thread does not rest after a failure, so that the others learn when it is over."""
        self._connection.probe()

    def credential(self, key: str) -> str | None:
        """What was saved last under that key."""
        kept = self._kept(key)
        return opened(self._seal, kept, lambda value: self._swap(key, str(kept), value))

    def save_credential(self, key: str, value: str) -> None:
        """Keep the value; it is as durable as Redis' appendfsync is: see docs/scaling.md."""
        with self._connection.writing() as client:
            client.set(self._key(f"credential:{key}"), self._seal.close(value))

    def replace_credential(self, key: str, old: str, new: str) -> bool:
        """The same in place of `old` alone."""
        kept = self._kept(key)
        return kept is not None and self._seal.open(kept) == old and self._swap(key, kept, new)

    def put(self, key: str, expected: str | None, new: str) -> bool:
        """Keep `new` where `expected` is stored; as durable as Redis' appendfsync is."""
        while True:
            kept = self._kept(key)
            if (None if kept is None else self._seal.open(kept)) not in (expected, new):
                return False
            with self._connection.writing() as client:
                name = self._key(f"credential:{key}")
                if client.eval(
                    scripts.PUT, 1, name, self._seal.close(new), *([] if kept is None else [kept])
                ):
                    return (
                        True  # else another exporter has changed it, perhaps only its encryption: look again
                    )

    def _kept(self, key: str) -> str | None:
        with self._connection.reading() as client:
            kept: str | None = client.get(self._key(f"credential:{key}"))
        return kept

    def _swap(self, key: str, kept: str, new: str) -> bool:
        with self._connection.writing() as client:
            name = self._key(f"credential:{key}")
            return bool(client.eval(scripts.SWAP, 1, name, kept, self._seal.close(new)))

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()

    def _write(self, script: str, keys: str, words: Sequence[str | int]) -> int:
        """Write, and return how much Redis has refused as being of the future."""
        with self._connection.writing() as client:
            number, refused = client.eval(
                script, len(self._journal), *self._journal, keys, _KEEP_SECONDS, *words
            )
        with self._own_lock:
            self._own.add(int(number))
        return int(refused)

    def _key(self, name: str) -> str:
        return self._prefix + name


def open_redis(settings: StorageSettings, observer: WriteObserver) -> RedisStore:
    """The store at that address, which is not asked for anything yet; raises StoreError for a bad key."""
    if settings.redis is None:
        raise TypeError("not a Redis")
    seal = open_seal(settings.encryption_key)
    return RedisStore(Connection(settings, observer), settings.redis.prefix, seal)


def _batches(items: Sequence[_Item]) -> Iterable[Sequence[_Item]]:
    return (items[at : at + _AT_ONCE] for at in range(0, len(items), _AT_ONCE))
