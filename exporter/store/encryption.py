"""Encrypts what must not be readable in a storage: refresh tokens, tickets, access tokens.

Fernet: AES-128-CBC with HMAC-SHA-256, keys that can be rotated.
Source: https://github.com/fernet/spec
"""

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any, Final, Protocol

from exporter.config.secret import Secret
from exporter.store.interface import StoreError
from exporter.store.resealed import Resealed

_MARK: Final = "sealed:"
Swap = Callable[[str, str, str], bool]
"""Is given a name, what is kept and the text; says whether nobody else changed it meanwhile."""


class Seal(Protocol):
    """Turns texts into texts for the storage and back."""

    def close(self, text: str) -> str:
        """The text as it is kept."""

    def open(self, kept: str) -> str:
        """The text again; raises StoreError where no key opens it."""

    def is_current(self, kept: str) -> bool:
        """Whether it would be kept in the same way today."""

    @property
    def old_keys(self) -> int:
        """How many keys decrypt and do not encrypt."""

    @property
    def all_current(self) -> bool:
        """Whether everything in the storage is kept as it would be today, as far as this exporter knows."""

    def found_current(self) -> None:
        """Take note that everything is."""


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

    def is_current(self, kept: str) -> bool:  # noqa: ARG002 - there is only one way
        """It is."""
        return True

    old_keys = 0
    all_current = True

    def found_current(self) -> None:
        """Do nothing: it always is."""


class KeySeal:
    """Encrypts with the newest key; texts from before there was a key are read as they are.

    The keys are read again each time, so that they can be replaced while exporters run.
    """

    def __init__(self, key: Secret) -> None:
        """Raises StoreError where the key cannot be read."""
        self._key = key
        self._read: tuple[str | None, list[Any]] = (None, [])
        self._current: list[Any] = []  # the keys with which everything was found current
        self._keys()

    def close(self, text: str) -> str:
        """Encrypted."""
        sealed: str = self._keys()[0].encrypt(text.encode()).decode()
        return _MARK + sealed

    def open(self, kept: str) -> str:
        """Decrypted; raises StoreError where no key fits."""
        if not kept.startswith(_MARK):
            return kept
        for key in self._keys():
            if (text := _decrypted(key, kept)) is not None:
                return text
        raise StoreError(
            "the storage was encrypted with another key: put the old one behind the new one in "
            "storage.encryption_key_file, separated by a comma"
        )

    def is_current(self, kept: str) -> bool:
        """Whether it is encrypted with the newest key."""
        return kept.startswith(_MARK) and _decrypted(self._keys()[0], kept) is not None

    @property
    def old_keys(self) -> int:
        """How many keys there are behind the newest."""
        return len(self._keys()) - 1

    @property
    def all_current(self) -> bool:
        """Whether everything was found current with these keys."""
        return self._keys() is self._current

    def found_current(self) -> None:
        """Take note that everything is current with these keys."""
        self._current = self._read[1]

    def _keys(self) -> list[Any]:
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
    from cryptography.fernet import InvalidToken  # noqa: PLC0415 - the same

    try:
        text: str = key.decrypt(kept.removeprefix(_MARK).encode()).decode()
    except InvalidToken:
        return None
    return text


def opened(seal: Seal, kept: str | None, reseal: Callable[[str], object]) -> str | None:
    """The text of what is kept, None of nothing; what another key or none has closed is given to `reseal`."""
    if kept is None:
        return None
    text = seal.open(kept)
    if not seal.is_current(kept):
        with suppress(StoreError):  # the next reading tries again
            reseal(text)
    return text


def reseal(seal: Seal, kinds: Iterable[tuple[Iterable[tuple[str, str]], Swap]]) -> Resealed:
    """Encrypt texts with the newest key.

    Args:
        seal: has the keys.
        kinds: names and texts as they are kept, and how to replace one.

    Raises:
        StoreError: the storage does not answer, or the keys cannot be read.
    """
    old_keys, changed, lost = seal.old_keys, 0, 0
    for kept, swap in kinds:
        for name, text in kept:
            if seal.is_current(text):
                continue
            try:
                opened_text = seal.open(text)
            except StoreError:
                lost += 1
            else:
                changed += swap(name, text, opened_text)
    if not lost:
        seal.found_current()
    return Resealed(changed, lost, old_keys)


def open_seal(key: Secret | None) -> Seal:
    """The seal for a configured key, or none."""
    return NoSeal() if key is None else KeySeal(key)
