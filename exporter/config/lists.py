"""Lists of items, and mappings of texts with free keys."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from exporter.config.problems import KeyPath, Pairs, Problems
from exporter.config.rules import Rule, kind_of
from exporter.config.yaml_scalars import BROKEN


@dataclass(frozen=True, slots=True)
class ListRule:
    """A list of items that has a least length."""

    item: Rule
    allowed: str
    fewest: int = 0

    def read(self, value: object, path: KeyPath, problems: Problems) -> tuple[object, ...] | None:
        """Return the items; None if one is broken or has a problem."""
        if value is BROKEN:
            return None
        if not isinstance(value, list):
            problems.add(path, f"found {kind_of(value)}, a list (items that begin with '- ') is needed")
        elif len(value) < self.fewest:
            problems.add(path, "found an empty list, at least one item is needed")
        else:
            items = tuple(self.item.read(each, (*path, index), problems) for index, each in enumerate(value))
            return None if any(item is None for item in items) else items
        return None


@dataclass(frozen=True, slots=True)
class PairsRule:
    """A mapping of texts, sorted by key; `hidden` keys may be pieces of a secret, so no error shows them."""

    key: Rule
    value: Rule
    hidden: bool = False
    allowed: str = "a mapping of texts"

    def read(self, value: object, path: KeyPath, problems: Problems) -> Pairs | None:
        """Return the pairs; None if anything is broken or has a problem."""
        found = mapping(value, path, problems)
        if found is None:
            return None
        pairs = list(self._pairs(found, path, problems))
        if any(not isinstance(each, str) for pair in pairs for each in pair):
            return None
        return problems.once((str(key), str(text)) for key, text in sorted(pairs, key=str))

    def _pairs(
        self, value: Mapping[str, object], path: KeyPath, problems: Problems
    ) -> Iterator[tuple[object, object]]:
        for name, each in value.items():
            at = path if self.hidden else (*path, name)
            yield self.key.read(name, at, problems), self.value.read(each, at, problems)


def mapping(value: object, path: KeyPath, problems: Problems) -> dict[str, object] | None:
    """Return a mapping; None if it is broken or something else."""
    if isinstance(value, dict):
        return value
    if value is not BROKEN:
        problems.add(path, f"found {kind_of(value)}, a mapping (key: value) is needed")
    return None
