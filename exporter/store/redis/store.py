"""The storage that several exporters share; safe to use from many threads."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Final, TypeVar

from exporter.config.settings import StorageSettings
from exporter.store.entry import HeldRow
from exporter.store.interface import WriteObserver
from exporter.store.redis import scripts
from exporter.store.redis.coding import read_row, row_text
from exporter.store.redis.connection import Connection
from exporter.store.redis.tokens import RedisTokens
from exporter.store.sealing import Seal, open_seal, opened

_KEEP_SECONDS: Final = 90 * 86_400
"""What is not written again for so long is of an app that is gone."""

_AT_ONCE: Final = 256  # apps in one message: Redis answers others between two
_Item = TypeVar("_Item")


class RedisStore:
    """Keeps rows, credentials and duties under keys that begin with the fleet's prefix."""

    def __init__(self, connection: Connection, prefix: str, seal: Seal) -> None:
        self._connection = connection
        self._seal = seal
        self._prefix = f"{prefix}:"
        self._rows = self._key("rows:")
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
            with self._connection.writing() as client:
                refused += int(client.eval(scripts.SAVE_ROWS, 1, self._rows, _KEEP_SECONDS, *words))
        self._connection.check_clocks(refused)

    def take(self, duty: str, holder: str, seconds: float) -> bool:
        """Take a duty for that long, or go on having it; False where another holder has it."""
        with self._connection.writing() as client:
            return bool(client.eval(scripts.TAKE, 1, self._key(f"duty:{duty}"), holder, int(seconds * 1000)))

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
