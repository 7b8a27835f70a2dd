"""Where credentials are kept that must outlive the process: what WeChat's side wants of a storage."""

from typing import Protocol


class VaultError(Exception):
    """A credential could not be read or kept; the text tells what to do."""


class Vault(Protocol):
    """Keeps texts under keys; safe to use from many threads."""

    def credential(self, key: str) -> str | None:
        """What was saved last under that key, None where nothing was; raises VaultError."""

    def put(self, key: str, expected: str | None, new: str) -> bool:
        """Keep `new` durably where `expected` is stored (None: nothing is); nobody writes in between.

        A kill right after the return loses nothing. An answer that got lost may be asked for again:
        `new` that is already there counts as kept.

        Returns:
            False where another value is stored: read it, and decide again.

        Raises:
            VaultError: the storage does not answer.
        """
