"""What a single value may be: each rule reads one value and says in words what it allows.

The checks, the error messages and the reference in the docs are all made from the rules.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from exporter.config import durations
from exporter.config.problems import KeyPath, Problems, shown
from exporter.config.yaml_events import reason
from exporter.config.yaml_scalars import BROKEN, Scalar, ScalarKind, SubstitutedText, decimal, number

_BOOLEANS: Final = {"true": True, "false": False}


class NotAllowedError(ValueError):
    """A value that a rule does not allow; the text says why, and never shows a secret."""


class Rule(Protocol):
    """Reads one value of a file."""

    @property
    def allowed(self) -> str:
        """What the rule allows, in words; empty where the file's own words suffice."""

    def read(self, value: object, path: KeyPath, problems: Problems) -> object:
        """Return the value to keep; None where it is broken, or where a problem was added."""


class ValueRule(ABC):
    """A rule for a value that stands by itself."""

    __slots__ = ()

    @abstractmethod
    def parse(self, value: object) -> object:
        """Return the value to keep; raise NotAllowedError."""

    def read(self, value: object, path: KeyPath, problems: Problems) -> object:
        """Return the value to keep; None where it is broken, or where a problem was added."""
        if value is BROKEN:
            return None
        try:
            return self.parse(value)
        except NotAllowedError as error:
            problems.add(path, str(error))
            return None


@dataclass(frozen=True, slots=True)
class TextRule(ValueRule):
    """A text that `accept` takes.

    `accept` returns what is kept, and raises ValueError for what is not `allowed`, or NotAllowedError to
    give an advice of its own. `hidden` values are never shown.
    """

    allowed: str
    accept: Callable[[str], object] = str
    hidden: bool = False

    def parse(self, value: object) -> object:
        """Return what `accept` makes of the text."""
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
    """A file's path, made absolute; `made` turns it into what is kept.

    `made` may raise OSError or ValueError where the file cannot be used, or NotAllowedError to say in its own
    words what is wrong with it.
    """

    made: Callable[[str], object] = str
    allowed: str = "a file's path"

    def read(self, value: object, path: KeyPath, problems: Problems) -> object:
        """Return what is made of the path; None where it is broken, or where a problem was added."""
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
    """A number within bounds, plainly written or from the environment; a float unless `whole`.

    With `only`, no number but those. `words` say what is allowed where the bounds do not.
    """

    lowest: int
    highest: int
    words: str = ""
    whole: bool = True
    only: tuple[int, ...] = ()

    @property
    def allowed(self) -> str:
        """The bounds in words."""
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
    """`true` or `false`, plainly written or from the environment; `words` are what else stands for them."""

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
    """A duration within bounds in seconds, written as Prometheus writes it."""

    lowest: float
    highest: float

    @property
    def allowed(self) -> str:
        """The bounds in words."""
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
    """Accept any text but an empty one."""
    if not text.strip():
        raise ValueError("empty")
    return text


def wrong_kind(value: object, allowed: str, advice: str = "") -> NotAllowedError:
    """Return the error for a value of another kind than is needed; it shows no value but yes and no."""
    return NotAllowedError(f"found {kind_of(value)}, {allowed} is needed{advice}")


def kind_of(value: object) -> str:
    """Say what kind of thing a value is."""
    if isinstance(value, Scalar):
        return f"boolean {value.written}" if value.kind is ScalarKind.BOOLEAN else value.kind.value
    if isinstance(value, dict):
        return "a mapping"
    return "a list" if isinstance(value, list) else "a text"


def _written(value: object) -> str:
    if isinstance(value, Scalar):
        return value.written
    return shown(value) if isinstance(value, str) else kind_of(value)
