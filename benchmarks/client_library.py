"""The peer: prometheus-client's own server with the newest rows as labelled gauges.

`python -m benchmarks.client_library PORT APPS`
"""

import sys
import time
from collections.abc import Mapping

from prometheus_client import CollectorRegistry, Gauge, start_http_server

from benchmarks.fleet import entries
from exporter.datasets.daily_trend import FIELDS
from exporter.store.entry import Entry


def gauges(fleet: Mapping[str, Entry]) -> CollectorRegistry:
    """Return the newest rows as the library's labelled gauges."""
    registry = CollectorRegistry()
    made = [
        Gauge(f"daily_{field.metric}", field.help, ["appid", "name"], registry=registry) for field in FIELDS
    ]
    for entry in fleet.values():
        for gauge, value in zip(made, entry.rows[0].row.values, strict=True):
            if value is not None:
                gauge.labels(entry.app.appid, entry.app.name).set(value)
    return registry


if __name__ == "__main__":
    start_http_server(int(sys.argv[1]), registry=gauges(entries(int(sys.argv[2]), 1)))
    print("ready", flush=True)
    time.sleep(600)
