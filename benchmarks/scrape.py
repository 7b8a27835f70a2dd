"""Scrapes per second and their tail: our /metrics beside nginx with the same bytes as a static file.

Needs nginx and wrk. All on loopback, keep-alive; wrk, nginx and the exporter share the machine.
"""

import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from benchmarks.table import Figure

APPS = (100, 1_000)
CONNECTIONS = (1, 4, 16)
RUNS, SECONDS = 5, 2
OURS, NGINX = 10957, 10958
CONFIG = """
daemon off; pid {folder}/pid; error_log {folder}/error.log; worker_processes auto;
events {{ worker_connections 1024; }}
http {{
  access_log off; sendfile on; keepalive_requests 1000000; gzip_static always;
  client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder};
  uwsgi_temp_path {folder}; scgi_temp_path {folder};
  server {{ listen 127.0.0.1:{port}; root {folder}/www; }}
}}
"""


@dataclass(frozen=True, slots=True)
class Load:
    """What wrk saw: requests a second, and the 99th percentile of the latency in milliseconds."""

    rate: float
    p99: float


def measure() -> Iterator[Figure]:
    """The figures of this benchmark."""
    for apps in APPS:
        history_days = 1
        with standing(apps, history_days), nginx(OURS) as ready:
            ready()
            for connections in CONNECTIONS:
                yield from compare(f"{apps} apps, gzip, c={connections}", connections, "gzip")
            yield from compare(f"{apps} apps, plain, c=4", 4, "identity")


def compare(case: str, connections: int, encoding: str) -> Iterator[Figure]:
    """Both servers in turn, several times."""
    pairs = [
        (
            load(f"http://127.0.0.1:{OURS}/metrics", connections, encoding),
            load(static(encoding), connections, encoding),
        )
        for _ in range(RUNS)
    ]
    ours, theirs = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    yield Figure("scrapes/s", case, "", [each.rate for each in ours], "nginx", [each.rate for each in theirs])
    yield Figure(
        "scrape p99", case, "ms", [each.p99 for each in ours], "nginx", [each.p99 for each in theirs]
    )


def static(encoding: str) -> str:
    """The address of nginx' file in that encoding."""
    return f"http://127.0.0.1:{NGINX}/{'metrics' if encoding == 'gzip' else 'plain/metrics'}"


def load(url: str, connections: int, encoding: str) -> Load:
    """Load one address for a moment."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}s", "--latency", "--timeout", "30s"]
    told = subprocess.run(
        [*command, "-H", f"Accept-Encoding: {encoding}", url], capture_output=True, text=True, check=True
    ).stdout
    if "Non-2xx" in told or "Socket errors" in told:
        raise SystemExit(f"{url}: {told}")
    rate = re.search(r"Requests/sec:\s+([\d.]+)", told)
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s)", told)
    if rate is None or p99 is None:
        raise SystemExit(f"{url}: {told}")
    return Load(float(rate[1]), float(p99[1]) * {"us": 1e-3, "ms": 1, "s": 1e3}[p99[2]])


@contextmanager
def standing(apps: int, history_days: int, *more: str) -> Iterator[subprocess.Popen[str]]:
    """Our server, holding that many apps."""
    command = [sys.executable, "-m", "benchmarks.standing", str(OURS), str(apps), str(history_days), *more]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            if process.stdout is None or process.stdout.readline() != "ready\n":
                raise SystemExit("the exporter did not start")
            yield process
        finally:
            process.terminate()


@contextmanager
def nginx(source: int) -> Iterator[Callable[[], None]]:
    """Nginx with the bytes that our server gives, ready once the result is called."""
    program = shutil.which("nginx")
    if program is None or shutil.which("wrk") is None:
        raise SystemExit("this benchmark needs nginx and wrk")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o755)
        (folder / "www" / "plain").mkdir(parents=True)
        for encoding, name in (("gzip", "www/metrics.gz"), ("identity", "www/plain/metrics")):
            headers = {"Accept-Encoding": encoding}
            with requests.get(
                f"http://127.0.0.1:{source}/metrics", headers=headers, stream=True, timeout=60
            ) as answer:
                (folder / name).write_bytes(answer.raw.read(decode_content=False))
        config = CONFIG.format(folder=folder, port=NGINX).replace(
            "root", "location /plain/ { gzip_static off; root " + f"{folder}/www; }} root", 1
        )
        (folder / "nginx.conf").write_text(config)
        process = subprocess.Popen([program, "-c", str(folder / "nginx.conf")], stderr=subprocess.DEVNULL)
        stack.callback(process.wait)
        stack.callback(process.terminate)

        def ready() -> None:
            for _ in range(100):
                try:
                    requests.head(f"http://127.0.0.1:{NGINX}/plain/metrics", timeout=5)
                except requests.ConnectionError:
                    time.sleep(0.05)
                else:
                    return

        yield ready
