"""An exporter that holds N apps' rows; run in a process of its own.

`python -m benchmarks.standing PORT APPS HISTORY_DAYS [WECHAT]`: with the address of a stand-in WeChat it
also refreshes them, one round after the other at full speed; without, it asks nobody. The environment
variable WEB_CONFIG names a web configuration file.
"""

import os
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from benchmarks.fleet import parsed
from exporter.config import load
from exporter.logs import open_log
from exporter.service import Exporter
from exporter.simulator.fleet import config_yaml, fleet
from exporter.store.entry import Entry, Health, HeldRow
from exporter.web.app import make_app
from exporter.web.gate import Gate
from exporter.web.listen import listen
from exporter.web.scrape import Scrapes
from exporter.web.server import make_server, serve
from exporter.web.throttle import ThrottledLog
from exporter.web.webconfig import WebConfig
from exporter.web.webconfig import load as load_web

SIZE = 5000  # visitors a day


def main(port: int, apps: int, history_days: int, wechat: str | None = None) -> None:
    """Serve until a signal; prints a line once it is ready."""
    exporter = prepare(apps, history_days, wechat or "http://127.0.0.1:9")
    scrapes = Scrapes(lambda: exporter.publisher.page, exporter.telemetry)
    asgi = make_app(exporter, "/metrics", scrapes, None)

    def started() -> None:
        if wechat is not None:
            exporter.start()
        print("ready", flush=True)

    web = os.environ.get("WEB_CONFIG")
    gate = Gate(WebConfig() if web is None else load_web(Path(web), os.environ))
    server = make_server(asgi, gate, ThrottledLog(open_log("error", "logfmt")), started)
    with listen(f"127.0.0.1:{port}") as socket:
        serve(server, [socket], lambda: None)
    os._exit(0)  # what a round under way would still do does not matter here


def prepare(apps: int, history_days: int, wechat: str) -> Exporter:
    """The exporter with the rows in its ledger and on its page."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "config.yaml")
        settings = config_yaml(fleet(apps, 1), wechat, interval="1s", concurrency=64)
        more = f"refresh:\n  history_days: {history_days}\n  requests_per_second: 0\n  revisit_days: 0"
        path.write_text(settings.replace("refresh:", more), "utf-8")
        exporter = Exporter(load(path, os.environ), open_log("error", "logfmt"))
    now = time.time()
    health = Health(last_refresh=now, last_success=now)

    def shown(entry: Entry) -> Entry:
        return replace(entry, health=health, token_expires_at=now + 7200)

    for app in exporter.config.apps:
        for back in reversed(range(history_days)):
            row = parsed(app.appid, SIZE, back, history_days, now)
            exporter.ledger.update(app.appid, shown, HeldRow(row, now))
    exporter.publisher.publish()
    return exporter


if __name__ == "__main__":
    port, apps, history_days = map(int, sys.argv[1:4])
    main(port, apps, history_days, sys.argv[4] if len(sys.argv) > 4 else None)
