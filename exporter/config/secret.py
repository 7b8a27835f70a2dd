"""A secret: in the configuration, or in a file that is read at each use."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from exporter.config.rules import FileRule, NotAllowedError, TextRule

LARGEST_SECRET: Final = 64 * 1024  # bytes; stops at a wrong path, such as a log or a device


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret written in the configuration (`value`) or kept in a file (`path`); never shown.

    Two secrets are equal if they come from the same place; the contents of files are not compared.
    """

    value: str | None = None
    path: str | os.PathLike[str] | None = None

    def __post_init__(self) -> None:
        if (self.value is None) == (self.path is None):
            raise TypeError("a secret has either a value or a path")
        if self.path is not None:  # a text takes a fifth of a Path's memory
            object.__setattr__(self, "path", os.fspath(self.path))

    def __repr__(self) -> str:
        return "Secret(…)" if self.path is None else f"Secret(path={os.fspath(self.path)!r})"

    def read(self) -> str:
        """Return the secret without surrounding white space, reading its file at each call.

        Raises:
            OSError: the file cannot be read.
            ValueError: the file is empty, too large or not a UTF-8 text of one line.
        """
        if self.path is None:
            return self.value or ""
        with open(self.path, "rb") as file:  # noqa: PTH123 - the path is a text here
            content = file.read(LARGEST_SECRET + 1)
        if len(content) > LARGEST_SECRET:
            raise ValueError(f"larger than {LARGEST_SECRET // 1024} KiB")
        try:
            text = content.decode("utf-8-sig").strip()
        except UnicodeDecodeError:
            raise ValueError("not a UTF-8 text") from None  # the cause would show its bytes
        if not text:
            raise ValueError("empty")
        if not text.isprintable():
            raise ValueError("not a text of one line")
        return text


def _one_line(text: str) -> str:
    stripped = text.strip()
    if not stripped or not stripped.isprintable():
        raise ValueError("empty or of several lines")
    return stripped


def secret_rule(allowed: str, accept: Callable[[str], str] = str) -> TextRule:
    """Return the rule for a secret in place, whose text `accept` converts."""
    return TextRule(allowed, lambda text: Secret(accept(_one_line(text))), hidden=True)


SECRET: Final = secret_rule("one line of text")


def secret_file_rule(rule: TextRule, held: str = "") -> FileRule:
    """Return the rule for a file whose secret fits `rule`; `held` replaces the rule's words in errors."""

    def made(path: str) -> Secret:
        secret = Secret(path=path)
        text = secret.read()
        try:
            rule.parse(text)
        except ValueError:
            raise NotAllowedError(f"does not hold {held or rule.allowed}") from None
        return secret

    return FileRule(made)
