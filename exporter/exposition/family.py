"""A metric family, and how its header and its labels are written.

Source: Prometheus' exposition formats, OpenMetrics 1.0.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

NAMESPACE: Final = "wechat_miniprogram"


@dataclass(frozen=True, slots=True)
class Family:
    """One gauge family; `name` without the namespace, `unit` as OpenMetrics wants it (or empty)."""

    name: str
    help: str
    unit: str = ""

    @property
    def metric(self) -> str:
        """The whole metric name."""
        return f"{NAMESPACE}_{self.name}"


def headers(family: Family, *, openmetrics: bool) -> bytes:
    """The family's HELP, TYPE and (OpenMetrics) UNIT lines."""
    text = family.help.replace("\\", "\\\\").replace("\n", "\\n")
    if openmetrics:
        text = text.replace('"', '\\"')
    unit = f"# UNIT {family.metric} {family.unit}\n" if openmetrics and family.unit else ""
    return f"# HELP {family.metric} {text}\n# TYPE {family.metric} gauge\n{unit}".encode()


def escape(value: str) -> str:
    """A label value as both formats write it."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def samples(family: Family, values: Iterable[tuple[str, object]]) -> str:
    """Return the family's lines: labels, as written, each with its value; without one there is no line."""
    start = f"{family.metric}{{"
    return "".join([f"{start}{labels}}} {value}\n" for labels, value in values if value is not None])
