"""Requests to an ASGI application without a server."""

import asyncio
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.types import ASGIApp, Message


class Waiting:
    """A connection whose client waits for its answer."""

    gone = False

    def begun(self) -> None: ...

    def answered(self) -> None: ...


@dataclass
class Answer:
    """An answer, with its header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


def scope_of(
    method: str, path: str, query: str = "", headers: Sequence[tuple[bytes, bytes]] = ()
) -> MutableMapping[str, Any]:
    """Return the ASGI scope of a request."""
    host = () if any(name == b"host" for name, _ in headers) else ((b"host", b"exporter"),)
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [*host, *headers],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 10950),
        "state": {"connection": Waiting()},
    }


def ask(app: ASGIApp, method: str, path: str, query: str = "", **headers: str) -> Answer:
    """Send a request; header names have underscores for dashes."""
    pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = scope_of(method, path, query, pairs)
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    async def run() -> None:
        await app(scope, receive, send)

    asyncio.run(run())
    answered = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return Answer(sent[0]["status"], answered, b"".join(message.get("body", b"") for message in sent[1:]))
