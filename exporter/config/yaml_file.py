"""A YAML file: its data (dict, list, str, `Scalar`), and its mistakes with their lines.

No tree of nodes is kept, as 100,000 apps would need half a gigabyte for it. A second reading, only after a
mistake, finds the lines of key paths.
"""

from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

from exporter.config import yaml_events, yaml_scalars
from exporter.config.environment import is_text, substitute
from exporter.config.problems import KeyPath, Problem, Problems
from exporter.config.yaml_events import UnusableError, line_of
from exporter.config.yaml_scalars import BROKEN, Scalar, ScalarKind

_DEEPEST: Final = 20
_ALIAS_ALLOWANCE: Final = 100_000  # values allowed beyond one per character of the file


@dataclass(slots=True, eq=False)
class ConfigFile:
    """A file with its text (None if unreadable), its data (BROKEN if unusable) and its mistakes so far."""

    path: Path
    text: str | None
    data: object
    problems: Problems

    @classmethod
    def read(cls, path: Path, environ: Mapping[str, str], problems: Problems) -> "ConfigFile":
        """Read a file, with `environ` for `${NAME}`, and add its mistakes to `problems`."""
        text = None
        try:
            text = yaml_events.text_of(path)
            reader = _Reader(text, environ)
            data = reader.document()
        except UnusableError as error:
            problems.found.append(Problem((), error.what, error.line or 0))
            return cls(path, text, BROKEN, problems)
        problems.found += reader.problems
        return cls(path, text, data, problems)

    def section(self, key: str) -> object:
        """Return the value of a top-level key; None if it is absent."""
        return self.data.get(key) if isinstance(self.data, dict) else None

    def items(self, key: str) -> list[object]:
        """Return the list under a top-level key; an empty one if it is absent."""
        found = self.section(key)
        return found if isinstance(found, list) else []

    def lines(self, paths: Collection[KeyPath]) -> dict[KeyPath, int]:
        """Return the line, from 1, of each key path, or of its nearest ancestor."""
        if not self.text or not paths:
            return {}
        reader = _Reader(self.text, {}, {path[:length] for path in paths for length in range(len(path) + 1)})
        with suppress(UnusableError):  # the lines before the error are known
            reader.document()
        return {path: _nearest(path, reader.lines) for path in paths}

    def report(self) -> list[str]:
        """Return the mistakes in words, in the order of lines."""
        lines = self.lines({problem.path for problem in self.problems.found if problem.line is None})
        placed = [
            (lines.get(problem.path, 0) if problem.line is None else problem.line, problem)
            for problem in self.problems.found
        ]
        placed.sort(key=lambda pair: pair[0])
        return [problem.text(str(self.path), line) for line, problem in placed]


def _nearest(path: KeyPath, lines: Mapping[KeyPath, int]) -> int:
    while path and path not in lines:
        path = path[:-1]
    return lines.get(path, 1)


