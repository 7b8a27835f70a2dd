"""The web application: which path answers what."""

from collections.abc import Callable, Sequence
from typing import Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from exporter.service import Exporter
from exporter.web.lifecycle import Lifecycle
from exporter.web.scrape import Scrapes
from exporter.web.status.page import STYLESHEET, StatusPage
from exporter.web.targets import TARGETS_PATH, Targets
from exporter.web.ticket import TICKET_PATH, TicketDesk

_UNCACHED: Final = {"Cache-Control": "no-store"}


def make_app(
    exporter: Exporter,
    telemetry_path: str,
    scrapes: Scrapes,
    reload: Callable[[], str | None] | None,
    sd_targets: Sequence[str] = (),
    refused: Callable[[], Sequence[str]] = tuple,
) -> Starlette:
    """The application.

    Args:
        exporter: what to show.
        telemetry_path: where the metrics are.
        scrapes: answers to what is asked there.
        reload: reads the configuration again and returns what is wrong with it; None: not over HTTP.
        sd_targets: what /sd names for each shard, once per replica; none: the address that was asked.
        refused: what was wrong with the configurations when they were last read.
    """
    stylesheet = STYLESHEET.read_bytes()
    status = StatusPage(exporter, telemetry_path, refused)
    lifecycle = Lifecycle(exporter, reload)
    targets = Targets(lambda: exporter.apps.all, exporter.shard, sd_targets, telemetry_path)

    async def healthy(_request: Request) -> Response:
        ailment = exporter.ailment()
        text, status = ("Healthy.\n", 200) if ailment is None else (f"Not healthy: {ailment}\n", 503)
        return PlainTextResponse(text, status)

    async def ready(_request: Request) -> Response:
        missing = "Not ready: some apps have not been asked for yet.\n"
        return PlainTextResponse("Ready.\n") if exporter.ready else PlainTextResponse(missing, 503)

    async def page(request: Request) -> Response:
        return await run_in_threadpool(status.respond, request, _UNCACHED)

    async def style(_request: Request) -> Response:
        return Response(stylesheet, media_type="text/css", headers={"Cache-Control": "max-age=3600"})

    application = Starlette(
        routes=[
            Route(telemetry_path, scrapes, methods=["GET"]),
            Route("/", page, methods=["GET"]),
            Route("/style.css", style, methods=["GET"]),
            Route(TARGETS_PATH, targets.answer, methods=["GET"]),
            Route("/-/healthy", healthy, methods=["GET"]),
            Route("/-/ready", ready, methods=["GET"]),
            Route(TICKET_PATH, TicketDesk(exporter, exporter.log).take, methods=["POST"]),
            Route("/-/reload", lifecycle.reload, methods=["POST"]),
            Route("/-/refresh", lifecycle.refresh, methods=["POST"]),
            Route("/config", lifecycle.config, methods=["GET"]),
        ]
    )
    application.router.redirect_slashes = False  # it would redirect to whatever Host says
    return application
