"""The lines on which key paths of a YAML text stand: a second reading, for error messages only."""

from collections.abc import Collection
from contextlib import suppress

import yaml

from exporter.config.problems import KeyPath
from exporter.config.yaml_data import Reader
from exporter.config.yaml_events import UnusableError, line_of, parse


def lines(text: str, wanted: Collection[KeyPath]) -> dict[KeyPath, int]:
    """Return the line, from 1, of each wanted path: of its key, or of the nearest thing around it.

    Args:
        text: the file's text.
        wanted: key paths; missing keys and values behind an alias are fine.
    """
    near = {path[:length] for path in wanted for length in range(len(path) + 1)}
    found: dict[KeyPath, int] = {}
    reader = Reader({}, text)
    with suppress(UnusableError):  # what stands before it has its lines
        for event in parse(text) if wanted else ():
            is_key = reader.expects_key
            if is_key:
                reader.take(event)
            is_place = isinstance(event, yaml.NodeEvent) and (is_key or not reader.in_mapping)
            if is_place and reader.path in near:
                found.setdefault(reader.path, line_of(event))
            if not is_key:
                reader.take(event)
    return {path: _nearest(path, found) for path in wanted}


def _nearest(path: KeyPath, found: dict[KeyPath, int]) -> int:
    while path and path not in found:
        path = path[:-1]
    return found.get(path, 1)
