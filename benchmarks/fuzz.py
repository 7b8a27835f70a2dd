"""Feeds libFuzzer's bytes to all readers of foreign bytes; needs `pip install atheris`.

Run: python -m benchmarks.fuzz body -max_total_time=600   (or: config, web, accept)
"""

import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Final

import atheris  # type: ignore[import-not-found,import-untyped,unused-ignore]

with atheris.instrument_imports():
    from exporter.config import ConfigError, load
    from exporter.datasets.daily_trend import DAILY_TREND
    from exporter.datasets.period import DAY
    from exporter.exposition import negotiation
    from exporter.web.webconfig import loading as webconfig
    from exporter.web.webconfig.users import PasswordChecker
    from exporter.wechat.failures.failure import CallError
    from exporter.wechat.network.transport import Answer
    from exporter.wechat.verdict import read_json

_PERIOD: Final = DAY.starting(date(2026, 11, 23))


def body(content: bytes) -> None:
    """Read an answer of WeChat's; it must parse or be refused in our words."""
    with suppress(CallError, ValueError):
        DAILY_TREND.read(read_json(Answer(200, content)), _PERIOD)


def config(content: bytes) -> None:
    """Load a configuration file; it must load or be refused in our words."""
    _FILE.write_bytes(content)
    with suppress(ConfigError):
        load(_FILE, {})


def web(content: bytes) -> None:
    """Load a web configuration file; it must load or be refused in our words."""
    _FILE.write_bytes(content)
    with suppress(ConfigError):
        webconfig.load(_FILE, {})


def accept(content: bytes) -> None:
    """Negotiate by a client's headers."""
    negotiation.wants_openmetrics(content.decode("latin-1"))
    negotiation.accepts_gzip(content.decode("latin-1"))
    _USERS.check(content)


_FILE: Final = Path(tempfile.mkdtemp(), "fuzzed.yaml")
_USERS: Final = PasswordChecker({"alice": b"$2b$04$" + b"a" * 53})
_TARGETS: Final[Mapping[str, Callable[[bytes], None]]] = {
    "body": body,
    "config": config,
    "web": web,
    "accept": accept,
}


def main(words: Sequence[str]) -> None:
    """Run until something breaks or the time is over; further words are libFuzzer's."""
    program, target, *others = words
    atheris.Setup([program, *others], _TARGETS[target])
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv)
