"""A metric family: its headers, labels and sample lines.

Source: Prometheus' exposition formats, OpenMetrics 1.0.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

NAMESPACE: Final = "wechat_miniprogram"


@dataclass(frozen=True, slots=True)
class Family:
    """A gauge family; `name` lacks the namespace, `unit` is OpenMetrics' (or empty)."""

    name: str
    help: str
    unit: str = ""

    @property
    def metric(self) -> str:
        """Return the full metric name."""
        return f"{NAMESPACE}_{self.name}"


def headers(family: Family, *, openmetrics: bool) -> bytes:
    """Return the family's HELP, TYPE and, for OpenMetrics, UNIT lines."""
    text = family.help.replace("\\", "\\\\").replace("\n", "\\n")
    if openmetrics:
        text = text.replace('"', '\\"')
    unit = f"# UNIT {family.metric} {family.unit}\n" if openmetrics and family.unit else ""
    return f"# HELP {family.metric} {text}\n# TYPE {family.metric} gauge\n{unit}".encode()


def escape(value: str) -> str:
    """Escape a label value, which both formats write alike."""
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def samples(family: Family, values: Iterable[tuple[str, object]]) -> str:
    """Return the family's lines from pairs of written labels and value; a value of None has no line."""
    start = f"{family.metric}{{"
    return "".join([f"{start}{labels}}} {value}\n" for labels, value in values if value is not None])
