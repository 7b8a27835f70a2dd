"""How one HTTP connection is served: uvicorn's protocol with two things it lacks.

A request's head must come in time. And a scrape's ready bytes take a short way past ASGI, which makes a
scrape about as cheap as a static file.
"""

import asyncio
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from exporter.web.scrape import Scrapes

HEAD_SECONDS: Final = 10
"""How long a client may take to send a request's head."""

_SLOW_WAY: Final = frozenset({b"content-length", b"transfer-encoding", b"expect", b"upgrade"})
"""Headers of requests that are more than a plain GET."""


class _Answered(RequestResponseCycle):
    """Stands where uvicorn keeps a request's cycle, for one that is over."""

    def __init__(self) -> None:
        self.response_complete = True
        self.disconnected = False
        self.message_event = asyncio.Event()


class Protocol(HttpToolsProtocol):
    """One connection; `scrapes` and `scrape_path` are set by `protocol_for`."""

    scrapes: Scrapes
    scrape_path: bytes
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has connected: its first head must come in time."""
        super().connection_made(transport)
        self._answered = _Answered()
        self._head_timer = self.loop.call_later(HEAD_SECONDS, transport.close)

    def on_message_begin(self) -> None:
        """A head begins to come in."""
        super().on_message_begin()
        if self._head_timer is None:
            self._head_timer = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def on_headers_complete(self) -> None:
        """The head is there: answer a plain scrape at once, everything else through ASGI."""
        self._forget_timer()
        if self._is_plain_scrape():
            self._answer_scrape()
        else:
            super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._forget_timer()
        super().connection_lost(exc)

    def _is_plain_scrape(self) -> bool:
        return (
            self.url == self.scrape_path
            and self.parser.get_method() == b"GET"
            and self.parser.get_http_version() == "1.1"
            and self.parser.should_keep_alive()
            and not self.flow.write_paused  # a client that does not read waits in uvicorn's queue
            and (self.cycle is None or self.cycle.response_complete)
            and _SLOW_WAY.isdisjoint(name for name, _ in self.headers)
        )

    def _answer_scrape(self) -> None:
        answer = self.scrapes.answer(self.headers)
        head = [b"HTTP/1.1 200 OK\r\n"]
        for name, value in (*self.server_state.default_headers, *answer.headers):
            head += (name, b": ", value, b"\r\n")
        head.append(b"\r\n")
        self.transport.writelines((b"".join(head), *answer.body))
        self.cycle = self._answered
        self.on_response_complete()

    def _forget_timer(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None


def protocol_for(scrape_path: str, scrapes: Scrapes) -> type[Protocol]:
    """The protocol of a server whose metrics are at that path."""
    return type("ScrapeProtocol", (Protocol,), {"scrapes": scrapes, "scrape_path": scrape_path.encode()})
