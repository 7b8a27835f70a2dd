"""The stand-in WeChat in a process of its own, so that it does not share our interpreter."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import requests

PORT = 10959


@contextmanager
def wechat(apps: int, latency: float) -> Iterator[str]:
    """Run a stand-in WeChat with healthy apps that answers after `latency` seconds; yield its address."""
    command = [sys.executable, "-m", "exporter", "simulate", f"--listen-address=127.0.0.1:{PORT}"]
    flags = [f"--apps={apps}", f"--latency={latency}", "--always-published"]
    base_url = f"http://127.0.0.1:{PORT}"
    with subprocess.Popen([*command, *flags], stdout=subprocess.DEVNULL) as process:
        try:
            wait_for(f"{base_url}/_sim/clock")
            yield base_url
        finally:
            process.terminate()


def wait_for(url: str) -> None:
    """Wait until an address answers."""
    for _ in range(400):
        try:
            requests.head(url, timeout=5)
        except requests.ConnectionError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit(f"{url} does not answer")
