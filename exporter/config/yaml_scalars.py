"""The scalars of a YAML file: the silent meaning of unquoted texts.

YAML 1.1 reads `no` as false, `010` as eight and `10:30` as 630. This module does not guess: a `Scalar` keeps
the text of the file, and only plain decimal numbers count as numbers.
"""

import re
from dataclasses import dataclass
from enum import Enum
from typing import Final

import yaml

from exporter.config.environment import SubstitutedText


class ScalarKind(Enum):
    """The type that YAML gives an unquoted text; the value is its noun for an error."""

    NOTHING = "nothing"
    BOOLEAN = "boolean"
    WHOLE = "a number"
    DECIMAL = "a decimal number"
    ODD_NUMBER = "a number in a special notation"  # octal, hexadecimal, base 60, 1_000, .inf
    DATE = "a date"
    BROKEN = "something broken"  # already reported; suppresses follow-up errors


@dataclass(frozen=True, slots=True)
class Scalar:
    """A value that is not a text: its kind in YAML and its text in the file."""

    kind: ScalarKind
    written: str


BROKEN: Final = Scalar(ScalarKind.BROKEN, "")


_TAGS: Final = {
    "tag:yaml.org,2002:null": ScalarKind.NOTHING,
    "tag:yaml.org,2002:bool": ScalarKind.BOOLEAN,
    "tag:yaml.org,2002:int": ScalarKind.ODD_NUMBER,
    "tag:yaml.org,2002:float": ScalarKind.ODD_NUMBER,
    "tag:yaml.org,2002:timestamp": ScalarKind.DATE,
}
_RESOLVERS: Final = yaml.SafeLoader.yaml_implicit_resolvers
_WHOLE: Final = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})")
_DECIMAL: Final = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})\.[0-9]{1,18}")


def plain(written: str) -> str | Scalar:
    """Return the scalar that YAML 1.1 makes of an unquoted, untagged text, or the text itself."""
    for tag, pattern in _RESOLVERS.get(written[:1], ()):
        if pattern.match(written):
            kind = _TAGS.get(tag)  # `<<` and `=` stay texts
            return written if kind is None else Scalar(_number(written) or kind, written)
    return written


def _number(written: str) -> ScalarKind | None:
    if _WHOLE.fullmatch(written):
        return ScalarKind.WHOLE
    return ScalarKind.DECIMAL if _DECIMAL.fullmatch(written) else None


def number(value: object) -> int | float | None:
    """Return the number in a plain scalar or in a text from the environment; None if it is none."""
    if isinstance(value, Scalar):
        return decimal(value.written)
    return decimal(value) if isinstance(value, SubstitutedText) else None


def decimal(written: str) -> int | float | None:
    """Parse plain decimal digits; return None for any other notation."""
    if _WHOLE.fullmatch(written):
        return int(written)
    return float(written) if _DECIMAL.fullmatch(written) else None
