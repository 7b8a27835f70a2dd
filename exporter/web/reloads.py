"""Reloads of the exporter's and the web configuration; a metric is 0 while one of them is refused."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from exporter.service import Exporter
from exporter.web.webconfig.watch import WebConfigWatch

LOOK_SECONDS: Final = 1.0


class Reloads:
    """Reloads both configurations; `watch` is the web configuration's, None without one."""

    def __init__(self, exporter: Exporter, watch: WebConfigWatch | None) -> None:
        self._exporter = exporter
        self._watch = watch
        self._problem: str | None = None

    def reload(self) -> str | None:
        """Read both, as a refused one must not delay the other; return what is wrong, if anything."""
        self._problem = self._exporter.reconfiguration.reload()
        if self._watch is not None:
            self._watch.reload()
        self._record()
        return "\n".join(self.refused()) or None

    def refused(self) -> Sequence[str]:
        """Return what was wrong at the last readings; the old configurations stay in force."""
        web = self._watch.problem if self._watch is not None else None
        return tuple(problem for problem in (self._problem, web) if problem is not None)

    def look(self) -> None:
        """Read the web configuration again if it has changed."""
        if self._watch is not None and self._watch.look():
            self._record()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Look for changes once a second, in a thread, until the block ends."""
        stopping = threading.Event()

        def run() -> None:
            while not stopping.wait(LOOK_SECONDS):
                self.look()

        thread = threading.Thread(target=run, name="web-config", daemon=True)
        thread.start()
        try:
            yield
        finally:
            stopping.set()
            thread.join()

    def _record(self) -> None:
        if self.refused():
            self._exporter.telemetry.reload_failed()
        else:
            self._exporter.telemetry.reload_succeeded()
