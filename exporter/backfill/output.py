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
    """Find out before hours of asking whether the file can be written; raises OutputError, leaves nothing."""
    unfinished = _unfinished(path)
    try:
        if path.is_dir():
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        unfinished.touch()
        unfinished.unlink()
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from error


def write_whole(path: Path, pieces: Iterable[str]) -> int:
    """Write the pieces as UTF-8 to a file beside `path`, then give it that name.

    What stood there before is replaced in one step, once the new content is on the disk.

    Returns:
        how many bytes.

    Raises:
        OutputError: it cannot be written; nothing has changed then.
    """
    unfinished = _unfinished(path)
    try:
        unfinished.unlink(missing_ok=True)  # of a run that was killed
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
    """Make the new name durable too."""
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
