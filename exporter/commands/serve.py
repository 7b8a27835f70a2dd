"""`serve`: runs the exporter until a signal stops it; its flags are in flags.py."""

import argparse
import os
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from exporter import __version__
from exporter.config import ConfigError, load
from exporter.config.settings import Config
from exporter.file_descriptors import raise_limit
from exporter.flags import DEFAULT_ADDRESS
from exporter.logs import open_log
from exporter.service import Exporter
from exporter.shards import THE_WHOLE, Shard, ShardError, choose_shard
from exporter.store.interface import PlaceError, StoreError
from exporter.web.admission import Admission
from exporter.web.app import make_app
from exporter.web.listen import ListenError, listen, listening_on
from exporter.web.reloads import Reloads
from exporter.web.server import Server, serve
from exporter.web.throttled_log import ThrottledLog
from exporter.web.webconfig.loading import WebConfig
from exporter.web.webconfig.watch import WebConfigWatch

_STOP_SECONDS: Final = 3.0  # after the two that the server gives to responses under way


def run(flags: argparse.Namespace) -> int:
    """Read the configuration and serve; return the exit code: 2 if another configuration is needed."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until the server can reload
    try:
        shard = choose_shard(flags.shard, flags.total_shards, os.environ)
        config = load(Path(flags.config_file), os.environ)
    except (ConfigError, ShardError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return serve_config(config, flags, shard)


def serve_config(
    config: Config,
    flags: argparse.Namespace,
    shard: Shard = THE_WHOLE,
    started: Callable[[], None] = lambda: None,
) -> int:
    """Serve the shard of a valid configuration; `started` is called once connections are accepted."""
    raise_limit()
    log = open_log(flags.log_level, flags.log_format, language=flags.log_language)
    admission = Admission(WebConfig())
    web, watch = flags.web_config_file, None
    try:
        if web is not None:
            watch = WebConfigWatch(Path(web), os.environ, admission.configure, log)
    except ConfigError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    addresses = flags.listen_addresses or [DEFAULT_ADDRESS]
    with ExitStack() as stack:
        try:
            sockets = [stack.enter_context(listen(address)) for address in addresses]
            exporter = Exporter(config, log, shard=shard)
        except (ListenError, StoreError) as error:
            log.error("cannot start", error=str(error))
            return 2 if isinstance(error, PlaceError) else 1
        reloads = Reloads(exporter, watch)
        log.info(
            "starting",
            version=__version__,
            apps=len(config.apps),
            config=str(config.path),
            **({"shard": str(shard)} if shard.total > 1 else {}),
        )

        def begin() -> None:
            bound = map(listening_on, addresses, sockets)
            log.info("listening", addresses=" ".join(bound), telemetry_path=flags.telemetry_path)
            exporter.start()
            if watch is not None:
                stack.enter_context(reloads.watching())
            started()

        try:
            lifecycle = reloads.reload if flags.enable_lifecycle else None
            app = make_app(exporter, flags.telemetry_path, lifecycle, flags.sd_targets, reloads.refused)
            server = Server(
                app, admission, ThrottledLog(log), begin, unwell=lambda: exporter.ailment() is not None
            )
            serve(server, sockets, reloads.reload)
        finally:
            for number in (signal.SIGTERM, signal.SIGINT):  # a second one must not cut the end short
                signal.signal(number, signal.SIG_IGN)
            exporter.stop(_STOP_SECONDS)
        log.info("stopped")
    return 0
