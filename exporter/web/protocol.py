"""How one HTTP connection is served: uvicorn's protocol with what it lacks.

Everything a client does has a limit in time and size. And a scrape's ready bytes take a short way past ASGI,
which makes a scrape about as cheap as a static file.
"""

import asyncio
from collections.abc import Iterable
from enum import IntEnum
from typing import Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from exporter.web.gate import Gate
from exporter.web.scrape import Headers, Scrapes

HEAD_SECONDS: Final = 10
"""How long a client may take to send a request's head, and its body."""

IDLE_SECONDS: Final = 75
"""How long a connection is kept between requests: scrapes usually come every 15 to 60 s."""

ANSWER_SECONDS: Final = 60
"""How long a client may take to read an answer."""

HEAD_LIMIT: Final = 32 * 1024
"""Bytes of a head, or of a body: nothing that is asked for here needs more."""

_LONGEST_REPEATED: Final = 1024  # bytes of a request that is recognised when it comes again
_MOST_REPEATED: Final = 64
_HARMLESS: Final = frozenset(
    {
        *(b"host", b"user-agent", b"accept", b"accept-encoding", b"connection"),
        b"x-prometheus-scrape-timeout-seconds",
    }
)
"""Headers of requests that are remembered: no others, as they may hold passwords."""

_PIPELINE: Final = 16  # requests sent ahead of their answers
_HELD_SECONDS: Final = 5  # an answer that takes longer to read gives way to newcomers
_TOO_LARGE: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\n%bcontent-length: 0\r\nconnection: close\r\n\r\n"
)
_SLOW_WAY: Final = frozenset({b"content-length", b"transfer-encoding", b"expect", b"upgrade"})
"""Headers of requests that are more than a plain GET."""


class Phase(IntEnum):
    """What a connection is about; those with low numbers give way to newcomers first."""

    NEW = 0  # never had a whole request
    IDLE = 1
    ASKING = 2  # in the middle of a head
    BUSY = 3  # being answered
    ENDED = 4


class _Answered(RequestResponseCycle):
    """Stands where uvicorn keeps a request's cycle, for one that is over."""

    def __init__(self) -> None:
        self.response_complete = True
        self.disconnected = False
        self.message_event = asyncio.Event()


