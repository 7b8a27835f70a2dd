"""The command line: chooses a command and imports its module only then."""

import argparse
import io
import os
import platform
import signal
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final

from exporter import __version__
from exporter.flags import FLAGS, add_flags, contradiction

PROGRAM: Final = "wechat-miniprogram-exporter"
_COMMANDS: Final = {
    "serve": "run the exporter (the default)",
    "check": "validate the configuration; --online also asks WeChat once per app",
    "backfill": "fetch past dates, for promtool, VictoriaMetrics, spreadsheets",
    "simulate": "run a stand-in WeChat server on loopback, for demos and tests",
    "demo": "run the stand-in and the exporter in one process, without credentials",
    "healthcheck": "exit 0 if a running exporter answers /-/healthy",
}
_SERVERS: Final = ("serve", "simulate", "demo")  # a signal is their usual end
_EXAMPLES: Final = f"""
commands:
{"".join(f"  {name:<12} {text}{chr(10)}" for name, text in _COMMANDS.items())}
examples:
  {PROGRAM} demo
  {PROGRAM} --config.file=/etc/wechat/config.yaml --log.format=json
  {PROGRAM} check --online --config.file=config.yaml
  {PROGRAM} COMMAND --help

exit codes: 0 stopped or all well, 1 failed, 2 bad usage or bad configuration, 3 backfill: dates missing
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code."""
    _escape_what_cannot_be_shown()
    words = list(sys.argv[1:] if argv is None else argv)
    command = words.pop(0) if words and words[0] in _COMMANDS else "serve"
    parser = _parser(command)
    if command == "serve" and words and not words[0].startswith("-"):
        parser.error(f"unknown command {words[0]!r} (known: {', '.join(_COMMANDS)})")
    flags = parser.parse_args(words)
    if (problem := contradiction(flags)) is not None:
        parser.error(problem)
    # Background jobs ignore SIGINT, and SIGTERM would end the process without a clean-up.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)
    try:
        result: int = import_module(f"exporter.commands.{command}").run(flags)
    except KeyboardInterrupt:
        return 0 if command in _SERVERS else 1
    except BrokenPipeError:  # the reader, such as `head`, has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return result


def _escape_what_cannot_be_shown() -> None:
    """Print escapes on consoles without Chinese, instead of failing with a UnicodeEncodeError."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _parser(command: str) -> argparse.ArgumentParser:
    default = command == "serve"
    parser = argparse.ArgumentParser(
        prog=PROGRAM if default else f"{PROGRAM} {command}",
        usage=f"{PROGRAM} [COMMAND] [flags]" if default else None,
        description="Prometheus exporter for WeChat mini programs' daily visit figures."
        if default
        else f"{_COMMANDS[command][0].upper()}{_COMMANDS[command][1:]}.",
        epilog=_EXAMPLES if default else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    version = f"{PROGRAM}, version {__version__} (python {platform.python_version()})"
    parser.add_argument("--version", action="version", version=version, help="show the version and exit")
    add_flags(parser, FLAGS[command])
    return parser
