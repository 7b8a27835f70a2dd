import asyncio
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from starlette.types import Receive, Scope, Send
from structlog.typing import FilteringBoundLogger

from exporter.exposition.page import Page, PageRenderer
from exporter.exposition.telemetry import Telemetry
from exporter.web import connection as module
from exporter.web.admission import Admission
from exporter.web.scrape import Scrapes
from exporter.web.server import Server
from exporter.web.throttled_log import ThrottledLog
from exporter.web.webconfig.loading import WebConfig
from tests.building import YESTERDAY, make_entry, make_row

Address = tuple[str, int]
GET = b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"
HELLO = GET.replace(b"/metrics", b"/hello")
BIG = 20_000_000


@pytest.fixture(scope="module")
def page() -> Page:
    """Return a page of 2,000 mini programs, larger than a socket's buffers."""
    entries = {
        entry.app.appid: entry for entry in (make_entry(number, [make_row()]) for number in range(1, 2001))
    }
    return PageRenderer().replace_all(entries, (YESTERDAY,))


@pytest.fixture
def scrapes(page: Page) -> Scrapes:
    return Scrapes(lambda: page, Telemetry(time.time))


@pytest.fixture
def answered() -> list[str]:
    """Return a list for the paths whose whole answer the server has accepted."""
    return []


@pytest.fixture
def address(
    scrapes: Scrapes, answered: list[str], log: FilteringBoundLogger, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Address]:
    """Yield a server in a thread, whose patience for slow heads is short; other paths say hello."""
    monkeypatch.setattr(module, "HEAD_SECONDS", 0.3)
    metrics = scrapes

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/metrics":
            await metrics(scope, receive, send)
            return
        if scope["path"] == "/slow":
            await asyncio.sleep(0.2)
        content = b"hello" if scope["path"] != "/big" else b"a" * BIG
        length = str(len(content)).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
        await send({"type": "http.response.body", "body": content})
        answered.append(scope["path"])

    started = threading.Event()
    server = Server(app, Admission(WebConfig()), ThrottledLog(log), started.set)
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
    """Return head and body of one answer."""
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


def test_the_answer_to_a_head_request_has_no_body(address: Address) -> None:
    with socket.create_connection(address) as client:
        client.sendall(HELLO.replace(b"GET", b"HEAD").replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        head, _, body = read_all(client).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200 ")
        assert body == b""


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


def test_a_header_that_stands_in_two_pieces_is_one_header_each_time(address: Address) -> None:
    first = GET + b"GET /hello HTTP/1.1\r\nHost: a\r\nX: "
    with socket.create_connection(address) as client:
        for _ in range(3):
            client.sendall(first)
            read_answer(client)
            time.sleep(0.05)
            client.sendall(b"POST /x HTTP/1.1\r\n\r\n")  # the value of X
            assert read_answer(client)[1] == b"hello"


def test_more_requests_than_anybody_pipelines_are_answered_in_order(address: Address) -> None:
    with socket.create_connection(address) as client:
        threading.Thread(target=client.sendall, args=((HELLO * 20 + GET) * 10,)).start()
        for _ in range(10):
            assert [read_answer(client)[1] for _ in range(20)] == [b"hello"] * 20
            assert len(read_answer(client)[1]) > 100_000


def test_a_client_that_does_not_read_is_waited_for_and_then_gets_all(
    address: Address, answered: list[str]
) -> None:
    with socket.create_connection(address) as client:
        client.sendall(GET.replace(b"/metrics", b"/big"))
        time.sleep(0.3)
        assert answered == []
        _, body = read_answer(client)
        assert body == b"a" * BIG
        client.sendall(HELLO)
        assert read_answer(client)[1] == b"hello"


@pytest.mark.parametrize("path", [b"/metrics", b"/slow"])
def test_a_client_that_sends_no_more_is_answered(address: Address, path: bytes) -> None:
    with socket.create_connection(address) as client:
        client.sendall(GET.replace(b"/metrics", path) * 2)
        client.shutdown(socket.SHUT_WR)
        assert read_all(client).count(b"HTTP/1.1 200 OK") == 2


@pytest.mark.parametrize("beginning", [b"G", b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ", b"\r\n" * 9 + b"G"])
@pytest.mark.parametrize("pause", [0, 0.05])
def test_a_head_behind_a_request_is_timed_too(address: Address, beginning: bytes, pause: float) -> None:
    with socket.create_connection(address) as client:
        client.sendall(GET + (b"" if pause else beginning))
        time.sleep(pause)
        client.sendall(beginning if pause else b"")
        start = time.monotonic()
        assert read_all(client).count(b"HTTP/1.1") == 1
        assert time.monotonic() - start < 3


@pytest.mark.parametrize(
    "size", [33_000, 60_000]
)  # of larger ones a part may be on its way, and cut the answer off
@pytest.mark.parametrize("before", [b"", HELLO])
def test_a_head_that_is_too_large_is_refused_also_in_one_piece(
    address: Address, before: bytes, size: int
) -> None:
    with socket.create_connection(address) as client:
        client.sendall(before + b"GET /hello HTTP/1.1\r\nHost: a\r\nX: " + b"a" * size + b"\r\n\r\n")
        content = read_all(client)
        assert content.count(b"hello") == bool(before)
        assert b"HTTP/1.1 431 " in content


def test_a_head_of_a_newer_http_does_not_keep_its_place(address: Address) -> None:
    with socket.create_connection(address) as client:
        start = time.monotonic()
        client.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        with suppress(ConnectionResetError):
            read_all(client)
        assert time.monotonic() - start < 3


def test_a_trailer_is_not_read(address: Address) -> None:
    with socket.create_connection(address) as client:
        client.sendall(
            b"POST /hello HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            b"0\r\nAuthorization: Basic YTpi\r\n\r\n"
        )
        assert read_all(client).startswith(b"HTTP/1.1 400 Bad Request\r\n")


@pytest.mark.parametrize("split", range(1, 110, 7))
def test_requests_may_come_in_any_pieces(address: Address, split: int) -> None:
    content = (
        b"\r\n"
        + HELLO
        + b"POST /hello HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(GET)
        + GET
        + HELLO
    )
    with socket.create_connection(address) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for part in (content[:split], content[split : split + 3], content[split + 3 :]):
            client.sendall(part)
            time.sleep(0.005)
        assert [read_answer(client)[1] for _ in range(3)] == [b"hello"] * 3


def test_a_client_that_would_rather_talk_another_protocol_is_answered_in_this_one(address: Address) -> None:
    wish = b"\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n"
    with socket.create_connection(address) as client:
        client.sendall(HELLO.replace(b"\r\n\r\n", wish))
        assert read_answer(client)[1] == b"hello"
        client.sendall(HELLO)
        assert read_answer(client)[1] == b"hello"
