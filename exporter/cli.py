"""The command line: commands and flags; what they do is imported only when it is asked for."""

import argparse
import platform
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final

from exporter import __version__

PROGRAM: Final = "wechat-miniprogram-exporter"
_COMMANDS: Final = {
    "serve": "run the exporter (the default)",
    "check": "validate the configuration; --online also asks WeChat once per app",
    "simulate": "a stand-in WeChat server on loopback, for demos and tests",
    "demo": "simulate and serve in one process: no credentials needed",
    "healthcheck": "exit 0 if a running exporter answers /-/healthy",
}
_EXAMPLES: Final = f"""
commands:
{"".join(f"  {name:<12} {text}{chr(10)}" for name, text in _COMMANDS.items())}
examples:
  {PROGRAM} demo
  {PROGRAM} --config.file=/etc/wechat/config.yaml --log.format=json
  {PROGRAM} check --online --config.file=config.yaml
  {PROGRAM} COMMAND --help

exit codes: 0 stopped or all well, 1 failed, 2 bad usage or bad configuration
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    command = words.pop(0) if words and words[0] in _COMMANDS else "serve"
    flags = _parser(command).parse_args(words)
    try:
        result: int = import_module(f"exporter.commands.{command}").run(flags)
    except KeyboardInterrupt:
        return 1
    return result


def _parser(command: str) -> argparse.ArgumentParser:
    default = command == "serve"
    parser = argparse.ArgumentParser(
        prog=PROGRAM if default else f"{PROGRAM} {command}",
        usage=f"{PROGRAM} [COMMAND] [flags]" if default else None,
        description="Prometheus exporter for WeChat mini programs' daily visit figures."
        if default
        else _COMMANDS[command].capitalize() + ".",
        epilog=_EXAMPLES if default else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    version = f"{PROGRAM}, version {__version__} (python {platform.python_version()})"
    parser.add_argument("--version", action="version", version=version, help="show the version and exit")
    {
        "serve": _serve_flags,
        "check": _check_flags,
        "simulate": _simulate_flags,
        "demo": _demo_flags,
        "healthcheck": _healthcheck_flags,
    }[command](parser)
    return parser


def _serve_flags(parser: argparse.ArgumentParser) -> None:
    _config_flag(parser)
    _web_flags(parser)
    _log_flags(parser, "info")


def _check_flags(parser: argparse.ArgumentParser) -> None:
    _config_flag(parser)
    parser.add_argument("--online", action="store_true", help="make one real call per app")


def _simulate_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--listen-address", metavar="HOST:PORT", default="127.0.0.1:10951", help="loopback only (%(default)s)"
    )
    parser.add_argument("--apps", type=int, default=0, metavar="N", help="healthy apps (0: the demo's fleet)")
    parser.add_argument("--latency", type=float, default=0.0, metavar="SECONDS", help="before every answer")
    parser.add_argument(
        "--always-published", action="store_true", help="yesterday's rows are there at any hour"
    )
    parser.add_argument("--print-config", action="store_true", help="print a configuration for it and exit")


def _demo_flags(parser: argparse.ArgumentParser) -> None:
    _web_flags(parser)
    _log_flags(parser, "warning")


def _healthcheck_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--web.listen-address",
        dest="listen_address",
        metavar="HOST:PORT",
        default=":10950",
        help="where the exporter listens (%(default)s)",
    )


def _config_flag(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config.file", dest="config_file", metavar="PATH", default="config.yaml", help="(%(default)s)"
    )


def _web_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--web.listen-address",
        dest="listen_addresses",
        metavar="HOST:PORT",
        action="append",
        help="address to listen on, repeatable (:10950)",
    )
    parser.add_argument(
        "--web.telemetry-path",
        dest="telemetry_path",
        metavar="PATH",
        type=_path,
        default="/metrics",
        help="path of the metrics (%(default)s)",
    )
    parser.add_argument(
        "--web.enable-lifecycle",
        dest="enable_lifecycle",
        action="store_true",
        help="allow POST /-/reload (SIGHUP always reloads)",
    )


def _log_flags(parser: argparse.ArgumentParser, level: str) -> None:
    parser.add_argument(
        "--log.level",
        dest="log_level",
        choices=("debug", "info", "warning", "error"),
        default=level,
        help="(%(default)s)",
    )
    parser.add_argument(
        "--log.format", dest="log_format", choices=("logfmt", "json"), default="logfmt", help="(%(default)s)"
    )


def _path(text: str) -> str:
    taken = text in {"/", "/style.css"} or text.startswith(("/-/", "/wechat/ticket/"))
    if taken or not text.startswith("/") or not text.isprintable():
        raise argparse.ArgumentTypeError(f"{text!r} is not a path such as /metrics, or it is taken")
    return text
