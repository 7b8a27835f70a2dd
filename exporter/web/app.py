"""The web application: its routes."""

from collections.abc import Callable, Sequence

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from exporter.service import Exporter
from exporter.web.lifecycle import OFF, Lifecycle
from exporter.web.scrape import Scrapes
from exporter.web.service_discovery import TARGETS_PATH, Targets
from exporter.web.status.page import STYLESHEET, StatusPage
from exporter.web.ticket_callback import TICKET_PATH, TicketPushes


def make_app(
    exporter: Exporter,
    telemetry_path: str,
    scrapes: Scrapes,
    reload: Callable[[], str | None] | None,
    sd_targets: Sequence[str] = (),
    refused: Callable[[], Sequence[str]] = tuple,
) -> Starlette:
    """Make the application.

    Args:
        exporter: the exporter to show.
        telemetry_path: the path of the metrics.
        scrapes: the application for that path.
        reload: reads the configuration again and returns what is wrong with it; None forbids it over HTTP.
        sd_targets: templates of addresses on /sd, one per replica; none for the address of the request.
        refused: returns what was wrong with the configurations at their last reading.
    """
    cached = {"Cache-Control": "max-age=3600"}
    stylesheet = Response(STYLESHEET.read_bytes(), headers=cached, media_type="text/css")
    status = StatusPage(exporter, telemetry_path, refused)
    lifecycle = Lifecycle(exporter, reload or (lambda: None))
    targets = Targets(lambda: exporter.apps.all, exporter.shard, sd_targets, telemetry_path)

    async def healthy(_request: Request) -> Response:
        ailment = exporter.ailment()
        text, status = ("Healthy.\n", 200) if ailment is None else (f"Not healthy: {ailment}\n", 503)
        return PlainTextResponse(text, status)

    async def ready(_request: Request) -> Response:
        missing = "Not ready: some apps have not been asked for yet.\n"
        return PlainTextResponse("Ready.\n") if exporter.ready else PlainTextResponse(missing, 503)

    application = Starlette(
        routes=[
            Route(telemetry_path, scrapes, methods=["GET"]),
            Route("/", status.answer, methods=["GET"]),
            Route("/style.css", stylesheet, methods=["GET"]),
            Route(TARGETS_PATH, targets.answer, methods=["GET"]),
            Route("/-/healthy", healthy, methods=["GET"]),
            Route("/-/ready", ready, methods=["GET"]),
            Route(TICKET_PATH, TicketPushes(exporter, exporter.log).answer, methods=["POST"]),
            Route("/-/reload", lifecycle.reload if reload else OFF, methods=["POST"]),
            Route("/-/refresh", lifecycle.refresh if reload else OFF, methods=["POST"]),
            Route("/config", lifecycle.config, methods=["GET"]),
        ]
    )
    application.router.redirect_slashes = False  # it would redirect to any host in the Host header
    return application
