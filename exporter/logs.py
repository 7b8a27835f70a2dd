"""Logs: one event per line, logfmt or JSON, on standard error."""

import logging
import sys
from typing import Any, Final, TextIO

import structlog
from structlog.typing import FilteringBoundLogger

LEVELS: Final = ("debug", "info", "warning", "error")
FORMATS: Final = ("logfmt", "json")


def open_log(level: str, log_format: str, stream: TextIO = sys.stderr) -> FilteringBoundLogger:
    """A logger that writes events of that level and above.

    Libraries' loggers are silenced: urllib3 writes addresses, which carry tokens, at debug level.
    """
    logging.getLogger().handlers = [logging.NullHandler()]
    logging.getLogger().setLevel(logging.CRITICAL)
    renderer: Any = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if log_format == "json"
        else structlog.processors.LogfmtRenderer(
            key_order=["timestamp", "level", "event"], bool_as_flag=False
        )
    )
    log: FilteringBoundLogger = structlog.wrap_logger(
        structlog.PrintLogger(stream),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        cache_logger_on_first_use=True,
    )
    return log
