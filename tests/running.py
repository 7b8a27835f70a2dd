"""Runs the real command in another process."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from prometheus_client.openmetrics.parser import text_string_to_metric_families

GENEROUS = 60.0  # seconds; a busy machine is no fault of the exporter's
COMMAND = (sys.executable, "-m", "exporter")
Sample = tuple[str, tuple[tuple[str, str], ...]]


class Running:
    """A running command with its address and output."""

    def __init__(self, process: subprocess.Popen[bytes], base_url: str, output: Path) -> None:
        self.process = process
        self.base_url = base_url
        self._output = output

    def get(self, path: str, **headers: str) -> requests.Response:
        return requests.get(self.base_url + path, headers=headers, timeout=10)

    def quickest_scrape(self) -> float:
        """Return the seconds of the quickest of three scrapes, as a busy machine may slow one."""
        return min(self.get("/metrics").elapsed.total_seconds() for _ in range(3))

    def metrics(self) -> str:
        return self.get("/metrics").text

    def samples(self, name: str = "") -> dict[Sample, float]:
        """Return the whole page, parsed strictly; with a name only its samples, which takes less time."""
        page = self.get("/metrics", Accept="application/openmetrics-text; version=1.0.0").text
        if name:
            lines = [line for line in page.split("\n") if line.startswith((f"{name}{{", f"{name} "))]
            page = "\n".join([*lines, "# EOF\n"])
        return {
            (sample.name, tuple(sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(page)
            for sample in family.samples
        }

    def output(self) -> str:
        """Return the output on both standard streams."""
        return self._output.read_text("utf-8")

    def wait_until(self, condition: Callable[[], bool], seconds: float = GENEROUS) -> None:
        """Wait until a condition holds, ignoring an exporter that does not answer yet."""
        end = time.monotonic() + seconds
        while True:
            asked = time.monotonic()
            try:
                if condition():
                    return
            except requests.ConnectionError:
                pass
            assert self.process.poll() is None, f"ended: {self.output()}"
            now = time.monotonic()
            assert now < end, f"not in {seconds} s: {self.output()}"
            time.sleep(max(0.1, 2 * (now - asked)))  # most of the time is the exporter's own

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal, wait, and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(GENEROUS)


@contextmanager
def running(port: int, *words: str, cwd: Path | None = None) -> Iterator[Running]:
    """Run a command that listens on a port; kill it at the end if it still runs."""
    with (
        tempfile.TemporaryDirectory() as folder,  # also for what a killed demo leaves behind
        (Path(folder) / "output").open("wb") as output,
    ):
        environment = {**os.environ, "TMPDIR": folder}
        process = subprocess.Popen([*COMMAND, *words], stdout=output, stderr=output, cwd=cwd, env=environment)
        try:
            yield Running(process, f"http://127.0.0.1:{port}", Path(output.name))
        finally:
            process.kill()
            process.wait(GENEROUS)


@contextmanager
def serving(config: Path, port: int, *flags: str) -> Iterator[Running]:
    """Run `serve` and wait until it answers."""
    address = f"--web.listen-address=127.0.0.1:{port}"
    with running(port, f"--config.file={config}", address, *flags) as exporter:
        exporter.wait_until(lambda: exporter.get("/-/healthy").ok)
        yield exporter
