"""The problems of a configuration, in lines that give the place, the value found, and what is allowed.

A value is shown only if it cannot be a secret: never a value from the environment, nor one that looks like a
secret pasted into the wrong place.
"""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from exporter.config.environment import SubstitutedText

KeyPath = tuple[str | int, ...]
Pairs = tuple[tuple[str, str], ...]

_LONGEST_SHOWN: Final = 60
_PLAIN_KEY: Final = re.compile(r"[\w.-]{1,60}", re.ASCII)
_SECRET_LIKE: Final = re.compile(
    r"[0-9a-fA-F]{32}|@|://.*\?", re.DOTALL
)  # an AppSecret, a password, a key in a query


class ConfigError(Exception):
    """The configuration cannot be used; `problems` has one line each, ordered by file and line."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Problem:
    """A mistake at a key path of a file, on `line`; None for the line of the path, 0 for no line."""

    path: KeyPath
    what: str
    line: int | None = None

    def text(self, file: str, line: int) -> str:
        """Return the whole line: `config.yaml:14: apps[2].appid: 'wx12' is not an appid`."""
        parts = [f"{file}:{line}" if line else file, dotted(self.path), self.what]
        return ": ".join(part for part in parts if part)


@dataclass(slots=True)
class Problems:
    """The mistakes of a file, and the absolute folder of its relative paths.

    `shared` interns equal pairs of texts across all files.
    """

    folder: str
    shared: dict[Pairs, Pairs] = field(default_factory=dict)
    found: list[Problem] = field(default_factory=list)

    def add(self, path: KeyPath, what: str) -> None:
        """Note a mistake."""
        self.found.append(Problem(path, what))

    def absolute(self, written: str) -> str:
        """Make a path from the file absolute."""
        return os.path.join(self.folder, written)  # noqa: PTH118 - 100,000 of them, as texts

    def once(self, pairs: Iterable[tuple[str, str]]) -> Pairs:
        """Return the pairs as one tuple that all apps with equal pairs share."""
        found = tuple(pairs)
        return self.shared.setdefault(found, found)


def dotted(path: KeyPath) -> str:
    """Write a key path for people: `apps[2].labels.team`."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{key(part)}" for part in path)
    return text.removeprefix(".")


def key(name: str) -> str:
    """Return a key for an error: short, on one line, and not a secret."""
    return name if _PLAIN_KEY.fullmatch(name) and not _SECRET_LIKE.search(name) else shown(name)


def shown(text: str) -> str:
    """Quote a text of the configuration if it cannot be a secret, else return its length."""
    if isinstance(text, SubstitutedText):
        return f"{shown(text.written)} (with its value from the environment)"
    if _SECRET_LIKE.search(text):
        return f"a text of {len(text)} characters (not shown: it may be a secret)"
    return repr(text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…")
