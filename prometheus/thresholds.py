"""The numbers of the alerts: one table for all, and a user's own that needs only what differs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import yaml

SHIPPED: Final = Path(__file__).with_name("thresholds.yaml")
_DURATIONS: Final = ("for", "keep")
_DURATION: Final = re.compile(r"(\d+(ms|[smhdwy]))+")

Table = Mapping[str, Mapping[str, object]]


class ThresholdError(ValueError):
    """A table of thresholds is unusable; the text gives the place and what is allowed."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """By alert and name: durations as Prometheus writes them, and numbers."""

    table: Table

    def duration(self, alert: str, name: str) -> str:
        """Look a duration up; "" where the alert has none."""
        return str(self.table[alert].get(name, ""))

    def number(self, alert: str, name: str) -> str:
        """Look a number up, as PromQL writes it."""
        return f"{self.table[alert][name]}"


def shipped() -> Thresholds:
    """Read the table beside this module."""
    return Thresholds(yaml.safe_load(SHIPPED.read_text("utf-8")))


def read(path: Path) -> Thresholds:
    """Read a user's table over the shipped one.

    Raises:
        ThresholdError: it names an alert or a threshold that there is not, or a value that is none.
    """
    table = {alert: dict(values) for alert, values in shipped().table.items()}
    mine = yaml.safe_load(path.read_text("utf-8")) or {}
    if not isinstance(mine, dict):
        raise ThresholdError(f"{path}: found no table of alerts")
    for alert, values in mine.items():
        if alert not in table:
            raise ThresholdError(f"{path}: no alert {alert!r}; there are {', '.join(table)}")
        for name, value in _pairs(path, alert, values):
            if name not in table[alert]:
                raise ThresholdError(f"{path}: {alert} has no {name!r}, only {', '.join(table[alert])}")
            if not _fits(name, value):
                wanted = "a duration such as 15m" if name in _DURATIONS else "a number"
                raise ThresholdError(f"{path}: {alert}.{name} is {value!r}, not {wanted}")
            table[alert][name] = value
    return Thresholds(table)


def _pairs(path: Path, alert: str, values: object) -> list[tuple[str, object]]:
    if not isinstance(values, dict):
        raise ThresholdError(f"{path}: {alert} is {values!r}, not a table such as {{for: 10m}}")
    return list(values.items())


def _fits(name: str, value: object) -> bool:
    if name in _DURATIONS:
        return isinstance(value, str) and _DURATION.fullmatch(value) is not None
    return isinstance(value, int | float) and not isinstance(value, bool) and value > 0
