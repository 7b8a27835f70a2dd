"""All keys of the configuration as rows of a table, made from the schema for the generated docs."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from exporter.config import durations
from exporter.config.lists import ListRule
from exporter.config.rules import DurationRule
from exporter.config.sections import REQUIRED, TYPE, Choice, Key, Section, Switch
from exporter.config.settings import MAIN_FILE


class KeyRow(NamedTuple):
    """A key's path, allowed values, default and meaning."""

    key: str
    allowed: str
    default: str
    description: str


def rows() -> list[KeyRow]:
    """Return every key; a default is 'required', '' for none, or YAML."""
    return list(_rows(MAIN_FILE, ""))


def _rows(section: Section[Any], prefix: str) -> Iterator[KeyRow]:
    for name, key in section.keys.items():
        place = f"{prefix}{name}"
        rule = key.rule.item if isinstance(key.rule, ListRule) else key.rule
        if isinstance(rule, Choice):
            for tag, chosen in rule.sections.items():
                yield KeyRow(f"{place}{{{tag}}}.{TYPE}", "its name", "required", rule.meanings[tag])
                yield from _rows(chosen, f"{place}{{{tag}}}.")
        elif isinstance(rule, Section):
            if isinstance(rule, Switch):
                yield KeyRow(place, "nothing, or a mapping", "", key.meaning)
            yield from _rows(rule, f"{place}[]." if isinstance(key.rule, ListRule) else f"{place}.")
        else:
            yield KeyRow(place, key.rule.allowed, _default(key), key.meaning)


def _default(key: Key) -> str:
    if key.default is REQUIRED:
        return "required"
    if isinstance(key.rule, DurationRule) and isinstance(key.default, float):
        return durations.written(key.default)
    if isinstance(key.default, bool):
        return str(key.default).lower()
    if isinstance(key.default, int | float):
        return f"{key.default:g}"
    return str(list(key.default) if isinstance(key.default, tuple) and key.default else key.default or "")
