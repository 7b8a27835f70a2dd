"""/metrics as a raw ASGI application: ready bytes, joined with the exporter's own metrics."""

from collections.abc import Callable

from starlette.datastructures import Headers
from starlette.types import Receive, Scope, Send

from exporter.exposition import gzipped, negotiation
from exporter.exposition.page import Page
from exporter.exposition.telemetry import Telemetry


class MetricsApp:
    """Answers scrapes of the page that `page` gives."""

    def __init__(self, page: Callable[[], Page], telemetry: Telemetry) -> None:
        self._page = page
        self._telemetry = telemetry

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the page in the form that the client asks for."""
        del receive  # a body would not matter
        wanted = Headers(scope=scope)
        openmetrics = negotiation.wants_openmetrics(",".join(wanted.getlist("accept")))
        page = self._page()
        form = page.openmetrics if openmetrics else page.text
        own = self._telemetry.render(openmetrics=openmetrics)
        headers = [
            (b"content-type", (negotiation.OPENMETRICS if openmetrics else negotiation.TEXT).encode()),
            (b"vary", b"Accept, Accept-Encoding"),
            (b"cache-control", b"no-store"),
        ]
        if negotiation.accepts_gzip(",".join(wanted.getlist("accept-encoding"))):
            parts = (form.gzipped, gzipped.end(own, form.crc, len(form.plain)))
            headers.append((b"content-encoding", b"gzip"))
        else:
            parts = (form.plain, own)
        headers.append((b"content-length", str(sum(map(len, parts))).encode()))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        if scope["method"] == "HEAD":
            parts = (b"", b"")
        await send({"type": "http.response.body", "body": parts[0], "more_body": True})
        await send({"type": "http.response.body", "body": parts[1]})
