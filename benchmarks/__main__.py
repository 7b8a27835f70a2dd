"""`make bench`: runs all benchmarks, or those named, prints a table and writes build/benchmarks.json."""

import sys
from importlib import import_module
from pathlib import Path

from benchmarks.table import told, write_json

NAMES = ("round", "render", "scrape", "memory", "storage", "backfill", "prometheus")


def main(names: list[str]) -> None:
    """Run the benchmarks of these names, or all."""
    figures = []
    for name in names or NAMES:
        for figure in import_module(f"benchmarks.{name}").measure():
            figures.append(figure)
            print(told(figure), flush=True)
    out = Path("build/benchmarks.json")
    out.parent.mkdir(exist_ok=True)
    write_json(figures, out)


if __name__ == "__main__":
    main(sys.argv[1:])
