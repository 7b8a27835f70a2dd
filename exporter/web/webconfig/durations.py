"""Durations as exporter-toolkit reads them: Go's, such as `1.5s` or `500us`, beside Prometheus' own.

Source: https://pkg.go.dev/time#ParseDuration
"""

import re
from typing import Final

from exporter.config import durations

_SECONDS: Final = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "μs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
}
_PART: Final = re.compile(r"([0-9]{1,15}(?:\.[0-9]{0,15})?|\.[0-9]{1,15})(ns|us|µs|μs|ms|s|m|h)")


def parse(text: str) -> float:
    """The duration in seconds.

    Raises:
        ValueError: neither Go's nor Prometheus'.
    """
    if text == "0":
        return 0.0
    if not re.fullmatch(f"({_PART.pattern})+", text):
        return durations.parse(text)
    return sum(float(count) * _SECONDS[unit] for count, unit in _PART.findall(text))
