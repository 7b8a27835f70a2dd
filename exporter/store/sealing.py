"""Encrypts what must not be readable in a storage: refresh tokens, tickets, access tokens.

Fernet: AES-128-CBC with HMAC-SHA-256, keys that can be rotated.
Source: https://github.com/fernet/spec
"""

from typing import Final, Protocol

from exporter.config.settings import Secret
from exporter.store.interface import StoreError

_MARK: Final = "sealed:"


class Seal(Protocol):
    """Turns texts into texts for the storage and back."""

    def close(self, text: str) -> str:
        """The text as it is kept."""

    def open(self, kept: str) -> str:
        """The text again; raises StoreError where no key opens it."""


class NoSeal:
    """Keeps texts as they are, where no key is configured."""

    def close(self, text: str) -> str:
        """The same text."""
        return text

    def open(self, kept: str) -> str:
        """The same text."""
        if kept.startswith(_MARK):
            raise StoreError("the storage is encrypted: set storage.encryption_key_file")
        return kept


class KeySeal:
    """Encrypts with the newest key; texts from before there was a key are read as they are."""

    def __init__(self, key: Secret) -> None:
        """Raises StoreError where the key cannot be read."""
        from cryptography.fernet import Fernet, MultiFernet  # noqa: PLC0415 - an extra

        try:
            self._fernet = MultiFernet([Fernet(each.strip()) for each in key.read().split(",")])
        except (OSError, ValueError) as error:
            told = error.strerror if isinstance(error, OSError) else "not 32 bytes as URL-safe base64"
            raise StoreError(f"storage.encryption_key cannot be used: {told}") from None

    def close(self, text: str) -> str:
        """Encrypted."""
        return _MARK + self._fernet.encrypt(text.encode()).decode()

    def open(self, kept: str) -> str:
        """Decrypted; raises StoreError where no key fits."""
        from cryptography.fernet import InvalidToken  # noqa: PLC0415 - an extra

        if not kept.startswith(_MARK):
            return kept
        try:
            return self._fernet.decrypt(kept.removeprefix(_MARK).encode()).decode()
        except InvalidToken:
            raise StoreError(
                "the storage was encrypted with another key: put the old one behind the new one in "
                "storage.encryption_key_file, separated by a comma"
            ) from None


def open_seal(key: Secret | None) -> Seal:
    """The seal for a configured key, or none."""
    return NoSeal() if key is None else KeySeal(key)
