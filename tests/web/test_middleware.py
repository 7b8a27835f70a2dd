import asyncio
from collections.abc import Sequence

import pytest
from starlette.types import Message, Receive, Scope, Send

from exporter.web.admission import Admission
from exporter.web.middleware import SLICE, Middleware
from exporter.web.webconfig.loading import WebConfig
from tests.web.asking import ask, scope_of

Pairs = Sequence[tuple[bytes, bytes]]


def sent(scope: Scope, body: bytes = b"inside") -> list[Message]:
    messages: list[Message] = []

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        messages.append(message)

    asyncio.run(Middleware(app, Admission(WebConfig()))(scope, receive, send))
    return messages


@pytest.mark.parametrize(
    "path",
    [
        "/-/reload\n",
        "/metrics\n",
        "/metrics\0",
        "/\x1b[2J",
        "/wechat/ticket/\x1b",
        "/metrics\x85",
        "/\u2028",
        "/\u202e",
    ],
)
def test_a_path_with_something_in_it_that_cannot_be_printed_is_refused(path: str) -> None:
    assert sent(scope_of("GET", path))[0]["status"] == 400


@pytest.mark.parametrize("path", ["/", "/-/reload", "/wechat/ticket/早餐车", "/a b", "/\ufffd"])
def test_other_paths_are_the_applications(path: str) -> None:
    assert sent(scope_of("GET", path))[0]["status"] == 200


@pytest.mark.parametrize(
    "headers",
    [
        [(b"host", b"a"), (b"host", b"b")],
        [],
        [(b"host", b"a"), (b"transfer-encoding", b"chunked")],
    ],
)
def test_a_head_that_two_programs_could_read_differently_ends_the_connection(headers: Pairs) -> None:
    start = sent({**scope_of("POST", "/"), "headers": headers})[0]
    assert start["status"] == 400
    assert (b"connection", b"close") in start["headers"]


def test_the_oldest_http_needs_no_host() -> None:
    assert sent({**scope_of("GET", "/"), "headers": [], "http_version": "1.0"})[0]["status"] == 200


@pytest.mark.parametrize("size", [0, 1, SLICE - 1, SLICE, SLICE + 1, 2 * SLICE, 5 * SLICE + 7])
def test_an_answer_is_handed_over_in_slices(size: int) -> None:
    body = bytes(range(256)) * (size // 256) + b"a" * (size % 256)
    _, *parts = sent(scope_of("GET", "/"), body)
    assert b"".join(part["body"] for part in parts) == body
    assert max(len(part["body"]) for part in parts) <= SLICE
    assert [part.get("more_body", False) for part in parts] == [True] * (len(parts) - 1) + [False]


def test_a_trailer_is_no_way_in_and_ends_the_connection() -> None:
    async def app(_scope: Scope, _receive: Receive, _send: Send) -> None:
        pytest.fail("let in")

    admission = Admission(WebConfig(users={"alice": b"$2b$04$" + b"." * 53}))
    answer = ask(Middleware(app, admission), "POST", "/-/reload", transfer_encoding="chunked")
    assert (answer.status, answer.headers["connection"]) == (401, "close")
