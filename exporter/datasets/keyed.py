"""Lists of `{"key": …, "value": …}`, which retention and distribution are made of."""

from collections.abc import Iterable
from typing import Final

from exporter.datasets.wire import MalformedRowError, amount, one_object

KEY_CAP: Final = 300
"""Keys of one list that are kept: WeChat has some sixty, and a scrape must not grow with its mistakes."""


def key_values(items: Iterable[object], name: str) -> dict[int, int]:
    """The values by key; raises MalformedRowError for what cannot be trusted, a repeated key included."""
    found: dict[int, int] = {}
    for position, item in enumerate(items):
        entry = one_object(item, f"{name}[{position}]")
        for part in ("key", "value"):
            if part not in entry:
                raise MalformedRowError(f"{name}[{position}] has no {part}")
        key = int(amount(entry["key"], f"{name}[{position}].key", integral=True))
        if key in found:
            raise MalformedRowError(f"{name} has key {key} twice")
        found[key] = int(amount(entry["value"], f"{name}[{position}].value", integral=True))
    return found


def written_items(pairs: Iterable[tuple[int, int | float | None]]) -> list[dict[str, int | float]]:
    """The list of which `key_values` gives the pairs back; those without a value are left out."""
    return [{"key": key, "value": value} for key, value in pairs if value is not None]
