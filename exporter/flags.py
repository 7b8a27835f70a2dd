"""Flags that several commands have, and what their values may be."""

import argparse
import re
from typing import Final

from exporter.shards import AUTO, MOST_SHARDS
from exporter.web.listen import ListenError, parse_address

DEFAULT_ADDRESS: Final = ":10950"

SHARD: Final = "{shard}"
"""Stands for a shard's number in an address."""

_HOST: Final = re.compile(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]")
_LAST_PORT: Final = 65535


def contradiction(flags: argparse.Namespace) -> str | None:
    """What is wrong with flags that are good one by one; None where they go together."""
    if getattr(flags, "online", None) is False and flags.apps:
        return "argument --app: needs --online"
    total: int = getattr(flags, "total_shards", 1)
    for target in getattr(flags, "sd_targets", ()):
        if total > 1 and SHARD not in target:
            return (
                f"argument --sd.target: {target!r} is the same for all of --total-shards={total}: "
                f"write {SHARD} where their addresses differ"
            )
        if not _is_target(last := target.replace(SHARD, str(total - 1))):
            return (
                f"argument --sd.target: {target!r} makes {last!r} of the last shard, which is not HOST:PORT"
            )
    return None


def config_flag(parser: argparse.ArgumentParser) -> None:
    """Where the configuration is."""
    parser.add_argument(
        "--config.file",
        dest="config_file",
        metavar="PATH",
        default="config.yaml",
        help="configuration file (default: %(default)s)",
    )


def shard_flags(parser: argparse.ArgumentParser) -> None:
    """Which part of the apps."""
    parser.add_argument(
        "--shard",
        metavar="N",
        type=_shard,
        default="0",
        help="shard to run, from 0; auto: the number of the StatefulSet's pod (default: %(default)s)",
    )
    parser.add_argument(
        "--total-shards",
        dest="total_shards",
        metavar="N",
        type=_total,
        default=1,
        help="number of shards that divide the apps (default: %(default)s)",
    )


def web_flags(parser: argparse.ArgumentParser) -> None:
    """Where and how to be asked."""
    parser.add_argument(
        "--web.listen-address",
        dest="listen_addresses",
        metavar="HOST:PORT",
        type=address,
        action="append",
        help="address to listen on; repeatable (default: :10950)",
    )
    parser.add_argument(
        "--web.telemetry-path",
        dest="telemetry_path",
        metavar="PATH",
        type=_path,
        default="/metrics",
        help="path of the metrics (default: %(default)s)",
    )
    parser.add_argument(
        "--sd.target",
        dest="sd_targets",
        metavar="HOST:PORT",
        type=_target,
        action="append",
        default=[],
        help="target of each shard on /sd, {shard} stands for its number; repeatable for replicas "
        "(default: the address of the request)",
    )
    web_config_flag(parser)
    parser.add_argument(
        "--web.enable-lifecycle",
        dest="enable_lifecycle",
        action="store_true",
        help="allow POST /-/reload and POST /-/refresh?appid=… (SIGHUP always reloads)",
    )


def web_config_flag(parser: argparse.ArgumentParser) -> None:
    """Who may ask."""
    parser.add_argument(
        "--web.config.file",
        dest="web_config_file",
        metavar="PATH",
        help="file with TLS, basic authentication, headers and rate limit (default: none)",
    )


def log_flags(parser: argparse.ArgumentParser, level: str) -> None:
    """What to log; `level` is the default."""
    parser.add_argument(
        "--log.level",
        dest="log_level",
        choices=("debug", "info", "warning", "error"),
        default=level,
        help="least severe events to log (default: %(default)s)",
    )
    parser.add_argument(
        "--log.format",
        dest="log_format",
        choices=("logfmt", "json"),
        default="logfmt",
        help="format of the log (default: %(default)s)",
    )
    language_flag(parser, "en")


def language_flag(parser: argparse.ArgumentParser, default: str | None) -> None:
    """Add the flag that chooses the language of advice; without a default the locale chooses it."""
    parser.add_argument(
        "--log.language",
        dest="log_language",
        choices=("en", "zh"),
        default=default,
        help=f"language of the advice on failures (default: {default or 'the locale'})",
    )


def _path(text: str) -> str:
    taken = text in {"/", "/style.css", "/sd", "/config"} or text.startswith(("/-/", "/wechat/ticket/"))
    if taken or not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a path such as /metrics, or it is taken")
    return text


def address(text: str) -> str:
    """HOST:PORT to listen on, as it was written."""
    try:
        parse_address(text)
    except ListenError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def _target(text: str) -> str:
    if not _is_target(text.replace(SHARD, "0")):
        raise argparse.ArgumentTypeError(
            f"{text!r} is not HOST:PORT such as exporter-{SHARD}.exporter:10950, the port from 1 to 65535"
        )
    return text


def _is_target(text: str) -> bool:
    host, _, port = text.rpartition(":")
    return bool(_HOST.fullmatch(host) and re.fullmatch(r"[1-9][0-9]{0,4}", port)) and int(port) <= _LAST_PORT


def _shard(text: str) -> str:
    if text != AUTO and not (text.isascii() and text.isdigit() and int(text) < MOST_SHARDS):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 up, nor auto")
    return text


def _total(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= MOST_SHARDS):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to {MOST_SHARDS}")
    return int(text)


def count(text: str) -> int:
    """A number from 0 up."""
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 up")
    return int(text)


def seconds(text: str) -> float:
    """Seconds, as a decimal."""
    if not re.fullmatch(r"[0-9]{1,5}(\.[0-9]+)?", text):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds such as 0.2")
    return float(text)
