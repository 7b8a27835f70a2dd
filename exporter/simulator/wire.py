"""HTTP/1.1 on a socket, correct or not, as an ordinary server framework would not allow.

There is an asyncio protocol per connection and no task per request: a wait is one timer, so hundreds of slow
calls at a time are cheap.
"""

import asyncio
import socket
import struct
from collections import deque
from collections.abc import Callable
from http import HTTPStatus
from typing import Final, cast

import httptools

from exporter.simulator.call_log import CallLog
from exporter.simulator.messages import Delivery, Reply, Request

_RESET_AT_CLOSE: Final = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 s: closing sends RST
_BAD_REQUEST: Final = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
_PHRASES: Final = {status.value: status.phrase for status in HTTPStatus}


class SimConnection(asyncio.Protocol):
    """A client connection, which answers its requests one after the other.

    `decide` returns the reply to a request, without waiting. `log` counts what is in flight.
    """

    def __init__(
        self, decide: Callable[[Request], Reply], log: CallLog, open_connections: "set[SimConnection]"
    ) -> None:
        self._decide = decide
        self._log = log
        self._open_connections = open_connections
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: deque[Request] = deque()  # pipelined requests
        self._serving: Request | None = None
        self._counted = False
        self._timer: asyncio.TimerHandle | None = None
        self._url = self._body = b""
        self._content_type = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Accept a client; called by asyncio."""
        self._transport = cast("asyncio.Transport", transport)  # a stream protocol gets no other
        self._client_ip = str(transport.get_extra_info("peername")[0])
        self._open_connections.add(self)

    def data_received(self, data: bytes) -> None:
        """Parse received bytes; called by asyncio."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self._transport.write(_BAD_REQUEST)
            self._transport.close()
            return
        self._serve_next()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Forget the connection; called by asyncio."""
        self._open_connections.discard(self)
        self._waiting.clear()
        if self._timer is not None:
            self._timer.cancel()
        self._ended()

    def abort(self) -> None:
        """Drop the connection at once."""
        self._transport.abort()

    def on_message_begin(self) -> None:
        """Begin a request; called by the parser."""
        self._url = self._body = b""
        self._content_type = ""

    def on_url(self, url: bytes) -> None:
        """Collect a part of the request line's target; called by the parser."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect a header; called by the parser."""
        if name.lower() == b"content-type":
            self._content_type = value.decode("latin-1").lower()
        elif name.lower() == b"expect" and value.lower() == b"100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """Collect a part of the body; called by the parser."""
        self._body += body

    def on_message_complete(self) -> None:
        """Queue a complete request; called by the parser."""
        path, _, query = self._url.decode("latin-1").partition("?")
        request = Request(
            method=self._parser.get_method().decode("latin-1"),
            path=path,
            query=query,
            content_type=self._content_type,
            body=self._body,
            client_ip=self._client_ip,
            keep_alive=self._parser.should_keep_alive(),
        )
        self._waiting.append(request)

    def _serve_next(self) -> None:
        while self._waiting and self._serving is None and not self._transport.is_closing():
            request = self._serving = self._waiting.popleft()
            answer = self._decide(request)
            if answer.counted:
                self._counted = True
                self._log.in_flight += 1
            if answer.delivery is Delivery.HANG:
                return
            if answer.delivery is Delivery.DRIP:
                self._transport.write(_head(answer))
                self._drip(answer, 0)
            elif answer.seconds > 0:
                self._timer = self._loop.call_later(answer.seconds, self._send_later, request, answer)
            else:
                self._send(request, answer)

    def _send_later(self, request: Request, answer: Reply) -> None:
        self._send(request, answer)
        self._serve_next()

    def _send(self, request: Request, answer: Reply) -> None:
        if answer.delivery is Delivery.RESET:
            connected: socket.socket = self._transport.get_extra_info("socket")
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
            self._transport.abort()
        elif answer.delivery is Delivery.CUT_SHORT:
            self._transport.write(_head(answer) + answer.body[: len(answer.body) // 2])
            self._transport.close()
        else:
            body = b"" if request.method == "HEAD" else answer.body
            self._transport.write(_head(answer) + body)
            if not request.keep_alive:
                self._transport.close()
        self._ended()

    def _drip(self, answer: Reply, at: int) -> None:
        self._transport.write(answer.body[at : at + 1])
        if at + 1 < len(answer.body):
            self._timer = self._loop.call_later(answer.seconds, self._drip, answer, at + 1)
        else:
            self._ended()
            self._serve_next()

    def _ended(self) -> None:
        self._serving = None
        if self._counted:
            self._counted = False
            self._log.in_flight -= 1


def _head(answer: Reply) -> bytes:
    lines = [
        f"HTTP/1.1 {answer.status} {_PHRASES[answer.status]}",
        f"Content-Type: {answer.content_type}",
        f"Content-Length: {len(answer.body)}",
        *(f"{name}: {value}" for name, value in answer.headers),
        "",
        "",
    ]
    return "\r\n".join(lines).encode()
