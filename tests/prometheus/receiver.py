"""A stand-in for Alertmanager's receivers: a webhook, or WeCom."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Receiver:
    """Takes what Alertmanager sends."""

    def __init__(self) -> None:
        self.pages: list[dict[str, Any]] = []
        self.paths: list[str] = []
        pages, paths = self.pages, self.paths

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                paths.append(self.path)
                pages.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
                self.answer({"errcode": 0, "errmsg": "ok"})

            def do_GET(self) -> None:
                paths.append(self.path)
                self.answer({"errcode": 0, "errmsg": "ok", "access_token": "not-a-real-token"})

            def answer(self, body: dict[str, Any]) -> None:
                text = json.dumps(body).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def log_message(self, *_: object) -> None:
                """Write nothing to the console."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"

    def down(self, instance: str) -> list[dict[str, Any]]:
        """Return the alerts that came about this exporter being down."""
        wanted = {"alertname": "ExporterDown", "instance": instance}
        return [
            alert
            for page in self.pages
            for alert in page["alerts"]
            if wanted.items() <= alert["labels"].items()
        ]

    def names(self) -> set[str]:
        return {alert["labels"]["alertname"] for page in self.pages for alert in page["alerts"]}


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Run a receiver on loopback."""
    found = Receiver()
    thread = threading.Thread(target=found.server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield found
    finally:
        found.server.shutdown()
        thread.join(5)
        found.server.server_close()
