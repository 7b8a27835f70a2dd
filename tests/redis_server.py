"""A real Redis on loopback that can be killed and restarted with its data."""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry


class RedisServer:
    """A server; `start` after `kill` finds its data."""

    def __init__(self, program: str, folder: Path, port: int, *flags: str) -> None:
        self.url = f"redis://127.0.0.1:{port}/0"
        self.port = port
        self._command = [
            *(program, "--port", str(port), "--bind", "127.0.0.1", "--dir", str(folder)),
            *("--appendonly", "yes", "--appendfsync", "always", "--save", "", *flags),
        ]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        self.client()

    def client(self, **settings: str) -> "redis.Redis":
        """Return a client, once the server answers."""
        retry = Retry(NoBackoff(), 0)  # the library's own would wait for seconds
        client = redis.Redis(port=self.port, decode_responses=True, retry=retry, **settings)  # type: ignore[arg-type]
        end = time.monotonic() + 10
        while True:
            try:
                client.ping()
            except (redis.AuthenticationError, redis.ResponseError):
                return client
            except (redis.ConnectionError, redis.BusyLoadingError):
                assert time.monotonic() < end, "redis does not answer"
                time.sleep(0.05)
            else:
                return client

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None


@contextmanager
def redis_server(
    program: Callable[[str], str], folder: Path, port: int, *flags: str
) -> Iterator[RedisServer]:
    folder.mkdir(parents=True, exist_ok=True)
    server = RedisServer(program("redis-server"), folder, port, *flags)
    server.start()
    try:
        yield server
    finally:
        server.kill()
