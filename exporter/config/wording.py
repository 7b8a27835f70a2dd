"""From pydantic's findings to ours: where, what was found, what is allowed, and never a secret."""

from difflib import get_close_matches
from typing import TYPE_CHECKING, Final, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from exporter.config.entries import TOKENS
from exporter.config.problems import KeyPath, Problem, shown
from exporter.config.rules import found
from exporter.config.scalars import BROKEN, Kind, Scalar
from exporter.config.schema import rule_of

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_A_MAPPING: Final = "a mapping (key: value) is needed"
_CONTAINERS: Final = {
    "model_type": _A_MAPPING,
    "model_attributes_type": _A_MAPPING,
    "dict_type": _A_MAPPING,
    "list_type": "a list (items that begin with '- ') is needed",
}


def problems(error: ValidationError, model: type[BaseModel], prefix: KeyPath) -> list[Problem]:
    """Everything that pydantic found wrong with data for `model` that stands at `prefix` in its file."""
    details = error.errors(include_url=False)
    return [_problem(detail, model, prefix) for detail in details if detail["input"] is not BROKEN]


def _problem(detail: "ErrorDetails", model: type[BaseModel], prefix: KeyPath) -> Problem:
    kind, value, loc = detail["type"], detail["input"], detail["loc"]
    path = prefix + _path(loc)
    if kind == "extra_forbidden":
        return _unknown_key(path, value, _beside(model, loc))
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        return Problem((*path, "type"), _token_type(value))
    if kind == "missing":
        what = _missing(_beside(model, loc)[str(loc[-1])])
    elif kind == "not_allowed":
        what = f"{value.written if isinstance(value, Scalar) else shown(value)} {detail['msg']}"
    elif kind == "not_allowed_hidden":
        what = f"the text {detail['msg']}"
    elif kind == "too_short":
        what = "found an empty list, at least one item is needed"
    elif kind in _CONTAINERS:
        what = f"found {found(value)}, {_CONTAINERS[kind]}"
    else:
        what = detail["msg"]  # a rule's own words
    return Problem(path, what)


def _path(loc: KeyPath) -> KeyPath:
    """Where it is in the file: without the union's tag, and without headers' names (pieces of a value?)."""
    path = (*loc[:1], *loc[2:]) if loc[:1] == ("token",) else loc
    if "headers" in path:
        return path[: path.index("headers") + 1]
    return path[:-1] if path[-1:] == ("[key]",) else path


def _beside(model: type[BaseModel], loc: KeyPath) -> dict[str, FieldInfo]:
    """The fields that may stand where `loc` ends."""
    match loc:
        case ["token", str(tag), _]:
            return TOKENS[tag].model_fields
        case [str(section), *inner] if inner:
            below = model_below(model.model_fields[section].annotation)
            rest = tuple(inner[1:] if isinstance(inner[0], int) else inner)
            return _beside(below, rest) if below is not None else {}
    return model.model_fields


def model_below(annotation: object) -> type[BaseModel] | None:
    """The model of a section: plain, optional, or the items' of a list; None for anything else."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (model_below(part) for part in get_args(annotation) if isinstance(part, type))
    return next((model for model in found if model is not None), None)


def _missing(field: FieldInfo) -> str:
    rule = rule_of(field)
    return f"missing, {rule.allowed} is needed" if rule else "missing"


def _unknown_key(path: KeyPath, value: object, fields: dict[str, FieldInfo]) -> Problem:
    name = str(path[-1])
    allowed = ", ".join(sorted(fields)) or "none"
    close = get_close_matches(name, fields, n=1, cutoff=0.7)
    if close:
        return Problem(path, f"unknown key (did you mean '{close[0]}'? allowed: {allowed})")
    if isinstance(value, Scalar) and value.kind is Kind.NOTHING:
        # in {secret: abc,def} the key `def` is a piece of the secret
        return Problem(path[:-1], f"unknown key without a value (allowed: {allowed})")
    return Problem(path, f"unknown key (allowed: {allowed})")


def _token_type(value: object) -> str:
    chosen = value.get("type") if isinstance(value, dict) else None
    allowed = ", ".join(TOKENS)
    if chosen is None:
        return f"missing (allowed: {allowed})"
    if not isinstance(chosen, str):
        return f"found {found(chosen)}, a text is needed (allowed: {allowed})"
    return f"{shown(chosen)} is not a token type (allowed: {allowed})"
