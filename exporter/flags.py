"""The flags of all commands: a table from which the parsers are built, and rules for values."""

import argparse
import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from exporter.shards import AUTO, MOST_SHARDS
from exporter.web.listen import ListenError, parse_address

DEFAULT_ADDRESS: Final = ":10950"
DEMO_ADDRESS: Final = "127.0.0.1:10950"

SHARD: Final = "{shard}"
"""Stands for a shard's number in an address."""

_HOST: Final = re.compile(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]")
_LAST_PORT: Final = 65535

Flags = Mapping[str, Mapping[str, Any]]
"""Names of flags, each with the keywords of argparse's add_argument; `dest` follows from the name."""


def add_flags(parser: argparse.ArgumentParser, flags: Flags) -> None:
    """Add flags to a parser: the value of `--log.level` becomes `log_level`."""
    for name, keywords in flags.items():
        dest = name.removeprefix("--").replace(".", "_").replace("-", "_")
        parser.add_argument(name, **{"dest": dest, **keywords})


def contradiction(flags: argparse.Namespace) -> str | None:
    """Return what is wrong with a combination of valid flags; None if they fit together."""
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


def _accept(holds: Callable[[str], object], what: str, kept: Callable[[str], object] = str) -> Any:  # noqa: ANN401 - argparse's `type`
    """Return a type for argparse: refuses a text unless `holds` is true, then converts it by `kept`."""

    def accept(text: str) -> object:
        if not holds(text):
            raise argparse.ArgumentTypeError(f"{text!r} is not {what}")
        return kept(text)

    return accept


def _is_number(text: str, lowest: int = 0, highest: int | None = None) -> bool:
    return text.isascii() and text.isdigit() and lowest <= int(text) and (not highest or int(text) <= highest)


def _is_path(text: str) -> bool:
    taken = text in {"/", "/style.css", "/sd", "/config"} or text.startswith(("/-/", "/wechat/ticket/"))
    return not taken and re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", text) is not None


def _is_target(text: str) -> bool:
    host, _, port = text.rpartition(":")
    return bool(_HOST.fullmatch(host) and re.fullmatch(r"[1-9][0-9]{0,4}", port)) and int(port) <= _LAST_PORT


def _address(text: str) -> str:
    try:
        parse_address(text)
    except ListenError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


_COUNT: Final = _accept(_is_number, "a number from 0 up", int)
_SECONDS: Final = _accept(
    re.compile(r"[0-9]{1,5}(\.[0-9]+)?").fullmatch, "a number of seconds such as 0.2", float
)
_PATH: Final = _accept(_is_path, "a path such as /metrics, or it is taken")
_TARGET: Final = _accept(
    lambda text: _is_target(text.replace(SHARD, "0")),
    f"HOST:PORT such as exporter-{SHARD}.exporter:10950, the port from 1 to 65535",
)
_SHARD_NUMBER: Final = _accept(
    lambda text: text == AUTO or _is_number(text, highest=MOST_SHARDS - 1), "a number from 0 up, nor auto"
)
_SHARD_TOTAL: Final = _accept(
    lambda text: _is_number(text, 1, MOST_SHARDS), f"a number from 1 to {MOST_SHARDS}", int
)


def _value(metavar: str, text: str, **keywords: object) -> Mapping[str, Any]:
    return {"metavar": metavar, "help": text, **keywords}


def _values(metavar: str, text: str, dest: str, **keywords: object) -> Mapping[str, Any]:
    """Return a repeatable flag, whose values form a list."""
    return {"metavar": metavar, "help": text, "dest": dest, "action": "append", "default": [], **keywords}


def _switch(text: str, **keywords: object) -> Mapping[str, Any]:
    return {"action": "store_true", "help": text, **keywords}


def _choice(choices: tuple[str, ...], text: str, default: str | None = None) -> Mapping[str, Any]:
    return {"choices": choices, "help": text, "default": default}


def _log(level: str) -> Flags:
    levels = ("debug", "info", "warning", "error")
    return {
        "--log.level": _choice(levels, "least severe events to log (default: %(default)s)", level),
        "--log.format": _choice(("logfmt", "json"), "format of the log (default: %(default)s)", "logfmt"),
        "--log.language": _choice(_LANGUAGES, "language of the advice on failures (default: en)", "en"),
    }


