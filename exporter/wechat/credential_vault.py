"""The vault for credentials that must outlive the process: the interface that WeChat's side needs."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar

_Value = TypeVar("_Value")
_AHEAD_SECONDS: Final = 300.0
_TRIES: Final = 10


class VaultError(Exception):
    """A credential cannot be read or stored; the text says what to do."""


class Leases(Protocol):
    """Leases for work that one of several exporters does. Every method raises VaultError."""

    def take(self, work: str, seconds: float) -> bool:
        """Take or extend the lease for some work for `seconds`; return False if another exporter has it."""

    def give_back(self, work: str) -> None:
        """End this exporter's lease for some work."""


class Vault(Protocol):
    """Keeps texts under keys; safe to use from many threads."""

    @property
    def leases(self) -> Leases | None:
        """Return the leases of the exporters that share the vault; None if it is one exporter's alone."""

    def credential(self, key: str) -> str | None:
        """Return the text under a key; None without one; raise VaultError."""

    def put(self, key: str, expected: str | None, new: str) -> bool:
        """Replace `expected` (None: no text) by `new` atomically and durably.

        A kill right after the return loses nothing. The call may be repeated if its answer got lost: a stored
        `new` counts as success.

        Returns:
            False if another text is stored: read it, and decide again.

        Raises:
            VaultError: the storage does not answer.
        """


@dataclass(frozen=True, slots=True)
class Record(Generic[_Value]):
    """A value under a key of a vault, as JSON; other exporters may write it at the same time.

    `of_json` converts JSON into the value, `to_json` the reverse. Methods raise VaultError if the vault does
    not answer.
    """

    vault: Vault
    key: str
    of_json: Callable[[Any], _Value]
    to_json: Callable[[_Value], object]

    def load(self) -> _Value | None:
        """Return the value; None if there is none, or an unintelligible one."""
        return self._read(self.vault.credential(self.key))

    def save(self, choose: Callable[[_Value | None], _Value | None]) -> _Value | None:
        """Replace the stored value by the result of `choose`, unless that is None, and return the result."""
        for _ in range(_TRIES):
            text = self.vault.credential(self.key)
            new = choose(self._read(text))
            if new is None or self.vault.put(self.key, text, json.dumps(self.to_json(new))):
                return new
        raise VaultError("the storage gives back another value than it compares with")

    def _read(self, text: str | None) -> _Value | None:
        with suppress(ValueError, TypeError, LookupError, AttributeError):
            return self.of_json(json.loads(text or ""))
        return None


def credible(moment: float, now: float) -> float:
    """Return a Unix time, or 0 (never) if it is so far in the future that a clock was wrong."""
    return moment if moment <= now + _AHEAD_SECONDS else 0.0
