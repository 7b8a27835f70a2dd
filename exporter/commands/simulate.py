"""`simulate`: a stand-in WeChat server on loopback."""

import argparse
import sys

from exporter.simulator import command
from exporter.simulator.fleet import ALL_DATASETS, config_yaml, demo_fleet, fleet


def run(flags: argparse.Namespace) -> int:
    """Simulate until a signal, or print a configuration that asks this simulator."""
    if flags.print_config:
        apps = fleet(flags.apps, command.SEED) if flags.apps else demo_fleet()
        sys.stdout.write(config_yaml(apps, f"http://{flags.listen_address}", datasets=ALL_DATASETS))
        return 0
    return command.run(flags.listen_address, flags.apps, flags.latency, flags.always_published)
