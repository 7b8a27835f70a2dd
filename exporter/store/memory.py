"""memory://: nothing outlives the process."""

from collections.abc import Collection, Iterable

from exporter.store.entry import HeldRow


class MemoryStore:
    """Keeps nothing: the ledger already holds all in memory."""

    def load(self) -> Iterable[tuple[str, tuple[HeldRow, ...]]]:
        """Nothing."""
        return ()

    def save(self, rows: Collection[tuple[str, HeldRow]], keep_days: int) -> None:
        """Nothing to do."""

    def close(self) -> None:
        """Nothing to do."""
