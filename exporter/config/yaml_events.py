"""Parses a file's bytes into YAML events, and reports every error below the level of data.

The parser's messages may quote the file, and so a secret; ours replace them.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol

import yaml

from exporter.package_data import LOADER

LARGEST_FILE: Final = 64 * 1024 * 1024  # bytes; five times what 100,000 apps need

_FORBIDDEN: Final = re.compile(r"[^\t\n\r -~\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
_SURROGATES: Final = re.compile(
    r"(?<!\\)((?:\\\\)*)\\u(d[89ab][0-9a-f]{2})\\u(d[c-f][0-9a-f]{2})", re.IGNORECASE
)
_FULL_WIDTH: Final = re.compile(r"[\s-]*[a-z_]+：")
_WORDS: Final = (  # part of PyYAML's or libyaml's message -> our message
    ("mapping values are not allowed", "': ' inside an unquoted text, or wrong indentation"),
    ("tab character", "indent with spaces, not tabs"),
    (
        "cannot start any token",
        "a text that begins with this character needs quotes",
    ),
    ("found unexpected", "a quote is not closed"),
    ("expected ',' or ", "a bracket is not closed, or a comma is missing"),
    ("node content", "a value is missing, or a bracket is too many"),
    ("document start", "more text after the end of the document"),
    ("escape", "an unknown \\ escape in double quotes (in single quotes a \\ is just a \\)"),
    ("an anchor", "a text that begins with '&' needs quotes"),
    ("an alias", "a text that begins with '*' needs quotes"),
    ("tag", "a text that begins with '!' needs quotes"),
    ("directive", "a line that begins with '%' is not allowed"),
    ("simple key", "a key without ':', or a line that is not indented enough"),
    ("block scalar", "a text that begins with '|' or '>' needs quotes"),
    ("block", "wrong indentation, a key without ':', or text after a closing quote"),
)


class _Mark(Protocol):
    @property
    def line(self) -> int: ...

    @property
    def column(self) -> int: ...


class UnusableError(Exception):
    """A file is not one YAML document; `line` is None if unknown."""

    def __init__(self, what: str, line: int | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.line = line


def text_of(path: Path) -> str:
    """Read the file's text.

    Raises:
        UnusableError: the file cannot be read, is too large, is not UTF-8 or has control characters.
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise UnusableError(reason(error)) from None
    if len(content) > LARGEST_FILE:
        raise UnusableError(f"larger than {LARGEST_FILE // 1024 // 1024} MiB")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        column = error.start - before.rfind(b"\n")
        raise UnusableError(f"byte {column} of the line is not UTF-8", before.count(b"\n") + 1) from None
    stray = _FORBIDDEN.search(text)
    if stray:
        raise UnusableError(
            f"control character U+{ord(stray[0]):04X} (in double quotes it can be written as an escape)",
            text.count("\n", 0, stray.start()) + 1,
        )
    return text


def parse(text: str) -> Iterator[yaml.Event]:
    """Yield the YAML events of a text; raise UnusableError for one that is not YAML."""
    loader = LOADER(_with_whole_escapes(text))
    try:
        while (event := loader.get_event()) is not None:
            yield event
    except yaml.MarkedYAMLError as error:
        raise _full_width_colon(error, text) or _not_yaml(error, text) from None
    except yaml.YAMLError:
        raise UnusableError("not YAML: a character that is not allowed") from None
    finally:
        loader.dispose()


def line_of(event: yaml.Event) -> int:
    """Return the line of an event's start, from 1."""
    return _line_of(event.start_mark) or 1


def reason(error: OSError | ValueError) -> str:
    """Return why a file cannot be read, without its path: `No such file or directory`."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error)


def _with_whole_escapes(text: str) -> str:
    r"""Write JSON's surrogate pairs (`\ud83c\udf6d`) as the one escape that YAML has for them."""
    if not _SURROGATES.search(text):
        return text
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return text
    return _SURROGATES.sub(_one_escape, text)


def _one_escape(pair: re.Match[str]) -> str:
    high, low = int(pair[2], 16), int(pair[3], 16)
    return f"{pair[1]}\\U{0x10000 + (high - 0xD800) * 0x400 + low - 0xDC00:08X}"


def _full_width_colon(error: yaml.MarkedYAMLError, text: str) -> UnusableError | None:
    """Return the error for a full-width colon in place of YAML's, above the line that does not parse."""
    begun = _line_of(error.context_mark) or 1
    until = max(begun, _line_of(error.problem_mark) or 1)
    for number, line in enumerate(text.splitlines()[:until], 1):
        if number >= begun - 1 and _FULL_WIDTH.match(line):
            return UnusableError("not YAML: a full-width colon '：' where ': ' is needed", number)
    return None


def _not_yaml(error: yaml.MarkedYAMLError, text: str) -> UnusableError:
    message = "tab character" if _is_at_tab(error.problem_mark, text) else f"{error.problem} {error.context}"
    words = next((words for part, words in _WORDS if part in message), "it cannot be understood from here on")
    line = _line_of(error.problem_mark)
    begun = _line_of(error.context_mark)
    if "simple key" in message:
        line = begun
    elif begun != line and ("quoted" in message or "flow" in message):
        words = f"{words} (begun on line {begun})"
    return UnusableError(f"not YAML: {words}", line)


def _is_at_tab(mark: "_Mark | None", text: str) -> bool:
    lines = text.splitlines() if mark else ()
    return mark is not None and mark.line < len(lines) and lines[mark.line].startswith("\t", mark.column)


def _line_of(mark: "_Mark | None") -> int | None:
    return None if mark is None else int(mark.line) + 1
