"""`make bench`: runs all benchmarks, or those named, prints a table and writes build/benchmarks.json."""

from argparse import ArgumentParser
from importlib import import_module
from pathlib import Path

from benchmarks.table import line, write_json

NAMES = ("round", "render", "scrape", "memory", "storage", "backfill", "prometheus")


def main(names: list[str]) -> None:
    """Run the named benchmarks, or all."""
    figures = []
    for name in names or NAMES:
        for figure in import_module(f"benchmarks.{name}").measure():
            figures.append(figure)
            print(line(figure), flush=True)
    out = Path("build/benchmarks.json")
    out.parent.mkdir(exist_ok=True)
    write_json(figures, out)


if __name__ == "__main__":
    parser = ArgumentParser(prog="python -m benchmarks", description="Run benchmarks; without a name, all.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(NAMES)}")
    given = parser.parse_args().names
    if unknown := sorted(set(given) - set(NAMES)):
        parser.error(f"no such benchmark: {', '.join(unknown)} (there are {', '.join(NAMES)})")
    main(given)
