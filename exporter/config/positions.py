"""The lines on which key paths of a YAML text stand: a second reading, for error messages only."""

from collections.abc import Collection
from dataclasses import dataclass

import yaml

from exporter.config.problems import KeyPath
from exporter.config.source import line_of, parse


@dataclass(slots=True)
class _Level:
    """A mapping (`key`: the one whose value comes) or a list (`index`: the item that comes)."""

    is_list: bool
    key: str | None = None
    index: int = 0


def lines(text: str, wanted: Collection[KeyPath]) -> dict[KeyPath, int]:
    """The line, from 1, of each wanted path: of its key, or of the nearest thing around it that is there.

    Args:
        text: a text that was read before without `UnusableError`.
        wanted: key paths; missing keys and values behind an alias are fine.
    """
    near = {path[:length] for path in wanted for length in range(len(path) + 1)}
    found: dict[KeyPath, int] = {}
    levels: list[_Level] = []

    def note(event: yaml.Event) -> None:
        path = tuple(level.index if level.is_list else level.key or "" for level in levels)
        if path in near:
            found.setdefault(path, line_of(event))

    for event in parse(text) if wanted else ():
        if isinstance(event, yaml.CollectionEndEvent):
            levels.pop()
            _advance(levels)
        elif isinstance(event, yaml.NodeEvent):
            if levels and not levels[-1].is_list and levels[-1].key is None:
                levels[-1].key = event.value if isinstance(event, yaml.ScalarEvent) else ""
                note(event)
                continue
            if not levels or levels[-1].is_list:
                note(event)
            if isinstance(event, yaml.CollectionStartEvent):
                levels.append(_Level(isinstance(event, yaml.SequenceStartEvent)))
            else:
                _advance(levels)
    return {path: _nearest(path, found) for path in wanted}


def _advance(levels: list[_Level]) -> None:
    if levels:
        levels[-1].index += 1
        levels[-1].key = None


def _nearest(path: KeyPath, found: dict[KeyPath, int]) -> int:
    while path and path not in found:
        path = path[:-1]
    return found.get(path, 1)
