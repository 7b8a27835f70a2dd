"""Watches a web configuration, its certificates and keys, and applies changes."""

import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from structlog.typing import FilteringBoundLogger

from exporter.config.problems import ConfigError
from exporter.web.webconfig.loading import WebConfig, load

_State = tuple[tuple[int, int, int] | None, ...]


class WebConfigWatch:
    """Applies the present files, from any thread; `problem` is what is wrong with them."""

    def __init__(
        self,
        path: Path,
        environ: Mapping[str, str],
        take_over: Callable[[WebConfig], None],
        log: FilteringBoundLogger,
    ) -> None:
        """Read the file at `path`; raise ConfigError. `take_over` is called with each valid configuration."""
        self._path = path
        self._environ = environ
        self._take_over = take_over
        self._log = log
        self._lock = threading.RLock()
        self._config = WebConfig(files=(path,))
        self._read_at: _State = ()
        self._looked_at: _State = ()
        self.problem: str | None = None
        self._read()

    def look(self) -> bool:
        """Read the files again if one has changed or the last reading failed; return whether it did.

        Files that have changed since the last look wait for the next one, as they may be half written. A
        failed reading is repeated, as its cause may lie outside the files: a folder's permission, say.
        """
        with self._lock:
            before, self._looked_at = self._looked_at, self._state()
            changed = self._looked_at != self._read_at or self.problem is not None
            if not changed or self._looked_at != before:
                return False
            self.reload()
            return True

    def reload(self) -> None:
        """Read the files again; `problem` is what is wrong with them, None once they are in force."""
        with self._lock:
            before, self.problem = self.problem, None
            try:
                self._read()
            except ConfigError as error:
                self.problem = str(error)
                if self.problem != before:
                    self._log.error("web configuration refused, the old one stays", error=self.problem)
            else:
                tls, users = self._config.tls is not None, len(self._config.users)
                self._log.info("web configuration read", tls=tls, users=users)

    def _read(self) -> None:
        self._read_at = self._state()
        config = load(self._path, self._environ)
        if key := _lost(self._config, config):
            what = f"{key} is in force and no longer in the file, which may be cut"
            raise ConfigError((f"{self._path}: {what}: restart the exporter to do without it",))
        other_files = config.files != self._config.files
        self._config = config
        if other_files:
            self._read_at = self._state()
        self._take_over(config)

    def _state(self) -> _State:
        return tuple(map(_state, self._config.files))


def _state(path: Path) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - follows links, as Kubernetes swaps them
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _lost(old: WebConfig, new: WebConfig) -> str | None:
    """Return a key whose protection the new configuration lacks or weakens; None if it protects as much.

    A half-written file, or one emptied by mistake, must not open the exporter to everyone.
    """
    if old.users and not new.users:
        return "basic_auth_users"
    if old.tls is None:
        return None
    if new.tls is None:
        return "tls_server_config"
    if int(new.tls.verify_mode) < int(old.tls.verify_mode):
        return "tls_server_config.client_auth_type"
    return "tls_server_config.client_allowed_sans" if old.allowed_sans and not new.allowed_sans else None
