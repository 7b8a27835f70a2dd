"""One YAML file as plain data (dict, list, str, `Scalar`), read from the parser's events.

No tree of nodes is kept, because 100,000 apps would need half a gigabyte for it. Lines are looked up by
a second reading, only when there is a mistake to report (see `positions`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import yaml

from exporter.config import yaml_scalars
from exporter.config.problems import KeyPath, Problem
from exporter.config.yaml_events import UnusableError, line_of, parse
from exporter.config.yaml_scalars import BROKEN, Scalar

_DEEPEST: Final = 20
_ALIAS_ALLOWANCE: Final = 100_000  # values beyond one per character of the file


def read(text: str, environ: Mapping[str, str]) -> tuple[object, list[Problem]]:
    """Return the data of one YAML document, and its mistakes; `${NAME}` is replaced from `environ`.

    Raises:
        UnusableError: what was read so far means nothing (syntax, several documents, too deep, too large).
    """
    reader = Reader(environ, text)
    for event in parse(text):
        reader.take(event)
    root = reader.root
    if not root or (isinstance(root[0], Scalar) and root[0].kind is yaml_scalars.ScalarKind.NOTHING):
        raise UnusableError("the file is empty", 1)
    return root[0], reader.problems


@dataclass(slots=True)
class _Frame:
    """A mapping or list that is being read; `key` waits for its value, `lines` has the line of each key."""

    container: dict[str, object] | list[object]
    anchor: str | None
    start: int
    key: str | None = None
    discard: bool = False
    lines: dict[str, int] = field(default_factory=dict)


class Reader:
    """Builds the data event by event; a long text may have more values, aliases followed."""

    def __init__(self, environ: Mapping[str, str], text: str) -> None:
        self.root: list[object] = []
        self.problems: list[Problem] = []
        self._environ = environ
        self._limit = len(text) + _ALIAS_ALLOWANCE
        self._count = 0
        self._frames = [_Frame(self.root, None, 0)]
        self._anchors: dict[str, tuple[object, int] | None] = {}

    @property
    def in_mapping(self) -> bool:
        """Whether a key or its value comes next."""
        return isinstance(self._frames[-1].container, dict)

    @property
    def expects_key(self) -> bool:
        """Whether a key comes next, unless the mapping ends."""
        return self.in_mapping and self._frames[-1].key is None

    @property
    def path(self) -> KeyPath:
        """The path of the key or item that is being read."""
        parts = (
            len(frame.container) if isinstance(frame.container, list) else frame.key
            for frame in self._frames[1:]
        )
        return tuple(part for part in parts if part is not None)

    def take(self, event: yaml.Event) -> None:
        """Add the next event."""
        frame = self._frames[-1]
        if isinstance(event, yaml.ScalarEvent):
            if isinstance(frame.container, dict) and frame.key is None:
                self._key(frame, frame.container, event)
            else:
                self._scalar(frame, event)
        elif isinstance(event, yaml.CollectionStartEvent):
            self._open(event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._close()
        elif isinstance(event, yaml.AliasEvent):
            self._alias(frame, event)
        elif isinstance(event, yaml.DocumentStartEvent) and self.root:
            raise UnusableError("a second document ('---') is not allowed", line_of(event))

    def _key(self, frame: _Frame, container: dict[str, object], event: yaml.ScalarEvent) -> None:
        key = event.value
        frame.key = key
        if key in container or key in frame.lines:
            frame.discard = True
            self._report(f"duplicate key (first on line {frame.lines[key]})", event)
            return
        frame.lines[key] = line_of(event)
        if key == "<<" and event.implicit[0]:
            frame.discard = True
            self._report("merge keys are not supported: write the keys out", event)
        elif event.tag is not None:
            self._report("tags are not allowed: leave out the part from '!' to the key", event)

    def _scalar(self, frame: _Frame, event: yaml.ScalarEvent) -> None:
        value: object = yaml_scalars.plain(event.value) if event.implicit[0] else event.value
        if event.tag is not None:
            self._report("tags are not allowed (a text that begins with '!' needs quotes)", event)
            value = BROKEN
        elif isinstance(value, str):
            value = self._text(value, event)
        self._grow(1, event)
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, 1)
        self._put(frame, value)

    def _text(self, value: str, event: yaml.Event) -> object:
        if not yaml_scalars.is_text(value):
            self._report("NUL and half surrogate pairs are not allowed in a text", event)
            return BROKEN
        if "$" not in value:
            return value
        try:
            return yaml_scalars.substitute(value, self._environ)
        except ValueError as error:
            self._report(str(error), event)
            return BROKEN

    def _open(self, event: yaml.CollectionStartEvent) -> None:
        if self.expects_key:
            raise UnusableError("a key must be a text, not a mapping or list", line_of(event))
        if len(self._frames) > _DEEPEST:
            raise UnusableError(f"nested more than {_DEEPEST} levels deep", line_of(event))
        if event.tag is not None:
            self._report("tags are not allowed", event)
        self._grow(1, event)
        if event.anchor is not None:
            self._anchors[event.anchor] = None  # not before it is closed
        container: dict[str, object] | list[object] = {} if isinstance(event, yaml.MappingStartEvent) else []
        self._frames.append(_Frame(container, event.anchor, self._count))

    def _close(self) -> None:
        frame = self._frames.pop()
        if frame.anchor is not None:
            self._anchors[frame.anchor] = (frame.container, self._count - frame.start + 1)
        self._put(self._frames[-1], frame.container)

    def _alias(self, frame: _Frame, event: yaml.AliasEvent) -> None:
        if self.expects_key:
            raise UnusableError("a key must be a text, not an alias", line_of(event))
        if event.anchor not in self._anchors:
            self._report("alias without an anchor (a text that begins with '*' needs quotes)", event)
            self._put(frame, BROKEN)
            return
        anchored = self._anchors[event.anchor]
        if anchored is None:
            raise UnusableError("an alias inside the value that it stands for", line_of(event))
        value, size = anchored
        self._grow(size, event)
        self._put(frame, value)

    def _grow(self, size: int, event: yaml.Event) -> None:
        self._count += size
        if self._count > self._limit:
            raise UnusableError("aliases make the file many times larger than it is written", line_of(event))

    def _put(self, frame: _Frame, value: object) -> None:
        if isinstance(frame.container, list):
            frame.container.append(value)
            return
        if frame.key is not None and not frame.discard:
            frame.container[frame.key] = value
        frame.key = None
        frame.discard = False

    def _report(self, what: str, event: yaml.Event) -> None:
        self.problems.append(Problem(self.path, what, line_of(event)))
