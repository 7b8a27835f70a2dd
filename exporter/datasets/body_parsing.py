"""Parses WeChat's bodies in both spellings, and refuses untrustworthy ones.

A refusal describes the value found without secrets: it shows short values whole and long ones not at all, as
nothing would recognise a part of a token.
"""

import re
from collections.abc import Mapping
from functools import cache
from typing import Final

from exporter.datasets.field import Field, camel
from exporter.datasets.period import Calendar, Period

_NUMBER: Final = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_LARGEST: Final = 2**53  # a Prometheus sample is exact up to here
_LONGEST_SHOWN: Final = 40  # characters of a text that an error shows


class MalformedRowError(ValueError):
    """A body is not the documented answer; the text describes the value found, without secrets."""


def check_message(body: Mapping[str, object]) -> None:
    """Refuse a cloud call's body whose `errMsg` does not end in `:ok`."""
    message = body.get("errMsg", "ok")
    if not isinstance(message, str) or message.rpartition(":")[2] != "ok":
        raise MalformedRowError(f"errMsg is {shown(message)}, which does not end in :ok")


def check_period(item: Mapping[str, object], calendar: Calendar, asked: Period) -> None:
    """Refuse an item without a period, or of another one than `asked`."""
    written = calendar.written(asked)
    found = spelled(item, "ref_date")
    if not found:
        raise MalformedRowError(f"ref_date is missing, asked for {written}")
    right = (written, int(written)) if written.isdigit() else (written,)
    for each in found:
        if each not in right or isinstance(each, float):
            raise MalformedRowError(f"ref_date is {shown(each)}, asked for {written}")


def spelled(item: Mapping[str, object], name: str) -> list[object]:
    """Return the values under both spellings of a key: none, one, or two that must agree."""
    return [item[key] for key in _spellings(name) if key in item]


def one_list(item: Mapping[str, object], name: str, path: str = "") -> list[object] | None:
    """Return the list under either spelling of `name`, or None."""
    found = spelled(item, name)
    for each in found:
        if not isinstance(each, list):
            raise MalformedRowError(f"'{path}{name}' is {shown(each)}, not a list")
    if len(found) > 1:
        raise MalformedRowError(f"'{path}{name}' and '{path}{camel(name)}' are both there")
    return found[0] if found and isinstance(found[0], list) else None


def required_list(body: Mapping[str, object], name: str) -> list[object]:
    """Return the list under either spelling of `name`; raise MalformedRowError without one."""
    found = one_list(body, name)
    if found is None:
        raise MalformedRowError(f"there is no '{name}'")
    return found


def one_object(found: object, path: str) -> Mapping[str, object]:
    """Return the object at `path`; raise MalformedRowError for anything else."""
    if not isinstance(found, dict):
        raise MalformedRowError(f"{path} is {shown(found)}, not an object")
    return found


def figures(item: Mapping[str, object], fields: tuple[Field, ...]) -> tuple[int | float | None, ...]:
    """Return the figures of an item in the order of `fields`; None for one that WeChat left out."""
    return tuple(_figure(item, field) for field in fields)


def written_figures(
    fields: tuple[Field, ...], values: tuple[int | float | None, ...]
) -> dict[str, int | float]:
    """Return the figures by name, as in an item, without those that are None."""
    return {field.name: value for field, value in zip(fields, values, strict=True) if value is not None}


def figure(found: object, field: Field) -> int | float:
    """Return a figure read as a number or a numeric text; raise MalformedRowError for anything else."""
    return amount(found, field.name, integral=field.integral)


def amount(found: object, name: str, *, integral: bool) -> int | float:
    """Return a number from 0 up, read as a number or a numeric text; a whole one becomes an int."""
    value = _number(found)
    if value is None or not value >= 0:  # NaN is not
        raise MalformedRowError(f"{name} is {shown(found)}, not a number from 0 up")
    if value > _LARGEST:
        raise MalformedRowError(f"{name} is {shown(found)}, too large to be true")
    if value == int(value):
        return int(value)
    if integral:
        raise MalformedRowError(f"{name} is {shown(found)}, not a whole number")
    return value


def shown(found: object) -> str:
    """Describe a value in an error's text."""
    if isinstance(found, str):
        return repr(found) if len(found) <= _LONGEST_SHOWN else f"a text of {len(found)} characters"
    if isinstance(found, int) and abs(found) > _LARGEST:  # Python refuses to write so many digits
        return "a huge number"
    named = {dict: "an object", list: "a list", type(None): "null"}.get(type(found))
    return named or repr(found)


@cache
def _spellings(name: str) -> tuple[str, ...]:
    """Return both spellings of a name from our tables (never from a body, which would fill the cache)."""
    return tuple(dict.fromkeys((name, camel(name))))


def _figure(item: Mapping[str, object], field: Field) -> int | float | None:
    found = spelled(item, field.name)
    if not found:
        return None
    value = figure(found[0], field)
    if any(figure(each, field) != value for each in found[1:]):
        raise MalformedRowError(f"{field.name} and {field.camel} differ")
    return value


def _number(found: object) -> int | float | None:
    if isinstance(found, int | float) and not isinstance(found, bool):
        return found
    if isinstance(found, str) and _NUMBER.fullmatch(found):
        return float(found)
    return None
