"""One HTTP connection: limits around uvicorn's protocol.

uvicorn gets one request at a time, and none before it has handed over the last answer. So bytes that a client
sends ahead wait here, and every action of a client has a limit in time and size.
"""

import asyncio
import re
from collections.abc import Callable
from enum import IntEnum
from typing import Final

from exporter.web.webconfig.loading import Headers

HEAD_SECONDS: Final = 10
"""Seconds for a client to send a request's head, and the rest of a body after the answer."""

IDLE_SECONDS: Final = 75
"""Seconds for which an idle connection is kept: scrapes usually come every 15 to 60 s."""

ANSWER_SECONDS: Final = 60
"""Seconds for an answer and for a client to read it."""

HEAD_LIMIT: Final = 32 * 1024
"""Bytes of a head, and of requests that may wait behind an answer."""

BUFFER_LIMIT: Final = 64 * 1024
"""Bytes of an answer to buffer for a client; asyncio's default with TLS is half a megabyte."""

_HELD_SECONDS: Final = 5  # seconds after which an answer under way gives way to newcomers
_END: Final = b"\r\n\r\n"
_LENGTH: Final = re.compile(rb"\r\ncontent-length:[ \t]*(\d{1,19})[ \t]*\r\n", re.IGNORECASE)
_TOO_LARGE: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n%bcontent-length: 0\r\nconnection: close\r\n\r\n"
)


class Phase(IntEnum):
    """The state of a connection; those with low numbers give way to newcomers first."""

    NEW = 0  # has never had a whole request
    IDLE = 1
    ASKING = 2  # in the middle of a head
    BUSY = 3  # being answered
    ENDED = 4


class Connections(set["HttpConnection"]):
    """All connections of a server, and the choice of those to end when there are too many."""

    def give_way(self) -> bool:
        """End a connection that never asked, is idle, or reads too slowly; return False if there is none."""
        may = [each for each in self if each.may_go]
        if may:
            min(may, key=lambda each: (each.phase, each.since)).end()
        return bool(may)

    def end_late(self, now: float) -> None:
        """End connections whose time is over; `now` is the event loop's time."""
        for each in [each for each in self if each.deadline <= now]:
            each.end()


class HttpConnection(asyncio.Protocol):
    """A connection around the protocol that parses and answers."""

    def __init__(
        self,
        make_inner: Callable[["HttpConnection"], asyncio.Protocol],
        connections: Connections,
        admits: Callable[[asyncio.BaseTransport], bool],
        headers: Callable[[], Headers],
    ) -> None:
        """Prepare a connection.

        `admits` returns whether a client may connect, `headers` the headers of every answer.
        """
        self._inner = make_inner(self)
        self._connections = connections
        self._admits = admits
        self._headers = headers
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport
        self._head = bytearray()  # of the incoming request
        self._body = 0  # bytes of the body still to come
        self._behind = bytearray()  # bytes that came while a request was being answered
        self._half_closed = False
        self.phase = Phase.NEW
        self.since = self.deadline = 0.0

    @property
    def may_go(self) -> bool:
        """Return whether ending the connection loses little."""
        if self.phase is Phase.ENDED:
            return False
        working = self.phase is Phase.BUSY or self._transport.get_write_buffer_size() > 0
        return not working or self._loop.time() - self.since > _HELD_SECONDS

    @property
    def gone(self) -> bool:
        """Return whether nobody waits for an answer any more."""
        return self.phase is Phase.ENDED or self._transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Accept a client, whose first head must come in time."""
        self._transport = transport  # type: ignore[assignment]
        self._transport.set_write_buffer_limits(BUFFER_LIMIT)
        self._connections.add(self)
        self._enter(Phase.NEW, HEAD_SECONDS)
        self._inner.connection_made(transport)
        if not self._admits(transport):
            self.end()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self.phase = Phase.ENDED
        self._connections.discard(self)
        self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        """Stop the server from writing until the client reads."""
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        """Let the server write again."""
        self._inner.resume_writing()

    def data_received(self, data: bytes) -> None:
        """Pass bytes on as far as they belong to the present request."""
        self._behind += data
        self._pass_on()

    def eof_received(self) -> bool:
        """Keep a half-closed connection open for its answer; TLS has no half-closed state."""
        plain = self._transport.get_extra_info("ssl_object") is None
        self._half_closed = plain and self.phase is Phase.BUSY
        return self._half_closed

    def begun(self) -> None:
        """Note that the application has begun to answer, so that the server agrees on the request's end."""
        if not self.gone:
            self._enter(Phase.BUSY, ANSWER_SECONDS)

    def answered(self) -> None:
        """Note that the application has handed over an answer, so that the next request may come."""
        self._loop.call_soon(self._go_on)  # once the server has finished too

    def end(self) -> None:
        """Drop the connection with all bytes still to send."""
        self.phase = Phase.ENDED
        self._transport.abort()

    def _go_on(self) -> None:
        if self.gone:
            return
        if self._behind or self._body:
            self._enter(Phase.ASKING, HEAD_SECONDS)
        else:
            self._enter(Phase.IDLE, IDLE_SECONDS)
        self._transport.resume_reading()
        self._pass_on()
        if self._half_closed and self.phase is not Phase.BUSY:
            self._transport.close()

    def _pass_on(self) -> None:
        """Pass the server the rest of a request, or the next request if it is free."""
        while self._behind and not self.gone:
            if self._body:
                part = self._take(self._body)
                self._body -= len(part)
                self._inner.data_received(part)
            elif self.phase is Phase.BUSY:
                if len(self._behind) > HEAD_LIMIT:
                    self._transport.pause_reading()
                return
            else:
                self._pass_on_head()

    def _pass_on_head(self) -> None:
        if not self._head:
            if self.phase is Phase.IDLE:
                self._enter(Phase.ASKING, HEAD_SECONDS)
            self._behind = self._behind.lstrip(b"\r\n")  # RFC 9112, section 2.2
            if not self._behind:
                return
        before = len(self._head)
        self._head += self._behind[: HEAD_LIMIT + 1 - before]
        end = self._head.find(_END, max(before - len(_END), 0))
        size = end + len(_END) if end >= 0 else len(self._head)
        if size > HEAD_LIMIT:
            lines = (b"%b: %b\r\n" % pair for pair in self._headers())
            self._transport.write(_TOO_LARGE % b"".join(lines))
            self._transport.close()
            return
        part = self._take(size - before)
        if end >= 0:
            length = _LENGTH.search(self._head, 0, size)
            self._body = int(length[1]) if length else 0  # a body without a length is not read
            self._head.clear()
            self._enter(Phase.BUSY, HEAD_SECONDS)
        self._inner.data_received(part)

    def _take(self, size: int) -> bytes:
        part = bytes(self._behind[:size])
        del self._behind[:size]
        return part

    def _enter(self, phase: Phase, seconds: float) -> None:
        self.phase = phase
        self.since = self._loop.time()
        self.deadline = self.since + seconds