class Protocol(HttpToolsProtocol):
    """One connection; `scrapes`, `scrape_path`, `gate` and `repeated` are set by `protocol_for`."""

    scrapes: Scrapes
    scrape_path: bytes
    gate: Gate
    repeated: dict[bytes, Headers]
    phase = Phase.NEW
    since = 0.0
    deadline = 0.0
    _pending = 0
    _between = False  # the parser has had whole requests and nothing of the next
    _begun = 0  # requests in the bytes that came last
    _scraped = False  # one of them was a plain scrape

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has connected: its first head must come in time, its certificate have an allowed name."""
        super().connection_made(transport)
        self._answered = _Answered()
        self._enter(Phase.NEW, HEAD_SECONDS)
        tls = transport.get_extra_info("ssl_object")
        if tls is not None and not self.gate.allows(tls.getpeercert()):
            self.end()

    def data_received(self, data: bytes) -> None:
        """Something came: heads and bodies must stay within limits."""
        if self.phase is Phase.ENDED or self._is_repeated(data):
            return
        at_start = self._between or (self.phase is Phase.NEW and self._pending == 0)
        self._pending += len(data)
        self._begun, self._scraped = 0, False
        super().data_received(data)
        if at_start and self._scraped and self._between and self._begun == 1:
            self._remember(data)
        if self._pending > HEAD_LIMIT and not self.transport.is_closing():
            self._refuse_size()

    def on_message_begin(self) -> None:
        """A head begins to come in."""
        self._between = False
        self._begun += 1
        super().on_message_begin()
        if self.phase is Phase.IDLE:
            self._enter(Phase.ASKING, HEAD_SECONDS)

    def on_headers_complete(self) -> None:
        """The head is there: answer a plain scrape at once, everything else through ASGI."""
        self._pending = 0
        if len(self.pipeline) >= _PIPELINE or self._is_ambiguous():
            raise ValueError("refused")  # the parser passes it on, and a 400 is sent
        self._enter(Phase.BUSY, ANSWER_SECONDS)
        if self._is_plain_scrape() and self.gate.passes(self.headers):
            self._scraped = True
            self._answer_scrape(self.headers)
            self.cycle = self._answered
            self.on_response_complete()
        else:
            super().on_headers_complete()

    def on_message_complete(self) -> None:
        """A request is there with its body."""
        super().on_message_complete()
        self._between = True

    def _remember(self, data: bytes) -> None:
        """Know these bytes, which were one plain scrape and nothing else, when they come again."""
        if (
            self.gate.open
            and len(data) <= _LONGEST_REPEATED
            and data.startswith(b"GET ")
            and data.endswith(b"\r\n\r\n")
            and all(name in _HARMLESS for name, _ in self.headers)
        ):
            if len(self.repeated) >= _MOST_REPEATED:
                self.repeated.clear()
            self.repeated[data] = tuple(self.headers)

    def _is_repeated(self, data: bytes) -> bool:
        """Answer at once what has been parsed before to the byte: scrapers send the same again and again."""
        if not self._between or self.phase is not Phase.IDLE or self.flow.write_paused:
            return False
        headers = self.repeated.get(data) if self.gate.open else None
        if headers is None:
            return False
        self._unset_keepalive_if_required()  # our own limit holds for the connection
        self._answer_scrape(headers)
        self._enter(Phase.IDLE, IDLE_SECONDS)
        return True

    def on_response_complete(self) -> None:
        """An answer was handed over to be sent."""
        super().on_response_complete()
        if self.cycle is None or self.cycle.response_complete:
            self._enter(Phase.IDLE, IDLE_SECONDS)

    def end(self) -> None:
        """Drop the connection, whatever is still to be sent."""
        self.phase = Phase.ENDED
        self.transport.abort()

    def _enter(self, phase: Phase, seconds: float) -> None:
        self.phase = phase
        self.since = self.loop.time()
        self.deadline = self.since + seconds

    def _is_ambiguous(self) -> bool:
        """Whether a proxy before us may have read another host than we do (RFC 9112, section 3.2)."""
        hosts = sum(name == b"host" for name, _ in self.headers)
        return hosts > 1 or (hosts == 0 and self.parser.get_http_version() == "1.1")

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

    def _answer_scrape(self, headers: Headers) -> None:
        answer = self.scrapes.answer(headers)
        self.transport.writelines((answer.head(self.server_state.default_headers), *answer.body))

    def _refuse_size(self) -> None:
        """Say why if it was a head, then close; what is still coming in is not read."""
        if self.phase in (Phase.NEW, Phase.ASKING):
            head = b"".join(b"%b: %b\r\n" % pair for pair in self.server_state.default_headers)
            self.transport.write(_TOO_LARGE % head)
        self.transport.close()


class Connections:
    """All connections of a server, as a crowd of which some must go."""

    def __init__(self, connections: Iterable[Protocol]) -> None:
        self._all = connections

    def count(self) -> int:
        """How many there are."""
        return sum(1 for _ in self._all)

    def give_way(self) -> bool:
        """End the one that is least missed: that never asked, that is idle, or that reads too slowly."""
        may = [each for each in self._all if _may_go(each)]
        if may:
            min(may, key=lambda each: (each.phase, each.since)).end()
        return bool(may)

    def end_late(self, now: float) -> None:
        """End those whose time is over; `now` by the event loop's clock."""
        for each in [each for each in self._all if each.deadline <= now]:
            each.end()


def _may_go(connection: Protocol) -> bool:
    if connection.phase is Phase.ENDED:
        return False
    working = connection.phase is Phase.BUSY or connection.transport.get_write_buffer_size() > 0
    return not working or connection.loop.time() - connection.since > _HELD_SECONDS


def protocol_for(scrape_path: str, scrapes: Scrapes, gate: Gate) -> type[Protocol]:
    """The protocol of a server whose metrics are at that path."""
    attributes = {"scrapes": scrapes, "scrape_path": scrape_path.encode(), "gate": gate, "repeated": {}}
    return type("ScrapeProtocol", (Protocol,), attributes)
