import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from starlette.types import Receive, Scope, Send

from exporter.exposition.page import PageMaker
from exporter.exposition.telemetry import Telemetry
from exporter.web import protocol as module
from exporter.web.gate import Gate
from exporter.web.protocol import protocol_for
from exporter.web.scrape import MetricsApp, Scrapes
from exporter.web.server import make_server
from exporter.web.webconfig import WebConfig
from tests.building import YESTERDAY, make_entry, make_row

Address = tuple[str, int]
GET = b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"


@pytest.fixture
def scrapes() -> Scrapes:
    entries = {
        entry.app.appid: entry for entry in (make_entry(number, [make_row()]) for number in range(1, 2001))
    }
    page = PageMaker().replace_all(entries, (YESTERDAY,))
    return Scrapes(lambda: page, Telemetry(time.time))


@pytest.fixture
def gate() -> Gate:
    return Gate(WebConfig())


@pytest.fixture
def protocol(scrapes: Scrapes, gate: Gate) -> type[module.Protocol]:
    return protocol_for("/metrics", scrapes, gate)


@pytest.fixture
def address(
    scrapes: Scrapes, gate: Gate, protocol: type[module.Protocol], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Address]:
    """A server in a thread, whose patience for slow heads is short; other paths say hello."""
    monkeypatch.setattr(module, "HEAD_SECONDS", 0.3)
    metrics = MetricsApp(scrapes)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/metrics":
            await metrics(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
        await send({"type": "http.response.body", "body": b"hello"})

    started = threading.Event()
    server = make_server(app, protocol, gate, started.set)
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


def read_answer(client: socket.socket) -> tuple[bytes, bytes]:
    """Head and body of one answer."""
    client.settimeout(5)
    content = b""
    while b"\r\n\r\n" not in content:
        content += client.recv(1)
    length = next(
        int(line.split(b":")[1])
        for line in content.split(b"\r\n")
        if line.lower().startswith(b"content-length")
    )
    body = b""
    while len(body) < length:
        body += client.recv(length - len(body))
    return content, body


@pytest.mark.parametrize("beginning", [b"", b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: "])
def test_a_head_that_does_not_come_in_time_ends_the_connection(address: Address, beginning: bytes) -> None:
    with socket.create_connection(address) as client:
        client.sendall(beginning)
        start = time.monotonic()
        assert read_all(client) == b""
        assert 0.2 < time.monotonic() - start < 3


def test_a_head_that_drips_in_ends_too(address: Address) -> None:
    with socket.create_connection(address) as client:
        start = time.monotonic()
        with suppress(OSError):  # reset or broken pipe, as it comes
            for _ in range(100):
                client.sendall(b"G")
                time.sleep(0.05)
        assert time.monotonic() - start < 3


@pytest.mark.parametrize("path", [b"/metrics", b"/"])
def test_a_kept_connection_may_idle_longer_than_a_head(address: Address, path: bytes) -> None:
    with socket.create_connection(address) as client:
        for _ in range(2):
            client.sendall(GET.replace(b"/metrics", path))
            head, body = read_answer(client)
            assert head.startswith(b"HTTP/1.1 200 OK\r\n")
            assert b"server:" not in head.lower()
            assert body
            time.sleep(0.5)


def test_the_second_head_on_a_connection_is_timed_too(address: Address) -> None:
    with socket.create_connection(address) as client:
        client.sendall(GET)
        read_answer(client)
        client.sendall(b"GET / HTTP/1.1\r\nX-Slow: ")
        start = time.monotonic()
        read_all(client)
        assert time.monotonic() - start < 3


def test_the_short_way_and_the_long_way_give_the_same_page(address: Address) -> None:
    with socket.create_connection(address) as client:
        client.sendall(GET)
        short_head, short = read_answer(client)
        client.sendall(GET.replace(b"/metrics", b"/metrics?long=way"))
        long_head, long = read_answer(client)
    assert short[:200_000] == long[:200_000]  # the exporter's own part moves
    assert {line.split(b":")[0] for line in short_head.split(b"\r\n")} == {
        line.split(b":")[0] for line in long_head.split(b"\r\n")
    }


@pytest.mark.parametrize(
    "request_",
    [
        b"GET /metrics HTTP/1.0\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n",
    ],
)
def test_a_client_that_wants_the_end_gets_the_page_and_the_end(address: Address, request_: bytes) -> None:
    with socket.create_connection(address) as client:
        client.sendall(request_)
        assert b"wechat_miniprogram_daily_visit_pv{" in read_all(client)


def test_a_get_with_a_body_does_not_confuse_the_next_request(address: Address) -> None:
    with socket.create_connection(address) as client:
        body = b"GET /other HTTP/1.1\r\n\r\n"
        length = str(len(body)).encode()
        client.sendall(GET.replace(b"\r\n\r\n", b"\r\nContent-Length: " + length + b"\r\n\r\n") + body)
        head, _ = read_answer(client)
        assert head.startswith(b"HTTP/1.1 200")
        client.sendall(GET.replace(b"/metrics", b"/"))
        assert read_answer(client)[1] == b"hello"


def test_pipelined_requests_are_answered_in_order(address: Address) -> None:
    other = GET.replace(b"/metrics", b"/")
    with socket.create_connection(address) as client:
        client.sendall(GET + other + GET + other)
        bodies = [read_answer(client)[1] for _ in range(4)]
    assert [len(body) > 5 for body in bodies] == [True, False, True, False]
    assert bodies[0][:100_000] == bodies[2][:100_000]


def test_a_client_that_does_not_read_does_not_pile_up_pages(address: Address) -> None:
    before = threading.active_count()
    with socket.create_connection(address) as slow, socket.create_connection(address) as other:
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        with suppress(TimeoutError):
            slow.settimeout(0.5)
            for _ in range(200):
                slow.sendall(GET)
        other.sendall(GET)
        assert read_answer(other)[0].startswith(b"HTTP/1.1 200")
    assert threading.active_count() == before


def test_a_request_that_comes_again_is_answered_again(address: Address) -> None:
    with socket.create_connection(address) as client:
        answers = []
        for _ in range(4):
            client.sendall(GET)
            answers.append(read_answer(client))
        assert len({body for _, body in answers}) == 1
        assert all(head.startswith(b"HTTP/1.1 200 OK\r\n") for head, _ in answers)


def test_a_body_that_looks_like_a_scrape_is_a_body(address: Address) -> None:
    with socket.create_connection(address) as client:
        for _ in range(2):  # known by now
            client.sendall(GET)
            read_answer(client)
        client.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(GET))
        read_answer(client)
        client.sendall(GET)  # the body: an answer to it would be taken for that to the next request
        client.sendall(b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n")
        assert read_answer(client)[1] == b"hello"


def test_what_looks_like_a_scrape_in_the_middle_of_a_head_is_a_part_of_it(address: Address) -> None:
    with socket.create_connection(address) as client:
        for _ in range(2):
            client.sendall(GET)
            read_answer(client)
        client.sendall(b"GET /hello HTTP/1.1\r\nHost: a\r\nX: ")
        time.sleep(0.05)
        client.sendall(GET)  # the value of X, and then a second Host
        assert read_answer(client)[0].startswith(b"HTTP/1.1 400")


def test_two_scrapes_in_one_piece_are_both_answered(address: Address) -> None:
    with socket.create_connection(address) as client:
        for _ in range(3):
            client.sendall(GET + GET)
            assert read_answer(client)[1] == read_answer(client)[1]


def test_no_request_with_a_password_is_remembered(protocol: type[module.Protocol], address: Address) -> None:
    with socket.create_connection(address) as client:
        client.sendall(GET)
        read_answer(client)
        client.sendall(GET.replace(b"\r\n\r\n", b"\r\nAuthorization: Basic bm90OnJlYWw=\r\n\r\n"))
        read_answer(client)
    assert list(protocol.repeated) == [GET]


def test_a_known_request_is_refused_once_there_are_users(address: Address, gate: Gate) -> None:
    with socket.create_connection(address) as client:
        for _ in range(2):
            client.sendall(GET)
            assert read_answer(client)[0].startswith(b"HTTP/1.1 200 OK")
        gate.configure(WebConfig(users={"alice": b"$2b$04$abcdefghijklmnopqrstuuu"}))
        client.sendall(GET)
        assert read_answer(client)[0].startswith(b"HTTP/1.1 401")


def post(body: bytes) -> bytes:
    return b"POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(body)


OTHER = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"


def test_a_body_in_a_piece_of_its_own_teaches_nothing(
    protocol: type[module.Protocol], address: Address
) -> None:
    with socket.create_connection(address) as client:
        client.sendall(post(OTHER))
        time.sleep(0.05)
        client.sendall(OTHER)  # the body
        assert read_answer(client)[1] == b"hello"
    assert protocol.repeated == {}
    with socket.create_connection(address) as client:
        for _ in range(2):
            client.sendall(OTHER)
            assert read_answer(client)[1] == b"hello"


@pytest.mark.parametrize(
    "more",
    [
        pytest.param(b"GET /hello HTTP/1.1\r\nHost: a\r\nX: ", id="the beginning of the next"),
        pytest.param(b"G", id="its first letter"),
        pytest.param(OTHER, id="the whole next"),
        pytest.param(GET, id="the same"),
    ],
)
def test_a_scrape_with_something_behind_it_is_not_remembered(
    protocol: type[module.Protocol], address: Address, more: bytes
) -> None:
    with socket.create_connection(address) as client:
        client.sendall(GET + more)
        read_answer(client)
    assert protocol.repeated == {}


def test_a_header_that_stands_in_two_pieces_is_one_header_each_time(address: Address) -> None:
    first = GET + b"GET /hello HTTP/1.1\r\nHost: a\r\nX: "
    with socket.create_connection(address) as client:
        for _ in range(3):
            client.sendall(first)
            read_answer(client)
            time.sleep(0.05)
            client.sendall(b"POST /x HTTP/1.1\r\n\r\n")  # the value of X
            assert read_answer(client)[1] == b"hello"


@pytest.mark.parametrize(
    "header", [b"Authorization: Basic bm90OnJlYWw=", b"Proxy-Authorization: x", b"Cookie: a=b", b"X-Key: y"]
)
def test_nothing_that_may_hold_a_password_is_remembered(
    protocol: type[module.Protocol], address: Address, header: bytes
) -> None:
    with socket.create_connection(address) as client:
        client.sendall(GET.replace(b"\r\n\r\n", b"\r\n" + header + b"\r\n\r\n"))
        assert read_answer(client)[0].startswith(b"HTTP/1.1 200 OK")
    assert protocol.repeated == {}


def test_what_prometheus_sends_is_remembered(protocol: type[module.Protocol], address: Address) -> None:
    scrape = GET.replace(
        b"\r\n\r\n",
        b"\r\nUser-Agent: Prometheus/3.5.0\r\nAccept: text/plain\r\nAccept-Encoding: gzip\r\n"
        b"X-Prometheus-Scrape-Timeout-Seconds: 10\r\n\r\n",
    )
    with socket.create_connection(address) as client:
        client.sendall(scrape)
        read_answer(client)
    assert list(protocol.repeated) == [scrape]
