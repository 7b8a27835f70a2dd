"""The one small interface of everything that keeps rows and credentials over restarts."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from exporter.datasets.daily_trend import DAILY_TREND
from exporter.datasets.dataset import Dataset
from exporter.store.entry import HeldRow
from exporter.store.stored_refusals import Refusal
from exporter.wechat.credential_vault import Vault, VaultError


class StoreError(VaultError):
    """The storage cannot be opened, read or written; the text says what to do."""


WriteObserver = Callable[[bool], None]
"""Is given, after each write, whether it succeeded."""


@dataclass(frozen=True, slots=True)
class ResealResult:
    """How many texts were encrypted again, how many no key opens, and how many older keys are configured."""

    changed: int = 0
    lost: int = 0
    old_keys: int = 0

    @property
    def old_keys_can_go(self) -> bool:
        """Whether there are older keys, and nothing needs them any more."""
        return self.old_keys > 0 and self.lost == 0


class Store(Vault, Protocol):
    """Keeps rows, refusals and credentials; safe to use from many threads. Every method raises StoreError.

    Rows and refusals are kept by server (`endpoints.server_name`): nothing of one is shown as another's.
    """

    def load(
        self, server: str, appids: Collection[str], dataset: Dataset = DAILY_TREND
    ) -> Iterable[tuple[str, tuple[HeldRow, ...]]]:
        """All rows of the dataset kept of these apps, newest first; apps without any are left out."""

    def save(
        self,
        server: str,
        rows: Collection[tuple[str, HeldRow]],
        keep_days: int,
        dataset: Dataset = DAILY_TREND,
    ) -> None:
        """Keep these rows of the dataset durably; of two for one period the one asked for later stays.

        Rows that are `keep_days` older than the newest of their app in `rows` are dropped.
        """

    def refusals(self, server: str, keys: Collection[str]) -> Mapping[str, Refusal]:
        """What WeChat refused before a restart, as far as it still holds, by `refusal_key`.

        The caller compares the fingerprint: another credential lifts a refusal.
        """

    def save_refusals(self, server: str, refusals: Mapping[str, Refusal | None]) -> None:
        """Keep these over a restart, by `refusal_key`; None: that is not refused any more.

        Call it with the refusals that have come, changed or gone. One of this machine alone is not kept.
        """

    def emptied(self) -> bool:
        """Whether what was kept is gone since the last call, as after a wipe: then save all rows again.

        Credentials are kept again by the store itself.
        """

    def reseal(self) -> ResealResult:
        """Encrypt all that is kept with the newest key."""

    def close(self) -> None:
        """Give the storage back; nothing is lost that `save` has returned for."""
