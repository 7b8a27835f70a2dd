"""Rules for single values: each reads a value and describes in words what it allows.

Checks, error messages and the reference in the docs come from the rules.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from exporter.config import durations
from exporter.config.environment import SubstitutedText
from exporter.config.problems import KeyPath, Problems, shown
from exporter.config.yaml_events import reason
from exporter.config.yaml_scalars import BROKEN, Scalar, ScalarKind, decimal, number

_BOOLEANS: Final = {"true": True, "false": False}


class NotAllowedError(ValueError):
    """A rule does not allow a value; the text says why without showing a secret."""


class Rule(Protocol):
    """A rule for one value of a file."""

    @property
    def allowed(self) -> str:
        """Return what the rule allows, in words; empty if the meaning of the key says it."""

    def read(self, value: object, path: KeyPath, problems: Problems) -> object:
        """Return the value to keep; None if it is broken or has a problem."""


class ValueRule(ABC):
    """A rule for a single value, whatever stands beside it."""

    __slots__ = ()

    @abstractmethod
    def parse(self, value: object) -> object:
        """Return the value to keep; raise NotAllowedError."""

    def read(self, value: object, path: KeyPath, problems: Problems) -> object:
        """Return the value to keep; None if it is broken or has a problem."""
        if value is BROKEN:
            return None
        try:
            return self.parse(value)
        except NotAllowedError as error:
            problems.add(path, str(error))
            return None


@dataclass(frozen=True, slots=True)
class TextRule(ValueRule):
    """A text that `accept` converts.

    `accept` returns the value to keep; it raises ValueError for a text that is not `allowed`, or
    NotAllowedError with specific advice. No error shows `hidden` values.
    """

    allowed: str
    accept: Callable[[str], object] = str
    hidden: bool = False

    def parse(self, value: object) -> object:
        """Convert the text by `accept`."""
        if not isinstance(value, str):
            advice = ": write it in quotes" if isinstance(value, Scalar) else ""
            if isinstance(value, Scalar) and value.kind is ScalarKind.NOTHING:
                advice = ": a text that begins with # needs quotes"
            raise wrong_kind(value, self.allowed, advice)
        try:
            return self.accept(str(value))
        except NotAllowedError:
            raise
        except ValueError:
            text = "the text" if self.hidden else shown(value)
            raise NotAllowedError(f"{text} is not {self.allowed}") from None


@dataclass(frozen=True, slots=True)
class FileRule:
    """A file's path, made absolute; `made` converts it into the value to keep.

    `made` may raise OSError or ValueError for an unusable file, or NotAllowedError with its own explanation.
    """

    made: Callable[[str], object] = str
    allowed: str = "a file's path"

    def read(self, value: object, path: KeyPath, problems: Problems) -> object:
        """Return the value that `made` makes of the path; None if it is broken or has a problem."""
        written = TextRule(self.allowed, filled).read(value, path, problems)
        if not isinstance(written, str):
            return None
        try:
            return self.made(problems.absolute(written))
        except NotAllowedError as error:
            problems.add(path, f"{shown(written)} {error}")
        except (OSError, ValueError) as error:
            problems.add(path, f"{shown(written)} cannot be used: {reason(error)}")
        return None


@dataclass(frozen=True, slots=True)
class NumberRule(ValueRule):
    """A number within bounds, in decimal digits or from the environment; a float unless `whole`.

    `only` lists the allowed numbers. `words` replace the bounds in messages.
    """

    lowest: int
    highest: int
    words: str = ""
    whole: bool = True
    only: tuple[int, ...] = ()

    @property
    def allowed(self) -> str:
        """Return the bounds in words."""
        return self.words or f"a whole number from {self.lowest} to {self.highest}"

    def parse(self, value: object) -> int | float:
        """Return the number."""
        read = number(value)
        if read is None and not isinstance(value, str):
            odd = isinstance(value, Scalar) and value.kind is ScalarKind.ODD_NUMBER
            raise wrong_kind(value, self.allowed, ": write plain decimal digits" if odd else "")
        if read is not None and self._holds(read):
            return read if self.whole else float(read)
        quoted = read is None and isinstance(value, str) and decimal(value) is not None
        advice = ": write it without quotes" if quoted else ""
        raise NotAllowedError(f"{_written(value)} is not {self.allowed}{advice}")

    def _holds(self, read: float) -> bool:
        inside = self.lowest <= read <= self.highest and (not self.only or read in self.only)
        return inside and (not self.whole or isinstance(read, int))


@dataclass(frozen=True, slots=True)
class BooleanRule(ValueRule):
    """`true` or `false`, in the file or from the environment; `words` are accepted synonyms."""

    allowed: str = "true or false"
    words: tuple[tuple[str, bool], ...] = tuple(_BOOLEANS.items())

    def parse(self, value: object) -> bool:
        """Return the boolean."""
        words = dict(self.words)
        text = value.written if isinstance(value, Scalar) else value
        if isinstance(value, Scalar | SubstitutedText) and text in words:
            return words[str(text)]
        if not isinstance(value, str):
            raise wrong_kind(value, self.allowed)
        advice = ": write it without quotes" if value in words else ""
        raise NotAllowedError(f"{shown(value)} is not {self.allowed}{advice}")


@dataclass(frozen=True, slots=True)
class DurationRule(ValueRule):
    """A duration in Prometheus' notation, within bounds in seconds."""

    lowest: float
    highest: float

    @property
    def allowed(self) -> str:
        """Return the bounds in words."""
        return f"a duration from {durations.written(self.lowest)} to {durations.written(self.highest)}"

    def parse(self, value: object) -> float:
        """Return the duration in seconds."""
        allowed = f"{self.allowed} (such as 30s or 1h30m)"
        if isinstance(value, Scalar) and value.kind is ScalarKind.WHOLE:
            raise wrong_kind(value, self.allowed, f": write {value.written}s")
        if not isinstance(value, str):
            raise wrong_kind(value, allowed)
        try:
            seconds = durations.parse(value)
        except ValueError:
            seconds = -1
        if not self.lowest <= seconds <= self.highest:
            raise NotAllowedError(f"{shown(value)} is not {allowed}")
        return seconds


def filled(text: str) -> str:
    """Return the text; raise ValueError for an empty one."""
    if not text.strip():
        raise ValueError("empty")
    return text


def wrong_kind(value: object, allowed: str, advice: str = "") -> NotAllowedError:
    """Return the error for a value of a wrong kind, which it does not show unless it is yes or no."""
    return NotAllowedError(f"found {kind_of(value)}, {allowed} is needed{advice}")


def kind_of(value: object) -> str:
    """Name the kind of a value, for an error."""
    if isinstance(value, Scalar):
        return f"boolean {value.written}" if value.kind is ScalarKind.BOOLEAN else value.kind.value
    if isinstance(value, dict):
        return "a mapping"
    return "a list" if isinstance(value, list) else "a text"


def _written(value: object) -> str:
    if isinstance(value, Scalar):
        return value.written
    return shown(value) if isinstance(value, str) else kind_of(value)