class _Reader:
    """Reads a document value by value; `lines` maps those key paths of `near` that exist to their lines.

    The limit on values, with aliases followed, grows with the text.
    """

    def __init__(self, text: str, environ: Mapping[str, str], near: Collection[KeyPath] = ()) -> None:
        self.problems: list[Problem] = []
        self.lines: dict[KeyPath, int] = {}
        self._events = yaml_events.parse(text)
        self._environ = environ
        self._near = near
        self._path: list[str | int] = []  # key path of the current value
        self._count, self._limit = 0, len(text) + _ALIAS_ALLOWANCE
        self._anchors: dict[str, tuple[object, int] | None] = {}  # and the number of values

    def document(self) -> object:
        """Return the data, with `${NAME}` replaced from the environment.

        Raises:
            UnusableError: no data (bad syntax, several documents, too deep, too large, empty).
        """
        documents: list[object] = []
        for event in self._events:
            if isinstance(event, yaml.NodeEvent):
                documents.append(self._value(event))
            elif isinstance(event, yaml.DocumentStartEvent) and documents:
                raise UnusableError("a second document ('---') is not allowed", line_of(event))
        found = documents[0] if documents else None
        if found is None or (isinstance(found, Scalar) and found.kind is ScalarKind.NOTHING):
            raise UnusableError("the file is empty", 1)
        return found

    def _value(self, event: yaml.Event) -> object:
        """Return the value that begins with an event."""
        self._note(event)
        if isinstance(event, yaml.AliasEvent):
            return self._anchored(event)
        self._grow(1, event)
        before, anchor = self._count, getattr(event, "anchor", None)
        if anchor is not None:
            self._anchors[anchor] = None  # only once it is complete
        value = self._scalar(event) if isinstance(event, yaml.ScalarEvent) else self._collection(event)
        if anchor is not None:
            self._anchors[anchor] = value, self._count - before + 1
        return value

    def _collection(self, event: yaml.Event) -> object:
        if len(self._path) >= _DEEPEST:
            raise UnusableError(f"nested more than {_DEEPEST} levels deep", line_of(event))
        if getattr(event, "tag", None) is not None:
            self._report("tags are not allowed", event)
        return self._mapping() if isinstance(event, yaml.MappingStartEvent) else self._list()

    def _list(self) -> list[object]:
        found: list[object] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            self._path.append(len(found))
            found.append(self._value(event))
            self._path.pop()
        return found

    def _mapping(self) -> dict[str, object]:
        found: dict[str, object] = {}
        lines: dict[str, int] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                what = "an alias" if isinstance(event, yaml.AliasEvent) else "a mapping or list"
                raise UnusableError(f"a key must be a text, not {what}", line_of(event))
            key = event.value
            self._path.append(key)
            self._note(event)
            taken = self._is_good_key(event, lines.get(key))
            lines.setdefault(key, line_of(event))
            value = self._value(next(self._events))
            if taken:
                found[key] = value
            self._path.pop()
        return found

    def _is_good_key(self, event: yaml.ScalarEvent, first: int | None) -> bool:
        """Return whether to use the key's value; `first` is the line of an earlier equal key, if any."""
        if first is not None:
            self._report(f"duplicate key (first on line {first})", event)
        elif event.value == "<<" and event.implicit[0]:
            self._report("merge keys are not supported: write the keys out", event)
        else:
            if event.tag is not None:
                self._report("tags are not allowed: leave out the part from '!' to the key", event)
            return True
        return False

    def _scalar(self, event: yaml.ScalarEvent) -> object:
        if event.tag is not None:
            return self._broken("tags are not allowed (a text that begins with '!' needs quotes)", event)
        value = yaml_scalars.plain(event.value) if event.implicit[0] else event.value
        if not isinstance(value, str):
            return value
        if not is_text(value):
            return self._broken("NUL and half surrogate pairs are not allowed in a text", event)
        if "$" not in value:
            return value
        try:
            return substitute(value, self._environ)
        except ValueError as error:
            return self._broken(str(error), event)

    def _anchored(self, event: yaml.AliasEvent) -> object:
        if event.anchor not in self._anchors:
            return self._broken("alias without an anchor (a text that begins with '*' needs quotes)", event)
        anchored = self._anchors[event.anchor]
        if anchored is None:
            raise UnusableError("an alias inside the value that it stands for", line_of(event))
        value, size = anchored
        self._grow(size, event)
        return value

    def _grow(self, size: int, event: yaml.Event) -> None:
        self._count += size
        if self._count > self._limit:
            raise UnusableError("aliases make the file many times larger than it is written", line_of(event))

    def _note(self, event: yaml.Event) -> None:
        if self._near and (path := tuple(self._path)) in self._near:
            self.lines.setdefault(path, line_of(event))

    def _broken(self, what: str, event: yaml.Event) -> Scalar:
        self._report(what, event)
        return BROKEN

    def _report(self, what: str, event: yaml.Event) -> None:
        self.problems.append(Problem(tuple(self._path), what, line_of(event)))
