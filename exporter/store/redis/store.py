"""The storage that several exporters share."""

import os
import secrets
import socket
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, timedelta
from typing import Final, TypeVar

from exporter.config.storage import StorageSettings
from exporter.datasets.daily_trend import DAILY_TREND
from exporter.datasets.dataset import Dataset
from exporter.store.encryption import Seal
from exporter.store.entry import HeldRow
from exporter.store.interface import NewRows, ResealResult, StoredRows, WriteObserver
from exporter.store.redis import scripts
from exporter.store.redis.connection import Connection
from exporter.store.redis.credentials import RedisCredentials
from exporter.store.row_coding import RowReader, Unusable, old_record, row_text
from exporter.store.stored_refusals import Refusal, read_refusal, refusal_text
from exporter.wechat.credential_vault import Leases

_KEEP_SECONDS: Final = 90 * 86_400
"""Time to live: data that is not written for so long belongs to an app that is gone."""

_KEEP_OLD_DAYS: Final = 400  # the longest window that can be configured, for rows of old exporters
_AT_ONCE: Final = 256  # apps per message, so that Redis can answer others in between
_Item = TypeVar("_Item")


class RedisStore(RedisCredentials):
    """Keeps rows, refusals, credentials and leases under keys with a common prefix, for all threads."""

    def __init__(
        self,
        connection: Connection,
        prefix: str,
        seal: Seal,
        unusable: Unusable = lambda *_: None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        super().__init__(connection, f"{prefix}:", seal)
        self._unusable = unusable
        self._clock = clock
        self._prefix = f"{prefix}:"
        self._mark: str | None = None
        self._holder = f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}"

    def load(self, server: str, appids: Collection[str], dataset: Dataset = DAILY_TREND) -> StoredRows:
        """Yield the apps' stored rows, newest first, after adopting rows of old exporters."""
        if self._mark is None:
            self.emptied()  # from now on `emptied` notices a loss
        reader = RowReader(self._unusable, self._clock(), dataset)
        for batch in _batches(list(appids)):
            self._take_over(server, batch)
            for appid, texts in self._hashes(self._rows(server, dataset), batch):
                if rows := reader.read(appid, map(_record, sorted(texts.items(), reverse=True))):
                    yield appid, rows
        reader.report()

    def save(self, server: str, rows: NewRows, keep_days: int, dataset: Dataset = DAILY_TREND) -> None:
        """Store rows, each unless Redis has one of its date from a later call."""
        grouped: dict[str, list[HeldRow]] = {}
        for appid, held in rows:
            grouped.setdefault(appid, []).append(held)
        for apps in _batches(list(grouped.items())):
            words: list[str | int] = []
            for appid, held_rows in apps:
                newest = max(held.row.ref_date for held in held_rows)
                words += appid, _day(newest - timedelta(days=keep_days)), len(held_rows)
                for held in held_rows:
                    words += _day(held.row.ref_date), repr(held.asked_at), row_text(held.row, dataset)
            with self._connection.writing() as client:
                client.eval(scripts.SAVE_ROWS, 1, self._rows(server, dataset), _KEEP_SECONDS, *words)

    def refusals(self, server: str, keys: Collection[str]) -> Mapping[str, Refusal]:
        """Return those of the refusals that still hold."""
        found: dict[str, Refusal] = {}
        for batch in _batches(list(keys)):
            with self._connection.reading() as client:
                texts = client.mget([self._refusal(server, key) for key in batch])
            read = ((key, read_refusal(text, self._clock())) for key, text in zip(batch, texts, strict=True))
            found |= {key: refusal for key, refusal in read if refusal is not None}
        return found

    def save_refusals(self, server: str, refusals: Mapping[str, Refusal | None]) -> None:
        """Store refusals, each until its end."""
        for batch in _batches(list(refusals.items())):
            with self._connection.writing() as client:
                asked = client.pipeline(transaction=False)
                for name, refusal in batch:
                    key = self._refusal(server, name)
                    left = 0 if refusal is None else int(1000 * (refusal.until - self._clock()))
                    if refusal is None or refusal.of_this_machine or left <= 0:
                        asked.delete(key)
                    else:
                        asked.set(key, refusal_text(refusal), px=left)
                asked.execute()

    def emptied(self) -> bool:
        """Return whether Redis has lost its data since the last call, after restoring the credentials."""
        with self._connection.writing() as client:
            found: str = client.eval(scripts.MARK, 1, f"{self._prefix}mark", secrets.token_hex(8))
        before = self._mark
        if before in (None, found):
            self._mark = found
            return False
        self.put_back()
        self._mark = found  # set last: if Redis fails meanwhile, the next call does all again
        return True

    def reseal(self) -> ResealResult:
        """Encrypt all credentials with the newest key."""
        return self._seal.reseal(self._texts(f"{self._prefix}credential:*"), self._swap)

    @property
    def leases(self) -> Leases:
        """Return the leases of all exporters with this prefix."""
        return self

    def take(self, work: str, seconds: float) -> bool:
        """Take or extend a lease for `seconds` by Redis' clock; return False if another exporter has it."""
        with self._connection.writing() as client:
            key = f"{self._prefix}duty:{work}"
            return bool(client.eval(scripts.TAKE, 1, key, self._holder, int(seconds * 1000)))

    def give_back(self, work: str) -> None:
        """End this exporter's lease."""
        with self._connection.writing() as client:
            client.eval(scripts.GIVE_BACK, 1, f"{self._prefix}duty:{work}", self._holder)

    def refuse_cluster(self) -> None:
        """Raise StoreError for a node of a Redis Cluster."""
        self._connection.refuse_cluster()

    def close(self) -> None:
        """Close the connections."""
        self._connection.close()

    def _take_over(self, server: str, appids: Sequence[str]) -> None:
        """Adopt rows of old exporters, which name no server, for this server."""
        old = self._hashes(f"{self._prefix}rows:", appids)
        if not old:
            return
        reader = RowReader(self._unusable, self._clock())
        rows = [
            (appid, held)
            for appid, texts in old
            for held in reader.read(appid, (old_record(day, text) for day, text in texts.items()))
        ]
        reader.report()
        self.save(server, rows, _KEEP_OLD_DAYS)
        with self._connection.writing() as client:
            client.delete(*(f"{self._prefix}rows:{appid}" for appid, _ in old))

    def _hashes(self, prefix: str, appids: Sequence[str]) -> list[tuple[str, Mapping[str, str]]]:
        with self._connection.reading() as client:
            asked = client.pipeline(transaction=False)
            for appid in appids:
                asked.hgetall(prefix + appid)
            answers = asked.execute()
        return [(appid, texts) for appid, texts in zip(appids, answers, strict=True) if texts]

    def _texts(self, pattern: str) -> Iterator[tuple[str, str]]:
        with self._connection.reading() as client:
            names = list(client.scan_iter(pattern, count=1000))
        for batch in _batches(names):
            with self._connection.reading() as client:
                texts = client.mget(batch)
            yield from ((name, text) for name, text in zip(batch, texts, strict=True) if text is not None)

    def _rows(self, server: str, dataset: Dataset) -> str:
        return f"{self._prefix}figures:{server}:{dataset.name}:"

    def _refusal(self, server: str, key: str) -> str:
        return f"{self._prefix}refusal:{server}:{key}"


def open_redis(
    settings: StorageSettings, observer: WriteObserver, unusable: Unusable = lambda *_: None
) -> RedisStore:
    """Return the store at an address, without a call to it; raise StoreError for a bad key."""
    if settings.redis is None:
        raise TypeError("not a Redis")
    seal = Seal(settings.encryption_key)
    return RedisStore(Connection(settings, observer), settings.redis.prefix, seal, unusable)


def _day(day: date) -> str:
    return day.isoformat()


def _record(kept: tuple[str, str]) -> tuple[object, object, object]:
    """Return a stored row's day, time of the call, and text."""
    day, (asked_at, _, text) = kept[0], kept[1].partition(" ")
    with suppress(ValueError):
        return day, float(asked_at), text
    return day, asked_at, text


def _batches(items: Sequence[_Item]) -> Iterable[Sequence[_Item]]:
    return (items[at : at + _AT_ONCE] for at in range(0, len(items), _AT_ONCE))
