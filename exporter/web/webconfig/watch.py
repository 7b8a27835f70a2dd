"""Notices that a web configuration, a certificate or a key has changed, and takes the new one over."""

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from structlog.typing import FilteringBoundLogger

from exporter.config.problems import ConfigError
from exporter.web.webconfig.loading import load
from exporter.web.webconfig.protection import lost
from exporter.web.webconfig.settings import WebConfig

LOOK_SECONDS: Final = 1.0
_State = tuple[tuple[int, int, int] | None, ...]


class Watch:
    """Keeps what is in force as the files have it; `run` is the body of a thread."""

    def __init__(
        self,
        path: Path,
        environ: Mapping[str, str],
        take_over: Callable[[WebConfig], None],
        log: FilteringBoundLogger,
    ) -> None:
        """`take_over` is given each good new configuration.

        Later `problem` is what was wrong when the files were last read, and `judged` is called after that.
        """
        self._path = path
        self._environ = environ
        self._take_over = take_over
        self._log = log
        self._reading = threading.Lock()
        self._lock = threading.Lock()
        self._files: tuple[Path, ...] = (path,)
        self._seen: _State = ()
        self._config = WebConfig()
        self.problem: str | None = None
        self.judged: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Read for the first time.

        Raises:
            ConfigError: with every mistake.
        """
        self._seen = self._state()
        self._take(load(self._path, self._environ))

    def look(self) -> None:
        """Read again if a file has changed since the last look, or the last reading failed.

        What made it fail may lie outside the files: a folder's permission, say.
        """
        with self._lock:
            unchanged = self._state() == self._seen
        if not unchanged or self.problem is not None:
            self.reload()

    def reload(self) -> str | None:
        """Read again; what is wrong with it, None where it is in force."""
        with self._reading:
            with self._lock:
                self._seen = self._state()
            before = self.problem
            try:
                config = load(self._path, self._environ)
                self.problem = self._objection(config)
            except ConfigError as error:
                self.problem = str(error)
            if self.problem is None:
                self._take(config)
                self._log.info("web configuration read", tls=config.tls is not None, users=len(config.users))
            elif self.problem != before:
                self._log.error("web configuration refused, the old one stays", error=self.problem)
            self.judged()
            return self.problem

    def _objection(self, config: WebConfig) -> str | None:
        key = lost(self._config, config)
        if key is None:
            return None
        return (
            f"{self._path}: {key} is in force and no longer in the file, which may be cut: "
            "restart the exporter to do without it"
        )

    @contextmanager
    def running(self) -> Iterator[None]:
        """Look as long as the block lasts, in a thread of its own."""
        stopping = threading.Event()
        thread = threading.Thread(target=self.run, args=(stopping,), name="web-config", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stopping.set()
            thread.join()

    def run(self, stopping: threading.Event) -> None:
        """Look once a second; files that are being written are read a second later, when they stay still."""
        before = self._state()
        while not stopping.wait(LOOK_SECONDS):
            now = self._state()
            if now == before:
                self.look()
            before = now

    def _take(self, config: WebConfig) -> None:
        self._config = config
        with self._lock:
            if config.files != self._files:
                self._files = config.files
                self._seen = self._state()
        self._take_over(config)

    def _state(self) -> _State:
        return tuple(_state(path) for path in self._files)


def _state(path: Path) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - follows links, as Kubernetes swaps them
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
