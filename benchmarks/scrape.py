"""Scrapes per second and their tail: our /metrics beside nginx with the same bytes as a static file.

Needs nginx and wrk. All on loopback, keep-alive; wrk, nginx and the exporter share the machine.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from benchmarks.cases import TREND, Case, case_words
from benchmarks.table import Figure
from benchmarks.wechat import wait_for, wechat

CASES = (Case(100, 9), Case(1_000, 9), Case(10_000, 9), Case(10_000, 9, TREND), Case(100_000, 1))
CONNECTIONS = (1, 4, 16)
RUNS, SECONDS = 5, 2
OURS, NGINX, LIBRARY = 10957, 10958, 10955
LIBRARY_APPS = (100, 1_000)  # with more, four scrapes take it longer than a run lasts
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
    """wrk's result: requests per second, and the 99th percentile of the latency in milliseconds."""

    rate: float
    p99: float


def measure() -> Iterator[Figure]:
    """Yield the figures of this benchmark."""
    for case in CASES:
        with standing(case), nginx(OURS):
            for connections in CONNECTIONS:
                yield from compare(f"{case}, gzip, c={connections}", connections, "gzip")
            yield from compare(f"{case}, plain, c=4", 4, "identity")
    for apps in LIBRARY_APPS:
        yield from beside_library(apps)
    yield from while_refreshing(10_000)


def beside_library(apps: int) -> Iterator[Figure]:
    """Yield scrapes per second beside prometheus-client's server with the newest rows as gauges."""
    case = f"{Case(apps, 1)}, gzip, c=4"
    with standing(Case(apps, 1)):
        ours = [load(f"http://127.0.0.1:{OURS}/metrics", 4, "gzip") for _ in range(RUNS)]
    with library(apps):
        theirs = [load(f"http://127.0.0.1:{LIBRARY}/metrics", 4, "gzip") for _ in range(RUNS)]
    rates = [each.rate for each in ours]
    yield Figure("scrapes/s", case, "/s", rates, "prometheus-client", [each.rate for each in theirs])
    tails = [each.p99 for each in ours]
    yield Figure("scrape p99", case, "ms", tails, "prometheus-client", [each.p99 for each in theirs])


def while_refreshing(apps: int) -> Iterator[Figure]:
    """Yield the tail latency while rounds run at full speed, beside that at rest."""
    case = f"{Case(apps, 1)}, gzip, c=1, refreshing"
    url = f"http://127.0.0.1:{OURS}/metrics"
    with standing(Case(apps, 1)):
        rest = [load(url, 1, "gzip") for _ in range(RUNS)]
    with wechat(apps, latency=0.0) as address, standing(Case(apps, 1), f"--wechat={address}"):
        busy = [load(url, 1, "gzip") for _ in range(RUNS)]
    tails = [each.p99 for each in busy]
    yield Figure("scrape p99", case, "ms", tails, "the same at rest", [each.p99 for each in rest])
    rates = [each.rate for each in busy]
    yield Figure("scrapes/s", case, "/s", rates, "the same at rest", [each.rate for each in rest])


def compare(case: str, connections: int, encoding: str) -> Iterator[Figure]:
    """Yield figures of both servers, measured in turn several times."""
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
    """Return the address of nginx' file in an encoding."""
    return f"http://127.0.0.1:{NGINX}/{'metrics' if encoding == 'gzip' else 'plain/metrics'}"


def load(url: str, connections: int, encoding: str) -> Load:
    """Run wrk against an address."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{SECONDS}s", "--latency", "--timeout", "30s"]
    output = subprocess.run(
        [*command, "-H", f"Accept-Encoding: {encoding}", url], capture_output=True, text=True, check=True
    ).stdout
    if "Non-2xx" in output or "Socket errors" in output:
        raise SystemExit(f"{url}: {output}")
    rate = re.search(r"Requests/sec:\s+([\d.]+)", output)
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s)", output)
    if rate is None or p99 is None:
        raise SystemExit(f"{url}: {output}")
    return Load(float(rate[1]), float(p99[1]) * {"us": 1e-3, "ms": 1, "s": 1e3}[p99[2]])


def standing(case: Case, *more: str) -> AbstractContextManager[subprocess.Popen[str]]:
    """Start our server with a fleet."""
    return _served("filled_exporter", *case_words(OURS, case), *more)


def library(apps: int) -> AbstractContextManager[subprocess.Popen[str]]:
    """Start the peer, prometheus-client's server, with as many apps."""
    return _served("client_library", LIBRARY, apps)


@contextmanager
def _served(module: str, *words: int | str) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-m", f"benchmarks.{module}", *map(str, words)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            if process.stdout is None or process.stdout.readline() != "ready\n":
                raise SystemExit(f"{module} did not start")
            yield process
        finally:
            process.kill()


@contextmanager
def nginx(source: int) -> Iterator[None]:
    """Run nginx with our server's bytes as files."""
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

        wait_for(f"http://127.0.0.1:{NGINX}/plain/metrics")
        yield
