"""Where credentials are kept that must outlive the process: what WeChat's side wants of a storage."""

from typing import Protocol


class VaultError(Exception):
    """A credential could not be read or kept; the text tells what to do."""


class Vault(Protocol):
    """Keeps texts under keys; safe to use from many threads."""

    def credential(self, key: str) -> str | None:
        """What was saved last under that key, None where nothing was; raises VaultError."""

    def save_credential(self, key: str, value: str) -> None:
        """Keep the value durably: a kill right after the return does not lose it; raises VaultError."""

    def replace_credential(self, key: str, old: str, new: str) -> bool:
        """The same in place of `old` alone; False where another value is there by now; raises VaultError."""
