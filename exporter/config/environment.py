"""Values of the environment in a configuration file: `${NAME}`."""

import re
from collections.abc import Mapping
from typing import Final

_VARIABLE: Final = re.compile(r"\$(?:(\$)|\{([A-Za-z_][A-Za-z0-9_]*)\}|(\{))")


class SubstitutedText(str):
    """A text that contains values from the environment; `written` is the file's text."""

    __slots__ = ("written",)
    written: str

    @classmethod
    def of(cls, value: str, written: str) -> "SubstitutedText":
        """Return `value`, which replaced the text `written` in the file."""
        text = cls(value)
        text.written = written
        return text


def substitute(written: str, environ: Mapping[str, str]) -> str:
    """Replace each `${NAME}` by the environment's value and each `$$` by `$`, once, left to right.

    The result is a `SubstitutedText` if it contains a value of the environment.

    Raises:
        ValueError: a variable is undefined or not a text, or a `${` is not closed; the message says which.
    """
    parts: list[str] = []
    used = False
    end = 0
    for match in _VARIABLE.finditer(written):
        dollar, name, stray = match.groups()
        if stray:
            raise ValueError(
                "'${' without a variable's name and '}' after it (write $${ for the two characters)"
            )
        parts += written[end : match.start()], "$" if dollar else _variable(name, environ)
        used = used or not dollar
        end = match.end()
    text = "".join((*parts, written[end:]))
    return SubstitutedText.of(text, written) if used else text


def _variable(name: str, environ: Mapping[str, str]) -> str:
    if name not in environ:
        raise ValueError(f"the environment variable {name} is not defined (write $$ for a literal $)")
    value = environ[name]
    if not is_text(value):
        raise ValueError(f"the environment variable {name} is not a UTF-8 text")
    return value


def is_text(value: str) -> bool:
    """Return whether a text is valid UTF-8 without NUL, as files, databases and HTTP require."""
    if "\0" in value:
        return False
    return value.isascii() or not any("\ud800" <= character <= "\udfff" for character in value)
