"""The command line: commands and flags; what they do is imported only when it is asked for."""

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
from exporter.flags import (
    address,
    config_flag,
    contradiction,
    count,
    language_flag,
    log_flags,
    seconds,
    shard_flags,
    web_config_flag,
    web_flags,
)

PROGRAM: Final = "wechat-miniprogram-exporter"
_COMMANDS: Final = {
    "serve": "run the exporter (the default)",
    "check": "validate the configuration; --online also asks WeChat once per app",
    "backfill": "fetch past dates, for promtool, VictoriaMetrics, spreadsheets",
    "simulate": "run a stand-in WeChat server on loopback, for demos and tests",
    "demo": "run the stand-in and the exporter in one process, without credentials",
    "healthcheck": "exit 0 if a running exporter answers /-/healthy",
}
_SERVERS: Final = ("serve", "simulate", "demo")  # they run until a signal, which is their usual end
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
    """Run one command; returns its exit code."""
    _escape_what_cannot_be_shown()
    words = list(sys.argv[1:] if argv is None else argv)
    command = words.pop(0) if words and words[0] in _COMMANDS else "serve"
    parser = _parser(command)
    if command == "serve" and words and not words[0].startswith("-"):
        parser.error(f"unknown command {words[0]!r} (known: {', '.join(_COMMANDS)})")
    flags = parser.parse_args(words)
    if (problem := contradiction(flags)) is not None:
        parser.error(problem)
    for number in (signal.SIGINT, signal.SIGTERM):  # a background job would ignore the one, die of the other
        signal.signal(number, signal.default_int_handler)
    try:
        result: int = import_module(f"exporter.commands.{command}").run(flags)
    except KeyboardInterrupt:
        return 0 if command in _SERVERS else 1
    except BrokenPipeError:  # whoever reads, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return result


def _escape_what_cannot_be_shown() -> None:
    """A console that has no Chinese shows its code points; no command ends for want of a letter."""
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
    {
        "serve": _serve_flags,
        "check": _check_flags,
        "backfill": _backfill_flags,
        "simulate": _simulate_flags,
        "demo": _demo_flags,
        "healthcheck": _healthcheck_flags,
    }[command](parser)
    return parser


def _serve_flags(parser: argparse.ArgumentParser) -> None:
    config_flag(parser)
    shard_flags(parser)
    web_flags(parser)
    log_flags(parser, "info")


def _check_flags(parser: argparse.ArgumentParser) -> None:
    config_flag(parser)
    shard_flags(parser)
    web_config_flag(parser)
    parser.add_argument("--online", action="store_true", help="make one real call per app")
    language_flag(parser, None)
    parser.add_argument(
        "--app",
        dest="apps",
        metavar="NAME_OR_APPID",
        action="append",
        default=[],
        help="with --online: only this app, and what WeChat answers to each call; repeatable",
    )
    parser.add_argument(
        "--print",
        dest="print_config",
        action="store_true",
        help="print the configuration with its defaults and without its secrets",
    )


def _backfill_flags(parser: argparse.ArgumentParser) -> None:
    config_flag(parser)
    for flag, name, metavar, text in (
        ("--from", "first", "DATE", "first date: 2026-01-31, or 60d for that many days back"),
        ("--to", "last", "DATE", "last date (default: %(default)s)"),
        ("--output", "output", "FILE", "file to write; appears whole or not at all"),
        ("--push", "push", "URL", "send the samples to VictoriaMetrics, in batches"),
        (
            "--journal",
            "journal",
            "FILE",
            "file that keeps every answer (default: OUTPUT.journal, without --output backfill.journal)",
        ),
        ("--dataset", "dataset", "NAME", "dataset to fetch, such as weekly_trend (default: %(default)s)"),
        ("--resolution", "resolution", "DURATION", "also write the latest figures at this step, such as 5m"),
    ):
        parser.add_argument(
            flag,
            dest=name,
            metavar=metavar,
            required=flag == "--from",
            default={"--to": "yesterday", "--dataset": "daily_trend"}.get(flag),
            help=text,
        )
    for flag, name, metavar, text in (
        ("--app", "apps", "NAME_OR_APPID", "only this app; repeatable (default: all)"),
        ("--label", "labels", "NAME=VALUE", "target label such as job or instance; repeatable"),
    ):
        parser.add_argument(flag, dest=name, metavar=metavar, action="append", default=[], help=text)
    parser.add_argument(
        "--format",
        choices=("openmetrics", "prometheus", "csv", "jsonl"),
        help="format of --output (default: by its suffix .csv, .jsonl or .prom; else openmetrics)",
    )
    parser.add_argument("--missing", action="store_true", help="ask only for dates that the storage lacks")
    parser.add_argument("--dry-run", action="store_true", help="print how many calls it would make, and exit")
    log_flags(parser, "info")


def _simulate_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--listen-address",
        metavar="HOST:PORT",
        type=address,
        default="127.0.0.1:10951",
        help="loopback address to listen on (default: %(default)s)",
    )
    parser.add_argument(
        "--apps",
        type=count,
        default=0,
        metavar="N",
        help="number of healthy apps (default: the apps of the demo)",
    )
    parser.add_argument(
        "--latency",
        type=seconds,
        default=0.0,
        metavar="SECONDS",
        help="time before every answer (default: none)",
    )
    parser.add_argument("--always-published", action="store_true", help="have yesterday's rows at any hour")
    parser.add_argument("--print-config", action="store_true", help="print a configuration for it and exit")


def _demo_flags(parser: argparse.ArgumentParser) -> None:
    web_flags(parser)
    log_flags(parser, "warning")


def _healthcheck_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--web.listen-address",
        dest="listen_address",
        metavar="HOST:PORT",
        type=address,
        help="address of the exporter (default: that of the exporter on this machine, else :10950)",
    )
    web_config_flag(parser)
