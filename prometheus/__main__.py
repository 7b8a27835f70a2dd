"""`python -m prometheus` writes the rule files anew from their tables."""

import argparse
import sys
from pathlib import Path
from typing import Final

from prometheus.alerting import RUNBOOKS
from prometheus.rulefiles import alerts_yaml, prometheusrule_yaml, recording_yaml

HOME: Final = Path(__file__).parent


def main(arguments: list[str] | None = None) -> int:
    """Write all of them; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m prometheus", description=__doc__)
    parser.add_argument("--runbooks", default=RUNBOOKS, help="the address of the folder of runbooks")
    parser.add_argument("--to", type=Path, default=HOME, help="the folder to write to")
    flags = parser.parse_args(arguments)
    flags.to.joinpath("recording.yaml").write_text(recording_yaml(), "utf-8")
    flags.to.joinpath("alerts.yaml").write_text(alerts_yaml(flags.runbooks), "utf-8")
    flags.to.joinpath("prometheusrule.yaml").write_text(prometheusrule_yaml(flags.runbooks), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
