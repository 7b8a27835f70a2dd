"""The interface of storages, which keep rows and credentials across restarts."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from exporter.datasets.daily_trend import DAILY_TREND
from exporter.datasets.dataset import Dataset
from exporter.store.entry import HeldRow
from exporter.store.stored_refusals import Refusal
from exporter.wechat.credential_vault import Vault, VaultError


class StoreError(VaultError):
    """A storage cannot be opened, read or written; the text says what to do."""


class PlaceError(StoreError):
    """The storage is in a place that this user may not write: only another configuration helps."""


WriteObserver = Callable[[bool], None]
"""Called after each write with whether it succeeded."""

StoredRows = Iterable[tuple[str, tuple[HeldRow, ...]]]
"""Apps with rows, by appid; an app's rows are newest first."""

NewRows = Collection[tuple[str, HeldRow]]
"""Rows to store, each with its app's appid."""


@dataclass(frozen=True, slots=True)
class ResealResult:
    """The numbers of texts encrypted again, of texts that no key opens, and of older keys configured."""

    changed: int = 0
    lost: int = 0
    old_keys: int = 0

    @property
    def old_keys_can_go(self) -> bool:
        """Return whether there are older keys that no text needs."""
        return self.old_keys > 0 and self.lost == 0


class Store(Vault, Protocol):
    """A storage for rows, refusals and credentials, safe to use from many threads; methods raise StoreError.

    Rows and refusals are kept by server (`endpoints.server_name`), and never shown as another server's.
    """

    def load(self, server: str, appids: Collection[str], dataset: Dataset = DAILY_TREND) -> StoredRows:
        """Yield the apps' stored rows of a dataset, without apps that have none."""

    def save(self, server: str, rows: NewRows, keep_days: int, dataset: Dataset = DAILY_TREND) -> None:
        """Store rows of a dataset durably; of two for one period, the one from the later call stays.

        Drop rows that are `keep_days` older than the newest of their app in `rows`.
        """

    def refusals(self, server: str, keys: Collection[str]) -> Mapping[str, Refusal]:
        """Return the refusals from before a restart that still hold, by `refusal_key`.

        The caller compares fingerprints, as another credential lifts a refusal.
        """

    def save_refusals(self, server: str, refusals: Mapping[str, Refusal | None]) -> None:
        """Store refusals by `refusal_key`; None removes one.

        `refusals` are those that have come, changed or gone. Refusals of this machine alone are not stored.
        """

    def emptied(self) -> bool:
        """Return whether the storage has lost its data since the last call: then save all rows again.

        The store itself restores credentials.
        """

    def reseal(self) -> ResealResult:
        """Encrypt all stored secrets with the newest key."""

    def close(self) -> None:
        """Close the storage, with all saved rows."""
