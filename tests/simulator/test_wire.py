import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from exporter.simulator.faults import Fault
from exporter.simulator.rules import TREND_PATH

if TYPE_CHECKING:
    from tests.simulator.conftest import Client


@contextmanager
def connected(client: "Client") -> Iterator[socket.socket]:
    address = ("127.0.0.1", int(client.sim.base_url.rpartition(":")[2]))
    with socket.create_connection(address, timeout=5) as connection:
        yield connection


def read_to_end(connection: socket.socket) -> bytes:
    parts = []
    while part := connection.recv(65536):
        parts.append(part)
    return b"".join(parts)


def until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 5
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_a_connection_is_used_again(client: "Client") -> None:
    with connected(client) as connection:
        for _ in range(3):
            connection.sendall(b"GET /_sim/clock HTTP/1.1\r\nHost: x\r\n\r\n")
            assert connection.recv(65536).startswith(b"HTTP/1.1 200 OK\r\n")


def test_pipelined_requests_are_answered_in_order(started: Callable[..., "Client"]) -> None:
    client = started(latency_seconds=0.01)
    with connected(client) as connection:
        connection.sendall(
            b"GET /first HTTP/1.1\r\n\r\nGET /_sim/clock HTTP/1.1\r\n\r\n"
            b"GET /third HTTP/1.1\r\nConnection: close\r\n\r\n"
        )
        answers = read_to_end(connection)
    assert [part[:12] for part in answers.split(b"HTTP/1.1 ")[1:]] == [b"200 OK\r\nCont"] * 3
    assert answers.index(b"invalid url") < answers.index(b'"now"') < answers.rindex(b"invalid url")


def test_requests_behind_a_drip_wait_for_it(started: Callable[..., "Client"]) -> None:
    client = started(drip_seconds=0.0005)
    token = client.token()
    client.sim.faults.switch(client.appid, Fault.DRIP)
    body = b'{"begin_date":"20261123","end_date":"20261123"}'
    head = f"POST {TREND_PATH}?access_token={token} HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n"
    with connected(client) as connection:
        connection.sendall(head.encode() + body + b"GET /x HTTP/1.0\r\n\r\n")
        answers = read_to_end(connection)
    assert answers.index(b'"ref_date"') < answers.index(b"invalid url")


def test_a_request_may_come_in_pieces(client: "Client") -> None:
    with connected(client) as connection:
        for piece in (b"GET /_s", b"im/clo", b"ck HTTP/1.0\r\nX: y\r\n", b"\r\n"):
            connection.sendall(piece)
            time.sleep(0.01)
        assert b'"now"' in read_to_end(connection)


def test_a_client_that_expects_100_continue_gets_it(client: "Client") -> None:
    with connected(client) as connection:
        connection.sendall(
            b"POST /_sim/clock HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 13\r\n"
            b"Connection: close\r\n\r\n"
        )
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b'{"advance":1}')
        assert b'"now"' in read_to_end(connection)


def test_a_head_answer_has_no_body(client: "Client") -> None:
    with connected(client) as connection:
        connection.sendall(b"HEAD /x HTTP/1.1\r\nConnection: close\r\n\r\n")
        assert read_to_end(connection).endswith(b"\r\n\r\n")


def test_what_is_no_http_is_a_bad_request(client: "Client") -> None:
    with connected(client) as connection:
        connection.sendall(b"\x16\x03\x01\x00\xff\x01 tls?\r\n\r\n")
        assert read_to_end(connection).startswith(b"HTTP/1.1 400 Bad Request\r\n")


def test_a_client_that_gives_up_is_no_longer_in_flight(started: Callable[..., "Client"]) -> None:
    client = started(latency_seconds=60)
    with connected(client) as connection:
        connection.sendall(b"GET /x HTTP/1.1\r\n\r\n")
        until(lambda: client.sim.log.in_flight == 1)
    until(lambda: client.sim.log.in_flight == 0)
