"""Sends rows to VictoriaMetrics in batches, and records each accepted batch so that it is never sent twice.

Source: VictoriaMetrics' page on /api/v1/import/prometheus (text format, timestamps in milliseconds).
"""

import gzip
import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import requests
from structlog.typing import FilteringBoundLogger

from exporter.backfill.journal import Journal
from exporter.backfill.periods import Span
from exporter.backfill.samples import SampleShape, row_lines
from exporter.config.apps import App
from exporter.datasets.daily_trend import DAILY_TREND
from exporter.not_before import back_off

IMPORT_PATH: Final = "/api/v1/import/prometheus"
BATCH_BYTES: Final = 4 * 1024 * 1024  # before compression, which makes about a twentieth of it
ATTEMPTS: Final = 8  # about two minutes with these pauses: enough for a restart of the other side
_TIMEOUT: Final = 60.0  # seconds
_LONGEST_PAUSE: Final = 30.0  # seconds
_LONGEST_ANSWER: Final = 200  # characters of the other side's answer to quote
_PASSING: Final = frozenset({408, 425, 429})


class PushError(Exception):
    """The rows could not be sent; the text says where to and why."""


class _PassingError(PushError):
    """The request failed in a way that another attempt may not."""


@dataclass(frozen=True, slots=True)
class Target:
    """The address to send to: `url` is complete; `place` is safe to show, as a URL may carry a password."""

    url: str
    place: str

    def digest(self, shape: SampleShape) -> str:
        """Return the journal's key for this target and these samples."""
        words = f"{self.url}\n{sorted(shape.labels.items())}\n{shape.step}"
        if shape.dataset is not DAILY_TREND:
            words += f"\n{shape.settings}"
        return hashlib.sha256(words.encode()).hexdigest()


def read_target(url: str) -> Target:
    """Parse `--push`: VictoriaMetrics' address, or the whole import URL; raise ValueError."""
    parts = urlsplit(url)
    name = parts.hostname
    if parts.scheme not in ("http", "https") or not name:
        raise ValueError("not an http:// or https:// URL")
    if parts.path in ("", "/"):
        parts = parts._replace(path=IMPORT_PATH)
    host = f"[{name}]" if ":" in name else name
    place = f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}{parts.path}"
    return Target(urlunsplit(parts), place)


@dataclass(frozen=True, slots=True)
class Push:
    """Sends rows that the target has not taken yet; `session` makes the requests, `sleep` waits seconds."""

    session: requests.Session
    target: Target
    shape: SampleShape
    log: FilteringBoundLogger
    sleep: Callable[[float], None]

    def send(self, journal: Journal, apps: Iterable[App], span: Span) -> int:
        """Send the rows of the apps and dates; return the number of rows sent by this call.

        Raises:
            PushError: the target refuses rows or stays unreachable; the journal keeps what it took.
        """
        digest = self.target.digest(self.shape)
        lines: list[str] = []
        batch: list[tuple[str, date]] = []
        sent = size = 0
        for app in apps:
            for row in journal.rows(app.appid, span):
                if journal.is_pushed(digest, app.appid, row.period.first):
                    continue
                lines.append(row_lines(app, row, self.shape))
                batch.append((app.appid, row.period.first))
                size += len(lines[-1])
                if size >= BATCH_BYTES:
                    sent += self._deliver(journal, digest, lines, batch)
                    lines, batch, size = [], [], 0
        return sent + self._deliver(journal, digest, lines, batch)

    def _deliver(self, journal: Journal, digest: str, lines: list[str], batch: list[tuple[str, date]]) -> int:
        if batch:
            self._post_until_taken(gzip.compress("".join(lines).encode(), 6))
            journal.pushed(digest, batch)
            self.log.info("pushed", rows=len(batch), target=self.target.place)
        return len(batch)

    def _post_until_taken(self, body: bytes) -> None:
        for attempt in range(1, ATTEMPTS):
            try:
                self._post(body)
            except _PassingError as error:
                seconds = back_off(1.0, attempt, _LONGEST_PAUSE)
                self.log.warning("push failed, trying again", error=str(error), seconds=seconds)
                self.sleep(seconds)
            else:
                return
        self._post(body)

    def _post(self, body: bytes) -> None:
        problem: PushError | None = None
        try:
            answer = self.session.post(
                self.target.url,
                data=body,
                headers={"Content-Encoding": "gzip", "Content-Type": "text/plain; charset=utf-8"},
                timeout=_TIMEOUT,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            problem = _PassingError(f"{self.target.place}: {type(error).__name__}")
        if problem is not None:
            raise problem  # outside: the handler's error has the URL in it
        if not 200 <= answer.status_code < 300:  # noqa: PLR2004
            passing = answer.status_code >= 500 or answer.status_code in _PASSING  # noqa: PLR2004
            kind = _PassingError if passing else PushError
            words = " ".join(answer.text[:_LONGEST_ANSWER].split())
            raise kind(f"{self.target.place}: HTTP status {answer.status_code} {words}".rstrip())
