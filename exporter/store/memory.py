"""The storage `memory://`, which ends with the process."""

import threading
from collections.abc import Collection, Mapping

from exporter.datasets.daily_trend import DAILY_TREND
from exporter.datasets.dataset import Dataset
from exporter.store.interface import NewRows, ResealResult, StoredRows
from exporter.store.stored_refusals import Refusal


class MemoryStore:
    """Keeps credentials in memory, and no rows, as the ledger holds them already."""

    leases = None

    def __init__(self) -> None:
        self._credentials: dict[str, str] = {}
        self._lock = threading.Lock()

    def load(self, server: str, appids: Collection[str], dataset: Dataset = DAILY_TREND) -> StoredRows:
        """Return no rows."""
        del server, appids, dataset
        return ()

    def save(self, server: str, rows: NewRows, keep_days: int, dataset: Dataset = DAILY_TREND) -> None:
        """Do nothing."""

    def refusals(self, server: str, keys: Collection[str]) -> Mapping[str, Refusal]:
        """Return no refusals: after a restart all apps are asked."""
        del server, keys
        return {}

    def save_refusals(self, server: str, refusals: Mapping[str, Refusal | None]) -> None:
        """Do nothing."""

    def emptied(self) -> bool:
        """Return False: the data cannot get lost."""
        return False

    def credential(self, key: str) -> str | None:
        """Return the text under a key; None without one."""
        return self._credentials.get(key)

    def put(self, key: str, expected: str | None, new: str) -> bool:
        """Replace `expected` by `new` under a key; return False if another text is stored."""
        with self._lock:
            if self._credentials.get(key) not in (expected, new):
                return False
            self._credentials[key] = new
        return True

    def reseal(self) -> ResealResult:
        """Return zeros: nothing in memory is encrypted."""
        return ResealResult()

    def close(self) -> None:
        """Do nothing."""
