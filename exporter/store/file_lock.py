"""A lock for one exporter per SQLite file: two would overwrite each other's rows and double the calls."""

import errno
import fcntl
import os
import socket
from contextlib import suppress
from pathlib import Path
from typing import Final

from exporter.store.interface import PlaceError, StoreError

_LONGEST: Final = 200
_NOT_WRITABLE: Final = {errno.EACCES, errno.EPERM, errno.EROFS}
_ELSEWHERE: Final = (
    "; set storage.url to a place that may be written, such as "
    "sqlite:////var/lib/wechat-miniprogram-exporter/exporter.db"
)


class FileLock:
    """Locks a file until the process ends, even by kill -9; commands that only read need no lock."""

    def __init__(self, path: Path) -> None:
        """Lock a file beside it, as SQLite locks the file itself; raise StoreError if that fails.

        It is a PlaceError where the user may not write.
        """
        side = Path(f"{os.path.realpath(path)}.lock")  # the same for all names of the file
        try:
            side.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = os.open(side, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            what = f"cannot open storage {path}: {side}: {error.strerror}"
            if error.errno in _NOT_WRITABLE:
                raise PlaceError(f"{what}{_ELSEWHERE}") from None
            raise StoreError(what) from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.read(self._file, _LONGEST).decode(errors="replace").strip()
            self.release()
            raise StoreError(
                f"storage {path} is in use by another exporter ({holder or 'just started'}): stop that "
                "one, or name another file in storage.url"
            ) from None
        except OSError:  # a file system without locks cannot report other exporters
            return
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"pid {os.getpid()} on {socket.gethostname()}\n".encode(), 0)

    def release(self) -> None:
        """Release the lock."""
        with suppress(OSError):
            os.close(self._file)