_LANGUAGES: Final = ("en", "zh")
_CONFIG: Final[Flags] = {
    "--config.file": _value("PATH", "configuration file (default: %(default)s)", default="config.yaml")
}
_SHARDS: Final[Flags] = {
    "--shard": _value(
        "N",
        "shard to run, from 0; auto: the number of the StatefulSet's pod (default: %(default)s)",
        type=_SHARD_NUMBER,
        default="0",
    ),
    "--total-shards": _value(
        "N", "number of shards that divide the apps (default: %(default)s)", type=_SHARD_TOTAL, default=1
    ),
}
_WEB_CONFIG: Final[Flags] = {
    "--web.config.file": _value(
        "PATH", "file with TLS, basic authentication, headers and rate limit (default: none)"
    )
}


def _listen(default: str) -> Flags:
    text = f"address to listen on; repeatable (default: {default})"
    return {"--web.listen-address": _values("HOST:PORT", text, "listen_addresses", type=_address)}


WEB: Final[Flags] = {
    **_listen(DEFAULT_ADDRESS),
    "--web.telemetry-path": _value(
        "PATH",
        "path of the metrics (default: %(default)s)",
        dest="telemetry_path",
        type=_PATH,
        default="/metrics",
    ),
    "--sd.target": _values(
        "HOST:PORT",
        "target of each shard on /sd, {shard} stands for its number; repeatable for replicas "
        "(default: the address of the request)",
        "sd_targets",
        type=_TARGET,
    ),
    **_WEB_CONFIG,
    "--web.enable-lifecycle": _switch(
        "allow POST /-/reload and POST /-/refresh (SIGHUP always reloads)", dest="enable_lifecycle"
    ),
}
FLAGS: Final[Mapping[str, Flags]] = {
    "serve": {**_CONFIG, **_SHARDS, **WEB, **_log("info")},
    "check": {
        **_CONFIG,
        **_SHARDS,
        **_WEB_CONFIG,
        "--online": _switch("make one real call per app and dataset, and one for each token"),
        "--log.language": _choice(_LANGUAGES, "language of the advice on failures (default: the locale)"),
        "--app": _values(
            "NAME_OR_APPID",
            "with --online: only this app, and what WeChat answers to each call; repeatable",
            "apps",
        ),
        "--print": _switch(
            "print the configuration with its defaults and without its secrets", dest="print_config"
        ),
    },
    "backfill": {
        **_CONFIG,
        "--from": _value(
            "DATE",
            "first date: 2026-01-31, or 60d for that many days back",
            dest="first",
            required=True,
        ),
        "--to": _value("DATE", "last date (default: %(default)s)", dest="last", default="yesterday"),
        "--output": _value("FILE", "file to write; appears whole or not at all"),
        "--push": _value("URL", "send the samples to VictoriaMetrics, in batches"),
        "--journal": _value(
            "FILE",
            "file that keeps every answer (default: OUTPUT.journal, without --output backfill.journal)",
        ),
        "--dataset": _value(
            "NAME", "dataset to fetch, such as weekly_trend (default: %(default)s)", default="daily_trend"
        ),
        "--resolution": _value("DURATION", "also write the latest figures at this step, such as 5m"),
        "--app": _values("NAME_OR_APPID", "only this app; repeatable (default: all)", "apps"),
        "--label": _values("NAME=VALUE", "target label such as job or instance; repeatable", "labels"),
        "--format": _choice(
            ("openmetrics", "prometheus", "csv", "jsonl"),
            "format of --output (default: by its suffix .csv, .jsonl or .prom; else openmetrics)",
        ),
        "--missing": _switch("ask only for dates that the storage lacks"),
        "--dry-run": _switch("print how many calls it would make, and exit"),
        **_log("info"),
    },
    "simulate": {
        "--listen-address": _value(
            "HOST:PORT",
            "loopback address to listen on (default: %(default)s)",
            type=_address,
            default="127.0.0.1:10951",
        ),
        "--apps": _value(
            "N", "number of healthy apps (default: the apps of the demo)", type=_COUNT, default=0
        ),
        "--latency": _value(
            "SECONDS", "time before every answer (default: none)", type=_SECONDS, default=0.0
        ),
        "--always-published": _switch("have yesterday's rows at any hour"),
        "--print-config": _switch("print a configuration for it and exit"),
    },
    "demo": {**WEB, **_listen(DEMO_ADDRESS), **_log("error")},
    "healthcheck": {
        "--web.listen-address": _value(
            "HOST:PORT",
            "address of the exporter (default: that of the exporter on this machine, else :10950)",
            dest="listen_address",
            type=_address,
        ),
        **_WEB_CONFIG,
    },
}
"""The flags of each command, in the order of its help."""
