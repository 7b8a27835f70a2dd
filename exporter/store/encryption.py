"""Encryption of secrets in a storage: refresh tokens, tickets, access tokens.

Fernet: AES-128-CBC with HMAC-SHA-256, keys that can be rotated.
Source: https://github.com/fernet/spec
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from exporter.config.secret import Secret
from exporter.store.interface import ResealResult, StoreError

_MARK: Final = "sealed:"
_NO_KEY: Final = "the storage is encrypted: set storage.encryption_key_file"
_OTHER_KEY: Final = (
    "the storage was encrypted with another key: put the old one behind the new one in "
    "storage.encryption_key_file, separated by a comma"
)


class Seal:
    """Encrypts texts with the newest key, and reads texts stored before there was a key as they are.

    Without a key it keeps texts as they are. It reads the keys at each call, so that they can be replaced
    while exporters run. Methods raise StoreError if the keys cannot be read.
    """

    def __init__(self, key: Secret | None = None) -> None:
        self._key = key
        self._read: tuple[str | None, list[Any]] = (None, [])
        self._current: list[Any] | None = None  # the keys under which all texts were current
        self._keys()

    def close(self, text: str) -> str:
        """Return the text to store, encrypted if there is a key."""
        keys = self._keys()
        return _MARK + str(keys[0].encrypt(text.encode()).decode()) if keys else text

    def open(self, kept: str) -> str:
        """Return the stored text in the clear; raise StoreError if no key opens it."""
        if not kept.startswith(_MARK):
            return kept
        keys = self._keys()
        for key in keys:
            if (text := _decrypted(key, kept)) is not None:
                return text
        raise StoreError(_OTHER_KEY if keys else _NO_KEY)

    def is_current(self, kept: str) -> bool:
        """Return whether a stored text is encrypted with the newest key."""
        keys = self._keys()
        return not keys or (kept.startswith(_MARK) and _decrypted(keys[0], kept) is not None)

    def reseal(
        self, kept: Iterable[tuple[str, str]], replace: Callable[[str, str, str], bool]
    ) -> ResealResult:
        """Encrypt outdated texts (`kept`, by name) with the newest key, unless all were current before.

        `replace` stores a text, given name, stored text and clear text; False if another was faster.
        """
        keys, changed, lost = self._keys(), 0, 0
        if not keys or keys is self._current:
            return ResealResult()
        for name, sealed in kept:
            if self.is_current(sealed):
                continue
            try:
                text = self.open(sealed)
            except StoreError:
                lost += 1
            else:
                changed += replace(name, sealed, text)
        if not lost:
            self._current = keys
        return ResealResult(changed, lost, len(keys) - 1)

    def _keys(self) -> list[Any]:
        """Return the keys, newest first."""
        if self._key is None:
            return []
        from cryptography.fernet import Fernet  # noqa: PLC0415 - an extra

        try:
            text = self._key.read()
            if text != self._read[0]:
                self._read = text, [Fernet(each.strip()) for each in text.split(",")]
        except (OSError, ValueError) as error:
            words = error.strerror if isinstance(error, OSError) else "not 32 bytes as URL-safe base64"
            raise StoreError(f"storage.encryption_key cannot be used: {words}") from None
        return self._read[1]


def _decrypted(key: Any, kept: str) -> str | None:  # noqa: ANN401 - a Fernet, of an extra
    from cryptography.fernet import InvalidToken  # noqa: PLC0415 - likewise

    try:
        text: str = key.decrypt(kept.removeprefix(_MARK).encode()).decode()
    except InvalidToken:
        return None
    return text
