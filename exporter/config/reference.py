"""All keys of the configuration as rows of a table, made from the schema: for the generated docs."""

from collections.abc import Iterator
from typing import Final, NamedTuple, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from exporter.config import durations
from exporter.config.datasets import DatasetEntry
from exporter.config.entries import TOKENS
from exporter.config.rules import DurationRule
from exporter.config.schema import AppEntry, MainFile, rule_of
from exporter.config.wording import model_below

_ALLOWED: Final = {
    "type": "its name",
    "apps_files": "a list of paths or patterns",
    "include": "a list of appids and patterns",
    "exclude": "a list of appids and patterns",
    "datasets": "a list of names of datasets",
    "days": "a list of days of WeChat's (1 to 7, 14, 30)",
    "allow": "a list of paths and patterns",
}


class Row(NamedTuple):
    """One key: where it stands, what it may be, what it is if left out, what it means."""

    key: str
    allowed: str
    default: str
    description: str


def rows() -> list[Row]:
    """Every key in the order of the schema; a default is 'required', '' for none, or as written in YAML."""
    return list(_rows(MainFile, ""))


def _rows(model: type[BaseModel], prefix: str) -> Iterator[Row]:
    for name, field in model.model_fields.items():
        key = f"{prefix}{name}"
        inner = model_below(field.annotation)
        if field.annotation == AppEntry.model_fields["token"].annotation:
            for token, token_model in TOKENS.items():
                yield from _rows(token_model, f"{key}{{{token}}}.")
        elif inner is not None:
            if issubclass(inner, DatasetEntry):
                yield Row(key, "nothing, or a mapping", "", field.description or "")
            yield from _rows(inner, f"{key}[]." if get_origin(field.annotation) is list else f"{key}.")
        else:
            yield Row(key, _allowed(name, field), _default(field), field.description or "")


def _allowed(name: str, field: FieldInfo) -> str:
    rule = rule_of(field)
    if rule:
        return rule.allowed
    return _ALLOWED.get(name, "a mapping of texts")


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if isinstance(rule_of(field), DurationRule):
        return durations.written(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"{value:g}"
    return str(value or "")
