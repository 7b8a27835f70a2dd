"""Real Prometheus, VictoriaMetrics and Alertmanager on loopback, each ended by its own handle."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import requests

Series = dict[str, Any]
SMALL: Final = {"GOMAXPROCS": "1", "GOGC": "400"}
"""For a Go program that runs for seconds beside others: a sixth less of the processor."""


class Database:
    """A server that answers PromQL over HTTP."""

    def __init__(self, base_url: str) -> None:
        self.base_url = base_url

    def instant(self, expression: str, at: float | None = None) -> list[Series]:
        when = {} if at is None else {"time": str(at)}
        return self._ask("query", {"query": expression, **when})

    def ranged(self, expression: str, start: float, end: float, step: float) -> list[Series]:
        span = {"start": str(start), "end": str(end), "step": str(step)}
        return self._ask("query_range", {"query": expression, **span})

    def at_points(self, expression: str, start: float, end: float, step: float) -> list[Series]:
        """Return the values at exactly these points, which VictoriaMetrics would otherwise move."""
        span = {"start": str(start), "end": str(end), "step": str(step), "nocache": "1"}
        return self._ask("query_range", {"query": expression, **span})

    def value(self, expression: str) -> float | None:
        found = self.instant(expression)
        return float(found[0]["value"][1]) if found else None

    def get(self, path: str) -> Any:
        return requests.get(self.base_url + path, timeout=30).json()

    def _ask(self, path: str, parameters: dict[str, str]) -> list[Series]:
        answer = requests.post(f"{self.base_url}/api/v1/{path}", data=parameters, timeout=60)
        body = json.loads(answer.text)
        assert body["status"] == "success", f"{body}: {parameters['query']}"
        found: list[Series] = body["data"]["result"]
        return found


@contextmanager
def prometheus(
    path: str, port: int, config: Path, data: Path, flags: Sequence[str] = ()
) -> Iterator[Database]:
    words = [
        path,
        f"--config.file={config}",
        f"--storage.tsdb.path={data}",
        "--storage.tsdb.retention.time=100y",
        f"--web.listen-address=127.0.0.1:{port}",
        "--log.level=error",
        *flags,
    ]
    with _process(words, f"http://127.0.0.1:{port}", "/-/ready"):
        yield Database(f"http://127.0.0.1:{port}")


@contextmanager
def victoria_metrics(path: str, port: int, data: Path, flags: Sequence[str] = ()) -> Iterator[Database]:
    words = [
        path,
        f"-storageDataPath={data}",
        f"-httpListenAddr=127.0.0.1:{port}",
        "-retentionPeriod=100y",
        "-loggerLevel=ERROR",
        "-search.latencyOffset=0s",
        *flags,
    ]
    with _process(words, f"http://127.0.0.1:{port}", "/health"):
        yield Database(f"http://127.0.0.1:{port}")


@contextmanager
def alertmanager(path: str, port: int, config: Path, data: Path) -> Iterator[str]:
    words = [
        path,
        f"--config.file={config}",
        f"--storage.path={data}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--cluster.listen-address=",
        "--log.level=error",
    ]
    with _process(words, f"http://127.0.0.1:{port}", "/-/ready"):
        yield f"127.0.0.1:{port}"


def wait_until(condition: Callable[[], bool], seconds: float, what: str) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not in {seconds} s: {what}"
        time.sleep(0.1)


@contextmanager
def _process(words: Sequence[str], base_url: str, ready: str) -> Iterator[None]:
    process = subprocess.Popen(words, env={**os.environ, **SMALL}, stdout=subprocess.DEVNULL)
    try:
        wait_until(lambda: _answers(process, base_url + ready), 30, words[0])
        yield
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(20)


def _answers(process: subprocess.Popen[bytes], url: str) -> bool:
    assert process.poll() is None, f"ended with {process.returncode}"
    try:
        return requests.get(url, timeout=5).ok
    except requests.ConnectionError:
        return False
