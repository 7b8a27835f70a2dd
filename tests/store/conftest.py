"""One real Redis for the tests of storages, emptied before each."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from exporter.config.secret import Secret
from exporter.config.storage import RedisSettings, StorageSettings
from exporter.store.redis.store import RedisStore, open_redis
from exporter.store.row_coding import Unusable
from tests.redis_server import RedisServer, redis_server

KEY = "bm90LWEtcmVhbC1rZXktbm90LWEtcmVhbC1rZXktISE="


@pytest.fixture(scope="session")
def server(program: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    with redis_server(program, tmp_path_factory.mktemp("redis"), port) as server:
        yield server


class Opened:
    """Opens stores on the server, and records which writes succeeded."""

    def __init__(self, server: RedisServer) -> None:
        self.server = server
        self.writes: list[bool] = []
        self._stores: list[RedisStore] = []

    def __call__(
        self, prefix: str = "test", key: str | Secret | None = None, unusable: Unusable = lambda *_: None
    ) -> RedisStore:
        address = RedisSettings((("127.0.0.1", self.server.port),), prefix=prefix)
        secret = Secret(key) if isinstance(key, str) else key
        store = open_redis(StorageSettings(self.server.url, address, secret), self.writes.append, unusable)
        self._stores.append(store)
        return store

    def close(self) -> None:
        for store in self._stores:
            store.close()


@pytest.fixture
def opened(server: RedisServer) -> Iterator[Opened]:
    server.client().flushall()
    opened = Opened(server)
    yield opened
    opened.close()


@pytest.fixture
def store(opened: Opened) -> RedisStore:
    return opened()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path
