"""`python -m grafana` writes the dashboards' JSON in both languages."""

import argparse
import sys
from pathlib import Path
from typing import Final

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from grafana.audience import audience
from grafana.fleet import fleet
from grafana.health import health
from grafana.mini_program import mini_program
from grafana.retention import retention_board
from grafana.sources import sources
from grafana.texts import Language, Words
from grafana.visit_pages import pages

HOME: Final = Path(__file__).parent / "dashboards"
DASHBOARDS: Final = {
    "fleet": fleet,
    "mini-program": mini_program,
    "audience": audience,
    "retention": retention_board,
    "sources": sources,
    "pages": pages,
    "exporter": health,
}


def files() -> dict[str, str]:
    """Return every dashboard's file, relative to the folder of dashboards, and its text."""
    encoder = JSONEncoder(indent=1, sort_keys=True, ensure_ascii=False)
    return {
        f"{language}/{name}.json": f"{encoder.encode(make(Words(language)))}\n"
        for language in Language
        for name, make in DASHBOARDS.items()
    }


def main(arguments: list[str] | None = None) -> int:
    """Write all of them; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m grafana", description=__doc__)
    parser.add_argument("--to", type=Path, default=HOME, help="the folder to write to")
    flags = parser.parse_args(arguments)
    for name, text in files().items():
        path = flags.to / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
