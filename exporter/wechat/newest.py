"""What several exporters keep under one key of a vault: whatever was learned last stays."""

from collections.abc import Callable
from typing import Final

from exporter.wechat.vault import Vault, VaultError

_AHEAD_SECONDS: Final = 300.0
_TRIES: Final = 10


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
