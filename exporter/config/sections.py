"""Mappings and choices of a configuration file, made of keys that have a rule and a meaning.

A section's keys are the parameters of the dataclass or function that it calls, each annotated with its `Key`.
Loading, error messages and the reference in the docs come from these annotations.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from inspect import Parameter, signature
from typing import Final, Generic, TypeVar, get_args, get_type_hints

from exporter.config.lists import mapping
from exporter.config.problems import KeyPath, Problems, shown
from exporter.config.rules import Rule, TextRule, kind_of
from exporter.config.secret import SECRET, secret_file_rule
from exporter.config.yaml_scalars import BROKEN, Scalar, ScalarKind

REQUIRED: Final = object()
TYPE: Final = "type"

_T = TypeVar("_T")
_Check = Callable[[Mapping[str, object], KeyPath, Problems], None]


@dataclass(frozen=True, slots=True)
class Key:
    """A key's rule and meaning; `name` if the parameter has another name.

    The parameter has the default, unless the key gives another.
    """

    rule: Rule
    meaning: str = ""
    name: str = ""
    default: object = REQUIRED


@dataclass(frozen=True, slots=True)
class SecretKey:
    """Two keys for a secret: `name` for one in place, `name_file` for one in a file.

    Both texts must fit `rule`; `held` describes the secret in the error about a file's content.
    """

    meaning: str
    in_file: str
    rule: TextRule = SECRET
    held: str = ""
    name: str = ""


class Section(Generic[_T]):
    """A mapping of known keys, whose values `build` turns into one value."""

    allowed = ""

    def __init__(
        self,
        build: Callable[..., _T],
        keys: Mapping[str, Key] | None = None,
        *,
        described_by: tuple[Callable[..., object], ...] = (),
        tag: str = "",
        one_of: tuple[str, ...] = (),
        at_most_one: tuple[str, ...] = (),
        check: _Check | None = None,
    ) -> None:
        """Take the keys from annotated parameters, or from `keys`.

        `build` is called with the keys' values by name; `described_by` are the callables that have the
        annotated parameters, if not `build`. `tag`: the value of the key `type`, for one of a `Choice`.
        `one_of`: keys of which exactly one is required; `at_most_one`: of which at most one is allowed.
        `check` adds further problems, given the section as read from the file.
        """
        self.tag = tag
        self.keys: dict[str, Key] = {}
        self.build = build
        self._parameters: dict[str, str] = {}
        self._alternatives = [
            (names, needed) for names, needed in ((one_of, True), (at_most_one, False)) if names
        ]
        self._check = check
        for name, key in (keys or {}).items():
            self._add(name, key, key.default)
        for described in () if keys is not None else described_by or (build,):
            hints = get_type_hints(described, include_extras=True)
            for parameter in signature(described).parameters.values():
                for mark in get_args(hints[parameter.name]):
                    self._add(parameter.name, mark, parameter.default)

    def _add(self, parameter: str, mark: object, default: object) -> None:
        default = REQUIRED if default is Parameter.empty else default
        if isinstance(mark, Key):
            name = mark.name or parameter
            self.keys[name] = replace(mark, default=default)
            self._parameters[name] = parameter
        elif isinstance(mark, SecretKey):
            name = mark.name or parameter
            pair = (name, f"{name}_file")
            self.keys[pair[0]] = Key(mark.rule, mark.meaning, default=None)
            self.keys[pair[1]] = Key(secret_file_rule(mark.rule, mark.held), mark.in_file, default=None)
            self._parameters |= dict.fromkeys(pair, parameter)
            if not any(name in names for names, _ in self._alternatives):
                self._alternatives.append((pair, default is REQUIRED))

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of all keys."""
        return (TYPE, *self.keys) if self.tag else tuple(self.keys)

    def read(self, value: object, path: KeyPath, problems: Problems) -> _T | None:
        """Return the value that `build` makes; None if a key is broken or has a problem."""
        found = mapping(value, path, problems)
        if found is None:
            return None
        before = len(problems.found)
        values: dict[str, object] = {}
        for name, key in self.keys.items():
            parameter = self._parameters[name]
            if name in found:
                values[parameter] = key.rule.read(found[name], (*path, name), problems)
            elif key.default is REQUIRED:
                what = f"missing, {key.rule.allowed} is needed" if key.rule.allowed else "missing"
                problems.add((*path, name), what)
            else:
                values.setdefault(parameter, key.default)
        complete = all(values[self._parameters[name]] is not None for name in self.keys if name in found)
        for name, each in found.items():
            if name not in self.names and each is not BROKEN:
                _unknown_key((*path, name), each, self.names, problems)
        self._count(found, path, problems)
        if self._check is not None:
            self._check(found, path, problems)
        if not complete or len(problems.found) > before:
            return None
        return self.build(**values)

    def _count(self, value: Mapping[str, object], path: KeyPath, problems: Problems) -> None:
        for names, needed in self._alternatives:
            given = [name for name in names if name in value]
            if len(given) > 1 or (needed and not given):
                number, verb = ("exactly", "needed") if needed else ("at most", "allowed")
                found = " and ".join(given) or "none"
                problems.add(path, f"{number} one of {', '.join(names)} is {verb}, found {found}")


class Switch(Section[_T]):
    """A section that may be empty, and then has its defaults."""

    def read(self, value: object, path: KeyPath, problems: Problems) -> _T | None:
        """Return the value that `build` makes; None if a key is broken or has a problem."""
        nothing = isinstance(value, Scalar) and value.kind is ScalarKind.NOTHING
        return super().read({} if nothing else value, path, problems)


class Choice(Generic[_T]):
    """One of several sections, chosen by the key `type`; `meanings` explains each type."""

    allowed = ""

    def __init__(self, sections: Mapping[Section[_T], str]) -> None:
        self.meanings = {section.tag: meaning for section, meaning in sections.items()}
        self.sections = {section.tag: section for section in sections}

    def read(self, value: object, path: KeyPath, problems: Problems) -> _T | None:
        """Return the value of the chosen section; None if anything is broken or has a problem."""
        found = mapping(value, path, problems)
        if found is None:
            return None
        chosen = found.get(TYPE)
        if isinstance(chosen, str) and chosen in self.sections:
            return self.sections[chosen].read(found, path, problems)
        allowed = f"(allowed: {', '.join(self.sections)})"
        if TYPE not in found:
            problems.add((*path, TYPE), f"missing {allowed}")
        elif isinstance(chosen, str):
            problems.add((*path, TYPE), f"{shown(chosen)} is not a token type {allowed}")
        elif chosen is not BROKEN:
            problems.add((*path, TYPE), f"found {kind_of(chosen)}, a text is needed {allowed}")
        return None


def _unknown_key(path: KeyPath, value: object, known: tuple[str, ...], problems: Problems) -> None:
    allowed = ", ".join(sorted(known)) or "none"
    close = get_close_matches(str(path[-1]), known, n=1, cutoff=0.7)
    if close:
        problems.add(path, f"unknown key (did you mean '{close[0]}'? allowed: {allowed})")
    elif isinstance(value, Scalar) and value.kind is ScalarKind.NOTHING:
        # in {secret: abc,def} the key `def` is a piece of the secret
        problems.add(path[:-1], f"unknown key without a value (allowed: {allowed})")
    else:
        problems.add(path, f"unknown key (allowed: {allowed})")
