"""Hostile clients in great number: a scrape goes on being answered, and nothing grows."""

import resource
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest

from benchmarks.hostile import attack
from exporter.web.connection_limit import CONNECTION_LIMIT
from tests.running import Running, running

REQUESTS = 10_000
GROWTH = 24 * 1024 * 1024  # bytes; what caches and the allocator take once


@pytest.fixture(scope="module")
def many_files() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))


@pytest.fixture(scope="module")
def demo() -> Iterator[Running]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    address = f"--web.listen-address=127.0.0.1:{port}"
    with running(port, "demo", address, "--log.level=debug", "--web.enable-lifecycle") as demo:
        demo.wait_until(lambda: demo.get("/-/ready").ok)
        yield demo


def place(demo: Running) -> tuple[str, int]:
    return "127.0.0.1", int(demo.base_url.rpartition(":")[2])


def memory(demo: Running) -> int:
    statm = Path(f"/proc/{demo.process.pid}/statm").read_text()
    return int(statm.split()[1]) * resource.getpagesize()


def descriptors(demo: Running) -> int:
    return len(list(Path(f"/proc/{demo.process.pid}/fd").iterdir()))


def test_no_hostile_request_is_a_fault_of_ours_and_memory_stays(demo: Running) -> None:
    attack(place(demo), 300, seed=0)
    before = memory(demo)
    statuses = attack(place(demo), REQUESTS, seed=int(time.time()) % 1000)
    assert 500 not in statuses
    assert {200, 400, 404, 405, 431} <= set(statuses)
    assert memory(demo) - before < GROWTH
    assert "Traceback" not in demo.output()
    assert demo.get("/metrics").ok


def test_thousands_of_idle_connections_do_not_shut_a_scraper_out(demo: Running, many_files: None) -> None:
    before = memory(demo)
    with ExitStack() as stack:
        for number in range(3000):
            client = stack.enter_context(socket.create_connection(place(demo), timeout=5))
            if number % 3 == 0:
                with suppress(OSError):
                    client.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\nX-Slow: ")
        assert demo.get("/metrics").ok
        assert demo.quickest_scrape() < 1
        assert descriptors(demo) < CONNECTION_LIMIT + 64
        assert memory(demo) - before < GROWTH


@pytest.mark.parametrize("limit", [200, 1024])
def test_idle_connections_do_not_shut_a_scraper_out_where_descriptors_are_few(
    demo: Running, many_files: None, limit: int
) -> None:
    before = resource.prlimit(demo.process.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(demo.process.pid, resource.RLIMIT_NOFILE, (limit, before[1]))
    try:
        with ExitStack() as stack:
            for _ in range(1500):
                stack.enter_context(socket.create_connection(place(demo), timeout=5))
            assert demo.get("/metrics").ok
            assert demo.quickest_scrape() < 1
    finally:
        resource.prlimit(demo.process.pid, resource.RLIMIT_NOFILE, before)


def test_clients_that_ask_and_do_not_read_do_not_shut_a_scraper_out(demo: Running, many_files: None) -> None:
    before = memory(demo)
    with ExitStack() as stack:
        for _ in range(2 * CONNECTION_LIMIT):
            client = socket.socket()
            stack.enter_context(client)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            client.connect(place(demo))
            with suppress(OSError):
                client.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n" * 50)
        demo.wait_until(lambda: demo.get("/metrics").ok, 10)
        assert descriptors(demo) < CONNECTION_LIMIT + 64
        assert memory(demo) - before < 4 * GROWTH


@pytest.mark.parametrize(
    "request_",
    [
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nX",
        b"POST /-/reload HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        b"POST /-/reload HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n",
        b"GET /metrics HTTP/1.1\nHost: a\nTransfer-Encoding : chunked\n\n",
        b"G\x00T /metrics HTTP/1.1\r\nHost: a\r\n\r\n",
    ],
)
def test_what_two_programs_could_read_differently_is_refused_and_the_connection_closed(
    demo: Running, request_: bytes
) -> None:
    with socket.create_connection(place(demo), timeout=5) as client:
        client.sendall(request_ + b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n")
        answer = b""
        with suppress(ConnectionResetError):
            while chunk := client.recv(65536):
                answer += chunk
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"x-content-type-options: nosniff" in answer
    assert answer.count(b"HTTP/1.1") == 1
