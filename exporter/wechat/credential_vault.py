"""Where credentials are kept that must outlive the process: what WeChat's side needs of a storage."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Generic, Protocol, TypeVar

_Value = TypeVar("_Value")
_AHEAD_SECONDS: Final = 300.0
_TRIES: Final = 10


class VaultError(Exception):
    """A credential could not be read or kept; the text says what to do."""


class Leases(Protocol):
    """Work of which one exporter of all is enough. Every method raises VaultError."""

    def take(self, work: str, seconds: float) -> bool:
        """Take the lease for some work, or keep it, for so long; False where another exporter has it."""

    def give_back(self, work: str) -> None:
        """End this exporter's lease."""


class Vault(Protocol):
    """Keeps texts under keys; safe to use from many threads."""

    @property
    def leases(self) -> Leases | None:
        """Those of all exporters that use the vault; None where it is one exporter's alone."""

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


@dataclass(frozen=True, slots=True)
class Record(Generic[_Value]):
    """A value kept in a vault under one key, as JSON; other exporters may write it at the same time.

    `of_json` makes the value of what stands there, `to_json` the reverse. A method raises VaultError where
    the vault does not answer.
    """

    vault: Vault
    key: str
    of_json: Callable[[Any], _Value]
    to_json: Callable[[_Value], object]

    def load(self) -> _Value | None:
        """Return the value; None where there is none that can be understood."""
        return self._read(self.vault.credential(self.key))

    def save(self, choose: Callable[[_Value | None], _Value | None]) -> _Value | None:
        """Put what `choose` makes of the value kept in its place, unless that is None; return it."""
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
    """The moment, 0 (never) where it is so far in the future that a clock was wrong."""
    return moment if moment <= now + _AHEAD_SECONDS else 0.0
