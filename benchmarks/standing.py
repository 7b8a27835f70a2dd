"""An exporter that holds N apps' rows without having asked anyone; run in a process of its own.

`python -m benchmarks.standing PORT APPS HISTORY_DAYS`
"""

import os
import sys
import tempfile
import time
from pathlib import Path

from exporter.config import load
from exporter.logs import open_log
from exporter.service import Exporter
from exporter.simulator.data import row
from exporter.simulator.fleet import config_yaml, fleet
from exporter.store.entry import Health, HeldRow
from exporter.trend import parse_trend, window, yesterday
from exporter.web.app import make_app
from exporter.web.listen import listen
from exporter.web.protocol import protocol_for
from exporter.web.scrape import Scrapes
from exporter.web.server import make_server, serve

SIZE = 5000  # visitors a day


def main(port: int, apps: int, history_days: int) -> None:
    """Serve until a signal; prints a line once it is ready."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "config.yaml")
        settings = config_yaml(fleet(apps, 1), "http://127.0.0.1:9")
        path.write_text(settings.replace("refresh:", f"refresh:\n  history_days: {history_days}"), "utf-8")
        exporter = Exporter(load(path, os.environ), open_log("error", "logfmt"))
    now = time.time()
    health = Health(last_refresh=now, last_success=now)
    for app in exporter.config.apps:
        for day in window(yesterday(now), history_days):
            figures = parse_trend({"list": [row(app.appid, day, SIZE)]}, day)
            assert figures is not None
            exporter.ledger.record(app.appid, health, now + 7200, HeldRow(figures, now))
    exporter.publisher.publish()
    scrapes = Scrapes(lambda: exporter.publisher.page, exporter.telemetry)
    asgi = make_app(exporter, "/metrics", scrapes, None)
    server = make_server(asgi, protocol_for("/metrics", scrapes), lambda: print("ready", flush=True))
    with listen(f"127.0.0.1:{port}") as socket:
        serve(server, [socket], lambda: None)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
