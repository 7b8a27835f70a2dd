"""Data tables, kept as YAML beside the code that uses them: texts, errcodes, names."""

from importlib import resources
from typing import Any, Final

import yaml

LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""PyYAML's safe loader, in C where it is available: ten times as fast."""


def read_table(package: str | None, file: str) -> Any:  # noqa: ANN401 - as the file has it
    """Read a YAML file of a package, which is given by its `__package__`."""
    text = resources.files(package or "exporter").joinpath(file).read_bytes()
    return yaml.load(text, LOADER)  # noqa: S506 - a safe one
