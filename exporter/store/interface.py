"""The one small interface of everything that keeps rows and credentials over restarts."""

from collections.abc import Callable, Collection, Iterable
from typing import Protocol

from exporter.store.entry import HeldRow
from exporter.wechat.vault import Vault, VaultError


class StoreError(VaultError):
    """The storage cannot be opened, read or written; the text tells what to do."""


WriteObserver = Callable[[bool], None]
"""Is told after each write whether it succeeded."""


class Store(Vault, Protocol):
    """Keeps rows, which one thread writes, and credentials, which any may write."""

    def load(self) -> Iterable[tuple[str, tuple[HeldRow, ...]]]:
        """All rows kept, per appid, newest first; raises StoreError."""

    def save(self, rows: Collection[tuple[str, HeldRow]], keep_days: int) -> None:
        """Keep these durably, all or nothing, and drop rows `keep_days` older than their app's newest.

        Raises StoreError.
        """

    def close(self) -> None:
        """Give the storage back; nothing is lost that `save` has returned for."""
