"""The command line: commands and flags; what they do is imported only when it is asked for."""

import argparse
import platform
import re
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Final

from exporter import __version__
from exporter.shards import AUTO, MOST_SHARDS
from exporter.web.listen import ListenError, parse_address

PROGRAM: Final = "wechat-miniprogram-exporter"
_COMMANDS: Final = {
    "serve": "run the exporter (the default)",
    "check": "validate the configuration; --online also asks WeChat once per app",
    "backfill": "fetch past dates, for promtool, VictoriaMetrics, spreadsheets",
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

exit codes: 0 stopped or all well, 1 failed, 2 bad usage or bad configuration, 3 backfill: dates missing
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    command = words.pop(0) if words and words[0] in _COMMANDS else "serve"
    parser = _parser(command)
    if command == "serve" and words and not words[0].startswith("-"):
        parser.error(f"unknown command {words[0]!r} (known: {', '.join(_COMMANDS)})")
    flags = parser.parse_args(words)
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
        "backfill": _backfill_flags,
        "simulate": _simulate_flags,
        "demo": _demo_flags,
        "healthcheck": _healthcheck_flags,
    }[command](parser)
    return parser


def _serve_flags(parser: argparse.ArgumentParser) -> None:
    _config_flag(parser)
    _shard_flags(parser)
    _web_flags(parser)
    _log_flags(parser, "info")


def _check_flags(parser: argparse.ArgumentParser) -> None:
    _config_flag(parser)
    _shard_flags(parser)
    _web_config_flag(parser)
    parser.add_argument("--online", action="store_true", help="make one real call per app")


def _backfill_flags(parser: argparse.ArgumentParser) -> None:
    _config_flag(parser)
    for flag, name, metavar, text in (
        ("--from", "first", "DATE", "first date: 2026-01-31, or 60d for that many days back"),
        ("--to", "last", "DATE", "last date (%(default)s)"),
        ("--output", "output", "FILE", "where to write; appears whole or not at all"),
        ("--push", "push", "URL", "send to VictoriaMetrics, in batches"),
        (
            "--journal",
            "journal",
            "FILE",
            "keeps every answer (OUTPUT.journal, without --output backfill.journal)",
        ),
        ("--resolution", "resolution", "DURATION", "also replay the latest family at this step, say 5m"),
    ):
        parser.add_argument(
            flag,
            dest=name,
            metavar=metavar,
            required=flag == "--from",
            default="yesterday" if flag == "--to" else None,
            help=text,
        )
    for flag, name, metavar, text in (
        ("--app", "apps", "NAME_OR_APPID", "only this app, repeatable (all)"),
        ("--label", "labels", "NAME=VALUE", "target label such as job or instance, repeatable"),
    ):
        parser.add_argument(flag, dest=name, metavar=metavar, action="append", default=[], help=text)
    parser.add_argument(
        "--format",
        choices=("openmetrics", "prometheus", "csv", "jsonl"),
        default="openmetrics",
        help="of --output (%(default)s)",
    )
    parser.add_argument("--missing", action="store_true", help="ask only for dates that the storage lacks")
    parser.add_argument("--dry-run", action="store_true", help="say how many calls it would make")
    _log_flags(parser, "info")


def _simulate_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--listen-address",
        metavar="HOST:PORT",
        type=_address,
        default="127.0.0.1:10951",
        help="loopback only (%(default)s)",
    )
    parser.add_argument(
        "--apps", type=_count, default=0, metavar="N", help="healthy apps (0: the demo's fleet)"
    )
    parser.add_argument(
        "--latency", type=_seconds, default=0.0, metavar="SECONDS", help="before every answer"
    )
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
        type=_address,
        default=":10950",
        help="where the exporter listens (%(default)s)",
    )
    _web_config_flag(parser)


def _config_flag(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--config.file", dest="config_file", metavar="PATH", default="config.yaml", help="(%(default)s)"
    )


def _shard_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--shard",
        metavar="N",
        type=_shard,
        default="0",
        help="which part of the apps, from 0; auto: the number of a StatefulSet's pod (%(default)s)",
    )
    parser.add_argument(
        "--total-shards",
        dest="total_shards",
        metavar="N",
        type=_total,
        default=1,
        help="into how many parts the apps are divided (%(default)s)",
    )


def _web_flags(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--web.listen-address",
        dest="listen_addresses",
        metavar="HOST:PORT",
        type=_address,
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
        "--sd.target",
        dest="sd_targets",
        metavar="HOST:PORT",
        type=_target,
        action="append",
        default=[],
        help="what /sd names for each shard, {shard} being its number; repeatable for replicas (as asked)",
    )
    _web_config_flag(parser)
    parser.add_argument(
        "--web.enable-lifecycle",
        dest="enable_lifecycle",
        action="store_true",
        help="allow POST /-/reload (SIGHUP always reloads)",
    )


def _web_config_flag(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--web.config.file",
        dest="web_config_file",
        metavar="PATH",
        help="TLS, basic authentication, headers, rate limit",
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
    taken = text in {"/", "/style.css", "/sd"} or text.startswith(("/-/", "/wechat/ticket/"))
    if taken or not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a path such as /metrics, or it is taken")
    return text


def _address(text: str) -> str:
    try:
        parse_address(text)
    except ListenError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def _target(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._:{}\[\]-]+:[0-9{}a-z]+", text) or re.search(
        r"[{}]", text.replace("{shard}", "")
    ):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not HOST:PORT such as exporter-{{shard}}.exporter:10950"
        )
    return text


def _shard(text: str) -> str:
    if text != AUTO and not (text.isascii() and text.isdigit() and int(text) < MOST_SHARDS):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 up, nor auto")
    return text


def _total(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= MOST_SHARDS):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to {MOST_SHARDS}")
    return int(text)


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 up")
    return int(text)


def _seconds(text: str) -> float:
    if not re.fullmatch(r"[0-9]{1,5}(\.[0-9]+)?", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds such as 0.2")
    return float(text)
