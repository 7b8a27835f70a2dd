"""`demo`: a stand-in WeChat and the exporter in one process, so that newcomers see figures at once."""

import argparse
import os
import sys
import tempfile
from pathlib import Path

from exporter.commands.serve import serve_config
from exporter.config import load
from exporter.flags import DEMO_ADDRESS
from exporter.simulator.fleet import ALL_DATASETS, config_yaml, demo_fleet
from exporter.simulator.server import Conditions, Simulator
from exporter.web.listen import parse_address


def run(flags: argparse.Namespace) -> int:
    """Simulate and serve until a signal; return the exit code."""
    flags.listen_addresses = flags.listen_addresses or [DEMO_ADDRESS]
    conditions = Conditions(always_published=True, latency_seconds=0.05)
    with (
        Simulator(demo_fleet(), conditions) as simulator,
        tempfile.TemporaryDirectory(prefix="wechat-demo-") as folder,
    ):
        path = Path(folder, "config.yaml")
        settings = config_yaml(
            demo_fleet(),
            simulator.base_url,
            timeout="2s",
            interval="1m",
            concurrency=len(demo_fleet()),
            datasets=ALL_DATASETS,
        )
        path.write_text(settings, "utf-8")
        config = load(path, os.environ)

        def started() -> None:
            sys.stdout.write(welcome(flags, simulator.base_url))
            sys.stdout.flush()

        return serve_config(config, flags, started=started)


def welcome(flags: argparse.Namespace, wechat: str) -> str:
    """Return the addresses to open, and the next step; `wechat` is the stand-in's address."""
    host, port = parse_address(flags.listen_addresses[0])
    home = f"http://{host or 'localhost'}:{port}"
    return (
        f"The demo is running: {len(demo_fleet())} mini programs, half of them in trouble on purpose.\n"
        f"  status page        {home}/\n"
        f"  状态页（中文）     {home}/?lang=zh\n"
        f"  metrics            {home}{flags.telemetry_path}\n"
        f"  stand-in WeChat    {wechat}\n"
        "Stop it with Ctrl-C. To log what fails and why: --log.level=warning\n"
        "Next: your own mini program. README says how to write config.yaml and run `check --online`.\n"
    )
