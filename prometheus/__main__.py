"""`python -m prometheus` writes the rule files from their tables."""

import argparse
import sys
from pathlib import Path
from typing import Final

from yaml import YAMLError

from prometheus.alerting import RUNBOOKS
from prometheus.rulefiles import alerts_yaml, prometheusrule_yaml, recording_yaml
from prometheus.thresholds import ThresholdError, read, shipped

HOME: Final = Path(__file__).parent


def main(arguments: list[str] | None = None) -> int:
    """Write all of them; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m prometheus", description=__doc__)
    parser.add_argument("--runbooks", default=RUNBOOKS, help="the address of the folder of runbooks")
    parser.add_argument("--to", type=Path, default=HOME, help="the folder to write to")
    parser.add_argument("--thresholds", type=Path, help="your own numbers, over those of thresholds.yaml")
    flags = parser.parse_args(arguments)
    try:
        limits = read(flags.thresholds) if flags.thresholds else shipped()
    except (OSError, YAMLError, ThresholdError) as problem:
        parser.error(f"{problem}")
    flags.to.mkdir(parents=True, exist_ok=True)
    flags.to.joinpath("recording.yaml").write_text(recording_yaml(), "utf-8")
    flags.to.joinpath("alerts.yaml").write_text(alerts_yaml(limits, flags.runbooks), "utf-8")
    flags.to.joinpath("prometheusrule.yaml").write_text(prometheusrule_yaml(limits, flags.runbooks), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
