"""Writes a file that appears whole or not at all, whatever ends the process."""

import errno
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

_BUFFER: Final = 1024 * 1024


class OutputError(Exception):
    """The output cannot be written; the text says where and why."""


def check_writable(path: Path) -> None:
    """Check before hours of calls that a file can be written; raise OutputError, leave nothing behind."""
    unfinished = _unfinished(path)
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        unfinished.touch()
        unfinished.unlink()
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from error


def write_whole(path: Path, pieces: Iterable[str]) -> int:
    """Write the pieces as UTF-8 to a temporary file, then rename it to `path`; return the number of bytes.

    The new content is on the disk before it replaces an old file.

    Raises:
        OutputError: the file cannot be written; an old file is unchanged.
    """
    unfinished = _unfinished(path)
    try:
        unfinished.unlink(missing_ok=True)  # left by a killed run
        try:
            with unfinished.open("x", _BUFFER, encoding="utf-8", newline="") as file:
                file.writelines(pieces)
                file.flush()
                os.fsync(file.fileno())
                size = os.fstat(file.fileno()).st_size
            unfinished.replace(path)
        except BaseException:
            with suppress(OSError):
                unfinished.unlink(missing_ok=True)
            raise
        _sync_folder(path.parent)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from error
    return size


def _unfinished(path: Path) -> Path:
    return path.with_name(f"{path.name}.tmp")


def _sync_folder(folder: Path) -> None:
    """Flush the folder, so that the new name survives a power cut."""
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
