"""Where credentials are kept that must outlive the process: what WeChat's side wants of a storage."""

from collections.abc import Callable
from typing import Final, Protocol

_AHEAD_SECONDS: Final = 300.0
_TRIES: Final = 10


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


def put_newest(vault: Vault, key: str, new: str, is_newer: Callable[[str | None], bool]) -> bool:
    """Put a text in place of one that it is newer than.

    Args:
        vault: where other exporters may write at the same time.
        key: where the text is kept.
        new: the text.
        is_newer: whether the text is newer than the one that is kept (None: nothing is).

    Returns:
        False where a newer one is there.

    Raises:
        VaultError: the vault does not answer.
    """
    for _ in range(_TRIES):
        kept = vault.credential(key)
        if not is_newer(kept):
            return False
        if vault.put(key, kept, new):
            return True
    raise VaultError("the storage gives back another value than it compares with")


def credible(moment: float, now: float) -> float:
    """The moment, 0 (never) where it is so far in the future that a clock was wrong."""
    return moment if moment <= now + _AHEAD_SECONDS else 0.0
