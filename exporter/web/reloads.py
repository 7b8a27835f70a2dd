"""Reads both configurations again, and knows what was refused of them; the metric is 0 while anything is."""

from collections.abc import Sequence

from exporter.service import Exporter
from exporter.web.webconfig.watch import Watch


class Reloads:
    """`watch` is the web configuration's, None where there is none."""

    def __init__(self, exporter: Exporter, watch: Watch | None) -> None:
        self._exporter = exporter
        self._watch = watch
        self._problem: str | None = None
        if watch is not None:
            watch.judged = self._web_judged

    def reload(self) -> str | None:
        """Read both, as one that is refused must not hold up the other; what is wrong, None if nothing is."""
        self._problem = self._exporter.reload()
        if self._watch is not None:
            self._watch.reload()
        if not (problems := self.refused()):
            return None
        self._exporter.telemetry.reload_failed()
        return "\n".join(problems)

    def refused(self) -> Sequence[str]:
        """What was wrong when they were last read, though the old ones stay in force."""
        web = self._watch.problem if self._watch is not None else None
        return tuple(problem for problem in (self._problem, web) if problem is not None)

    def _web_judged(self) -> None:
        if self.refused():
            self._exporter.telemetry.reload_failed()
        else:
            self._exporter.telemetry.reload_succeeded()
