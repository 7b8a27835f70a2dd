"""The status page at `/`: renders the exporter's state as HTML."""

import gzip
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from exporter.exposition import negotiation
from exporter.service import Exporter
from exporter.web.status.html import StatusData, StatusHtml
from exporter.web.status.language import negotiate
from exporter.web.status.query import Query

_GZIP_LEVEL: Final = 4
STYLESHEET: Final = Path(__file__).parent / "static" / "style.css"


class StatusPage:
    """The page for people, in English and Chinese."""

    def __init__(
        self,
        exporter: Exporter,
        telemetry_path: str,
        refused: Callable[[], Sequence[str]],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._exporter = exporter
        self._telemetry_path = telemetry_path
        self._refused = refused
        self._clock = clock
        self._html = StatusHtml()

    async def answer(self, request: Request) -> Response:
        """Answer with the page for the request's parameters."""
        return await run_in_threadpool(self._made, request)

    def _made(self, request: Request) -> Response:
        query = Query.read(request.query_params)
        language = query.lang or negotiate(",".join(request.headers.getlist("accept-language")))
        data = StatusData(
            entries=tuple(self._exporter.publisher.page.entries.values()),
            now=self._clock(),
            next_round_at=self._exporter.rounds.next_round_at,
            interval=self._exporter.reconfiguration.config.refresh.interval,
            telemetry_path=self._telemetry_path,
            shard=self._exporter.shard,
            storage_trouble=self._exporter.publisher.trouble,
            refused=tuple(self._refused()),
            platforms=self._exporter.watch.states(),
            datasets=self._exporter.ledger.names,
        )
        text = self._html.render(data, query, language)
        body = text.encode(errors="replace")  # half surrogate pairs
        headers = {
            "Cache-Control": "no-store",
            "Content-Language": language.tag,
            "Vary": "Accept-Language, Accept-Encoding",
        }
        if negotiation.accepts_gzip(",".join(request.headers.getlist("accept-encoding"))):
            body = gzip.compress(body, _GZIP_LEVEL)
            headers["Content-Encoding"] = "gzip"
        return Response(body, media_type="text/html", headers=headers)
