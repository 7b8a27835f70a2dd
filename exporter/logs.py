"""Logs: one event per line, logfmt or JSON, on standard error."""

import io
import logging
import sys
from contextlib import suppress
from functools import partial
from typing import Any, TextIO

import structlog
from structlog.typing import EventDict, FilteringBoundLogger

from exporter.wechat.failures.advice import Advice


def open_log(
    level: str, log_format: str, stream: TextIO = sys.stderr, language: str = "en"
) -> FilteringBoundLogger:
    """Return a logger for events of a level and above, with advice in `language` (`en` or `zh`).

    Libraries' loggers are silenced: urllib3 writes addresses, which carry tokens, at debug level.
    """
    logging.getLogger().handlers = [logging.NullHandler()]
    logging.getLogger().setLevel(logging.CRITICAL)
    renderer: Any = (
        structlog.processors.JSONRenderer(
            ensure_ascii=not (stream.encoding or "utf-8").lower().startswith("utf")
        )
        if log_format == "json"
        else structlog.processors.LogfmtRenderer(
            key_order=["timestamp", "level", "event"], bool_as_flag=False
        )
    )
    log: FilteringBoundLogger = structlog.wrap_logger(
        structlog.PrintLogger(_TolerantStream(stream)),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            partial(_choose_language, language),
            _escape,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    return log


def _choose_language(language: str, _log: object, _method: str, event: EventDict) -> EventDict:
    """Replace an advice by its text in a language."""
    return {key: value.text(language) if isinstance(value, Advice) else value for key, value in event.items()}


def _escape(_log: object, _method: str, event: EventDict) -> EventDict:
    """Escape what is not printable: names and paths come from strangers, and logs go to terminals.

    Line ends are left to the renderers, which keep an event on one line.
    """
    return {key: _printable(value) if isinstance(value, str) else value for key, value in event.items()}


def _printable(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() or each == "\n" else each.encode("unicode_escape").decode()
        for each in text
    )


class _TolerantStream(io.StringIO):
    """A stream whose reader may go away: losing a line must not end the thread that wrote it."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._stream.flush()
