"""memory://: nothing outlives the process."""

import threading
from collections.abc import Collection, Iterable, Mapping

from exporter.datasets.daily_trend import DAILY_TREND
from exporter.datasets.dataset import Dataset
from exporter.store.entry import HeldRow
from exporter.store.interface import ResealResult
from exporter.store.stored_refusals import Refusal


class MemoryStore:
    """Keeps no rows, as the ledger already holds all in memory, and credentials while the process lives."""

    leases = None

    def __init__(self) -> None:
        self._credentials: dict[str, str] = {}
        self._lock = threading.Lock()

    def load(
        self, server: str, appids: Collection[str], dataset: Dataset = DAILY_TREND
    ) -> Iterable[tuple[str, tuple[HeldRow, ...]]]:
        """Nothing."""
        del server, appids, dataset
        return ()

    def save(
        self,
        server: str,
        rows: Collection[tuple[str, HeldRow]],
        keep_days: int,
        dataset: Dataset = DAILY_TREND,
    ) -> None:
        """Nothing to do."""

    def refusals(self, server: str, keys: Collection[str]) -> Mapping[str, Refusal]:
        """None: after a restart all apps are asked again."""
        del server, keys
        return {}

    def save_refusals(self, server: str, refusals: Mapping[str, Refusal | None]) -> None:
        """Nothing to do."""

    def emptied(self) -> bool:
        """Never."""
        return False

    def credential(self, key: str) -> str | None:
        """What was saved last under that key."""
        return self._credentials.get(key)

    def put(self, key: str, expected: str | None, new: str) -> bool:
        """Keep `new` where `expected` is stored."""
        with self._lock:
            if self._credentials.get(key) not in (expected, new):
                return False
            self._credentials[key] = new
        return True

    def reseal(self) -> ResealResult:
        """Nothing is encrypted in memory."""
        return ResealResult()

    def close(self) -> None:
        """Nothing to do."""
