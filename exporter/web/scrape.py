"""Answers to scrapes: the rendered page, joined with the exporter's own metrics."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from urllib.parse import parse_qs

from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from exporter.exposition import gzipped, negotiation
from exporter.exposition.gzipped import Piece
from exporter.exposition.page import Page, excerpt
from exporter.exposition.telemetry import Telemetry
from exporter.web.webconfig.loading import Headers

OWN_SECONDS: Final = 0.25
"""Seconds for which the exporter's own metrics are reused, so that many scrapers do not render them often."""

_REMEMBERED: Final = 64
_MOST_APPIDS: Final = 100  # apps per request, as rendering delays others
_TOO_MANY: Final = PlainTextResponse(f"At most {_MOST_APPIDS} mini programs by appid.\n", 400)
_UNKNOWN: Final = PlainTextResponse("No such mini program here: is it another shard's?\n", 404)


@dataclass(frozen=True, slots=True)
class ScrapeAnswer:
    """An answer in one format, with its headers; the text of `pieces` precedes `body`.

    `events`: the count of events at its making; `good_till`: when it becomes too old (monotonic).
    """

    page: Page
    events: int
    good_till: float
    headers: Headers
    body: tuple[bytes, ...]
    pieces: tuple[Piece, ...] = ()

    def parts(self) -> Iterator[bytes]:
        """Yield the parts to send, uncompressing each when it is its turn."""
        yield from (piece.plain() for piece in self.pieces)
        yield from self.body


class Scrapes:
    """Answers scrapes in the format that their headers ask for.

    With `?appid=…` the page has only those apps; the status is 404 for an unknown one, 400 for too many.
    """

    def __init__(
        self, page: Callable[[], Page], telemetry: Telemetry, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._page = page
        self._telemetry = telemetry
        self._clock = clock
        self._answers: dict[tuple[bool, bool], ScrapeAnswer] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the page in the format that the client asks for."""
        query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        appids = query.get("appid")
        if appids is not None and len(appids) > _MOST_APPIDS:
            await _TOO_MANY(scope, receive, send)
            return
        asked = scope["headers"]
        answer = self.answer(asked) if appids is None else self.excerpt(asked, appids)
        if answer is None:
            await _UNKNOWN(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": answer.headers})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body"})
            return
        for part in answer.parts():
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body"})

    def answer(self, asked: Headers) -> ScrapeAnswer:
        """Return the answer to a request with headers `asked` (names in lower case)."""
        wanted = _wanted(asked)
        held = self._answers.get(wanted)
        if held is None or not self._is_current(held):
            made = self._make(*wanted)
            others = {key: other for key, other in self._answers.items() if other.page is made.page}
            held, self._answers = made, {**others, wanted: made}  # do not keep old pages in memory
        return held

    def excerpt(self, asked: Headers, appids: Sequence[str]) -> ScrapeAnswer | None:
        """Return an answer of some apps, without the exporter's own metrics; None if one is missing."""
        openmetrics, gzip = _wanted(asked)
        page = self._page()
        known = dict.fromkeys(each if each in page.entries else each.lower() for each in appids)
        plain = excerpt(page, known, openmetrics=openmetrics)
        if plain is None:
            return None
        body = gzipped.whole(plain) if gzip else plain
        return ScrapeAnswer(page, 0, 0.0, _headers(len(body), openmetrics=openmetrics, gzip=gzip), (body,))

    def _is_current(self, held: ScrapeAnswer) -> bool:
        return (
            held.page is self._page()
            and held.events == self._telemetry.events
            and self._clock() < held.good_till
        )

    def _make(self, openmetrics: bool, gzip: bool) -> ScrapeAnswer:  # noqa: FBT001 - the two sides of a format
        page = self._page()
        encoded = page.openmetrics if openmetrics else page.text
        events = self._telemetry.events
        own = self._telemetry.render(openmetrics=openmetrics)
        good_till = self._clock() + OWN_SECONDS
        if gzip:
            held = self._answers.get((openmetrics, gzip))
            start = held.body[0] if held and held.page is page else gzipped.start(encoded.pieces)
            body = start, gzipped.end(own, encoded.checksum)
            headers = _headers(sum(map(len, body)), openmetrics=openmetrics, gzip=gzip)
            return ScrapeAnswer(page, events, good_till, headers, body)
        headers = _headers(encoded.checksum.size + len(own), openmetrics=openmetrics, gzip=gzip)
        return ScrapeAnswer(page, events, good_till, headers, (own,), encoded.pieces)


def _wanted(asked: Headers) -> tuple[bool, bool]:
    accept = b",".join(value for name, value in asked if name == b"accept")
    encoding = b",".join(value for name, value in asked if name == b"accept-encoding")
    return _negotiate(accept, encoding)


@lru_cache(maxsize=_REMEMBERED)
def _negotiate(accept: bytes, encoding: bytes) -> tuple[bool, bool]:
    """Return whether to use OpenMetrics and gzip; cached, as scrapers always send the same headers."""
    return (
        negotiation.wants_openmetrics(accept.decode("latin-1")),
        negotiation.accepts_gzip(encoding.decode("latin-1")),
    )


def _headers(size: int, *, openmetrics: bool, gzip: bool) -> Headers:
    headers = [
        (b"content-type", (negotiation.OPENMETRICS if openmetrics else negotiation.TEXT).encode()),
        (b"content-length", str(size).encode()),
        (b"vary", b"Accept, Accept-Encoding"),
        (b"cache-control", b"no-store"),
    ]
    return [*headers, (b"content-encoding", b"gzip")] if gzip else headers
