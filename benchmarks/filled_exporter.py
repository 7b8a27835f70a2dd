"""An exporter that holds N apps' rows; run in a process of its own.

`python -m benchmarks.filled_exporter PORT APPS HISTORY_DAYS [--datasets=NAME,NAME] [--wechat=URL]`: with
the address of a stand-in WeChat it also refreshes them, one round after the other at full speed; without, it
asks nobody.
The environment variable WEB_CONFIG names a web configuration file.
"""

import os
import tempfile
import time
from argparse import ArgumentParser
from dataclasses import replace
from functools import partial
from pathlib import Path

from benchmarks.cases import Case
from benchmarks.fleet import dataset_rows, parsed
from exporter.config import load
from exporter.logs import open_log
from exporter.service import Exporter
from exporter.simulator.fleet import config_yaml, fleet
from exporter.store.entry import Entry, Health, HeldRow
from exporter.web.admission import Admission
from exporter.web.app import make_app
from exporter.web.listen import listen
from exporter.web.server import Server, serve
from exporter.web.throttled_log import ThrottledLog
from exporter.web.webconfig.loading import WebConfig
from exporter.web.webconfig.loading import load as load_web

SIZE = 5000  # visitors a day
NOBODY = "http://127.0.0.1:9"


def main(port: int, case: Case, wechat: str | None = None) -> None:
    """Serve until a signal; print a line once ready."""
    exporter = prepare(case, wechat or NOBODY)
    asgi = make_app(exporter, "/metrics", None)

    def started() -> None:
        if wechat is not None:
            exporter.start()
        print("ready", flush=True)

    web = os.environ.get("WEB_CONFIG")
    admission = Admission(WebConfig() if web is None else load_web(Path(web), os.environ))
    server = Server(asgi, admission, ThrottledLog(open_log("error", "logfmt")), started)
    with listen(f"127.0.0.1:{port}") as socket:
        serve(server, [socket], lambda: None)
    os._exit(0)  # what a round under way would still do does not matter here


def prepare(case: Case, wechat: str = NOBODY) -> Exporter:
    """Return the exporter with the rows in its ledger and on its page."""
    history_days = case.history_days
    apps = {app.appid: app for app in fleet(case.apps, 1)}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "config.yaml")
        settings = config_yaml(apps.values(), wechat, interval="1s", concurrency=64, datasets=case.datasets)
        more = f"refresh:\n  history_days: {history_days}\n  requests_per_second: 0\n  revisit_days: 0"
        path.write_text(settings.replace("refresh:", more), "utf-8")
        exporter = Exporter(load(path, os.environ), open_log("error", "logfmt"))
    now = time.time()
    health = Health(last_refresh=now, last_success=now)

    def shown(entry: Entry) -> Entry:
        return replace(entry, health=health, token_expires_at=now + 7200)

    for app in exporter.reconfiguration.config.apps:
        for back in reversed(range(history_days)):
            row = parsed(app.appid, SIZE, back, history_days, now)
            exporter.ledger.update(app.appid, shown, HeldRow(row, now))
        for enabled in exporter.ledger.datasets.values():
            for row in dataset_rows(apps[app.appid], enabled, now):
                asked = partial(with_health, enabled.name, health)
                exporter.ledger.update(app.appid, asked, HeldRow(row, now), dataset=enabled.name)
    exporter.publisher.publish()
    return exporter


def with_health(dataset: str, health: Health, entry: Entry) -> Entry:
    """Return the entry after an answer to a call for a dataset."""
    return entry.with_table(dataset, replace(entry.table(dataset), health=health))


if __name__ == "__main__":
    parser = ArgumentParser(prog="python -m benchmarks.filled_exporter")
    for name in ("port", "apps", "history_days"):
        parser.add_argument(name, type=int)
    parser.add_argument("--wechat")
    parser.add_argument("--datasets", default="")
    given = parser.parse_args()
    datasets = tuple(filter(None, given.datasets.split(",")))
    main(given.port, Case(given.apps, given.history_days, datasets), given.wechat)
