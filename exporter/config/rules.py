"""What a single value may be: each rule reads one value and says in words what it allows.

The rules are the annotations of the schema's fields; pydantic calls them before its own checks, so that
a refusal is always in our words. `wording` adds what was found, unless the rule is `hidden`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from exporter.config import durations
from exporter.config.scalars import Kind, Scalar, Substituted, decimal, number

_BOOLEANS: Final = {"true": True, "false": False}


class RefusedError(ValueError):
    """A value that a rule does not allow, with advice of its own; never quotes the value."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A text that `read` accepts.

    `read` gives the value to keep and raises ValueError for what is not `allowed`, or `RefusedError` with
    an advice. `hidden` values are never shown.
    """

    allowed: str
    read: Callable[[str], object] = str
    hidden: bool = False

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401
        return core_schema.no_info_before_validator_function(self.check, handler(source))

    def check(self, value: object) -> object:
        """The value to keep; raises pydantic's error type, which pydantic collects."""
        if not isinstance(value, str):
            raise wrong_kind(value, self.allowed, _quotes(value))
        try:
            return self.read(value)
        except RefusedError as error:
            raise PydanticCustomError("refused", "{what}", {"what": str(error)}) from None
        except ValueError:
            kind = "not_allowed_hidden" if self.hidden else "not_allowed"
            raise PydanticCustomError(kind, "{what}", {"what": f"is not {self.allowed}"}) from None


@dataclass(frozen=True, slots=True)
class NumberRule:
    """A number within bounds, plainly written or from the environment; a float unless `whole`.

    With `only`, no number but those.
    """

    allowed: str
    lowest: int
    highest: int
    whole: bool = True
    only: tuple[int, ...] = ()

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401
        return core_schema.no_info_before_validator_function(self.check, handler(source))

    def check(self, value: object) -> int | float:
        """The number; raises pydantic's error type, which pydantic collects."""
        found = number(value)
        if found is None and isinstance(value, str):
            advice = ": write it without quotes" if decimal(value) is not None and found is None else ""
            raise PydanticCustomError("not_allowed", "{what}", {"what": f"is not {self.allowed}{advice}"})
        if found is None:
            odd = isinstance(value, Scalar) and value.kind is Kind.ODD_NUMBER
            raise wrong_kind(value, self.allowed, ": write plain decimal digits" if odd else "")
        outside = not self.lowest <= found <= self.highest or (self.only and found not in self.only)
        if outside or (self.whole and not isinstance(found, int)):
            raise PydanticCustomError("not_allowed", "{what}", {"what": f"is not {self.allowed}"})
        return found if self.whole else float(found)


@dataclass(frozen=True, slots=True)
class BooleanRule:
    """`true` or `false`, plainly written or from the environment."""

    allowed: str = "true or false"

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401
        return core_schema.no_info_before_validator_function(self.check, handler(source))

    def check(self, value: object) -> bool:
        """The boolean; raises pydantic's error type, which pydantic collects."""
        if isinstance(value, Scalar) or not isinstance(value, str):
            written = value.written if isinstance(value, Scalar) else ""
            if written in _BOOLEANS:
                return _BOOLEANS[written]
            raise wrong_kind(value, self.allowed)
        if isinstance(value, Substituted) and value in _BOOLEANS:
            return _BOOLEANS[value]
        advice = ": write it without quotes" if value in _BOOLEANS else ""
        raise PydanticCustomError("not_allowed", "{what}", {"what": f"is not {self.allowed}{advice}"})


@dataclass(frozen=True, slots=True)
class DurationRule:
    """A duration within bounds in seconds, written as Prometheus writes it."""

    lowest: float
    highest: float

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401
        return core_schema.no_info_before_validator_function(self.check, handler(source))

    @property
    def allowed(self) -> str:
        """The bounds in words."""
        return f"a duration from {durations.written(self.lowest)} to {durations.written(self.highest)}"

    def check(self, value: object) -> float:
        """The duration in seconds; raises pydantic's error type, which pydantic collects."""
        allowed = f"{self.allowed} (such as 30s or 1h30m)"
        if not isinstance(value, str):
            plain = isinstance(value, Scalar) and value.kind is Kind.WHOLE
            raise wrong_kind(value, self.allowed if plain else allowed, _unit(value))
        try:
            seconds = durations.parse(value)
        except ValueError:
            seconds = -1
        if not self.lowest <= seconds <= self.highest:
            raise PydanticCustomError("not_allowed", "{what}", {"what": f"is not {allowed}"})
        return seconds


AnyRule = Rule | NumberRule | BooleanRule | DurationRule


def wrong_kind(value: object, allowed: str, advice: str = "") -> PydanticCustomError:
    """The error for a value of another kind than the one that is needed; shows no value but yes and no."""
    what = f"found {found(value)}, {allowed} is needed{advice}"
    return PydanticCustomError("wrong_kind", "{what}", {"what": what})


def found(value: object) -> str:
    """What kind of thing a value is, in words."""
    if isinstance(value, Scalar):
        return f"boolean {value.written}" if value.kind is Kind.BOOLEAN else value.kind.value
    if isinstance(value, dict):
        return "a mapping"
    return "a list" if isinstance(value, list) else "a text"


def _quotes(value: object) -> str:
    quotable = isinstance(value, Scalar) and value.kind is not Kind.NOTHING
    return ": write it in quotes" if quotable else ""


def _unit(value: object) -> str:
    return f": write {value.written}s" if isinstance(value, Scalar) and value.kind is Kind.WHOLE else ""
