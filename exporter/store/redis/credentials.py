"""Credentials in Redis: compare-and-set, and restored if Redis loses its data."""

import threading
from typing import Final

from exporter.store.encryption import Seal
from exporter.store.redis import scripts
from exporter.store.redis.connection import Connection

_AT_ONCE: Final = 1000


class RedisCredentials:
    """Keeps texts under keys, as durable as Redis' appendfsync: see docs/scaling.md.

    Each exporter also keeps in memory the texts that it last saw, with Redis' time, to restore them in a
    Redis that has lost its data. Of several exporters that do so, the one with the latest time wins.
    """

    def __init__(self, connection: Connection, prefix: str, seal: Seal) -> None:
        self._connection = connection
        self._credentials = f"{prefix}credential:"
        self._known = f"{prefix}known:"
        self._seal = seal
        self._seen: dict[str, tuple[str, str | None]] = {}  # Redis' time, and the text
        self._seen_lock = threading.Lock()

    def credential(self, key: str) -> str | None:
        """Return the text under a key; None without one."""
        kept, at = self._kept(key)
        text = None if kept is None else self._seal.open(kept)
        self._see(key, at, text)
        return text

    def put(self, key: str, expected: str | None, new: str) -> bool:
        """Replace `expected` by `new` under a key; return False if another text is stored."""
        while True:
            kept, at = self._kept(key)
            if (None if kept is None else self._seal.open(kept)) not in (expected, new):
                return False
            since = self._seen.get(key, (at, None))[0]
            words = [self._seal.close(new), since, *([] if kept is None else [kept])]
            with self._connection.writing() as client:
                done = client.eval(scripts.PUT, 2, self._credentials + key, self._known + key, *words)
            if done:
                self._see(key, at, new)
                return True  # another exporter has changed it, perhaps only its encryption: read it again

    def put_back(self) -> None:
        """Restore the texts that Redis has lost."""
        with self._seen_lock:
            seen = [(key, at, text) for key, (at, text) in self._seen.items() if text is not None]
        for start in range(0, len(seen), _AT_ONCE):
            with self._connection.writing() as client:
                asked = client.pipeline(transaction=False)
                for key, at, text in seen[start : start + _AT_ONCE]:
                    names = self._credentials + key, self._known + key
                    asked.eval(scripts.PUT_BACK, 2, *names, self._seal.close(text), at)
                asked.execute()

    def _see(self, key: str, at: str, text: str | None) -> None:
        with self._seen_lock:
            if float(self._seen.get(key, ("0", None))[0]) <= float(at):
                self._seen[key] = at, text

    def _kept(self, key: str) -> tuple[str | None, str]:
        with self._connection.reading() as client:
            kept, at = client.eval(scripts.READ, 1, self._credentials + key)
        return kept, at

    def _swap(self, name: str, kept: str, new: str) -> bool:
        with self._connection.writing() as client:
            return bool(client.eval(scripts.SWAP, 1, name, kept, self._seal.close(new)))
