import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from starlette.types import Receive, Scope, Send

from exporter.web import server as module
from exporter.web.server import make_server


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"hello"})


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, int]]:
    """A server in a thread, whose patience for slow heads is short."""
    monkeypatch.setattr(module, "HEAD_SECONDS", 0.3)
    started = threading.Event()
    server = make_server(hello, started.set)
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])))
    thread.start()
    assert started.wait(5)
    yield listener.getsockname()
    server.should_exit = True
    thread.join(5)
    listener.close()


def read_all(client: socket.socket) -> bytes:
    client.settimeout(5)
    content = b""
    while chunk := client.recv(65536):
        content += chunk
    return content


@pytest.mark.parametrize("beginning", [b"", b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: "])
def test_a_head_that_does_not_come_in_time_ends_the_connection(
    address: tuple[str, int], beginning: bytes
) -> None:
    with socket.create_connection(address) as client:
        client.sendall(beginning)
        start = time.monotonic()
        assert read_all(client) == b""
        assert 0.2 < time.monotonic() - start < 3


def test_a_head_that_drips_in_ends_too(address: tuple[str, int]) -> None:
    with socket.create_connection(address) as client:
        start = time.monotonic()
        with suppress(OSError):  # reset or broken pipe, as it comes
            for _ in range(100):
                client.sendall(b"G")
                time.sleep(0.05)
        assert time.monotonic() - start < 3


def test_a_kept_connection_may_idle_longer_than_a_head(address: tuple[str, int]) -> None:
    with socket.create_connection(address) as client:
        for _ in range(2):
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            answer = b""
            while not answer.endswith(b"hello"):
                answer += client.recv(65536)
            assert answer.startswith(b"HTTP/1.1 200")
            assert b"server:" not in answer.lower()
            time.sleep(0.5)


def test_the_second_head_on_a_connection_is_timed_too(address: tuple[str, int]) -> None:
    with socket.create_connection(address) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        client.recv(65536)
        client.sendall(b"GET / HTTP/1.1\r\nX-Slow: ")
        start = time.monotonic()
        read_all(client)
        assert time.monotonic() - start < 3
