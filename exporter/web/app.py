"""The web application: its routes, and the answers to operators and probes."""

from collections.abc import Callable, Sequence
from typing import Final

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from exporter.config.redacted import config_text
from exporter.service import Exporter
from exporter.web.scrape import Scrapes
from exporter.web.service_discovery import TARGETS_PATH, Targets
from exporter.web.status.page import STYLESHEET, StatusPage
from exporter.web.ticket_callback import TICKET_PATH, TicketPushes

OFF: Final = PlainTextResponse("Lifecycle API is not enabled: start with --web.enable-lifecycle.\n", 403)


class Lifecycle:
    """Answers operators' requests; `reload` rereads the configuration and returns what is wrong with it."""

    def __init__(self, exporter: Exporter, reload: Callable[[], str | None]) -> None:
        self._exporter = exporter
        self._reload = reload

    async def config(self, _request: Request) -> Response:
        """Show the configuration in force, without secrets."""
        text = await run_in_threadpool(config_text, self._exporter.reconfiguration.config)
        return PlainTextResponse(text, headers={"Cache-Control": "no-store"})

    async def reload(self, _request: Request) -> Response:
        """Read the configuration again; answer 500 with the problems if it is refused."""
        problem = await run_in_threadpool(self._reload)
        if problem is None:
            outlook = self._exporter.reconfiguration.outlook
            return PlainTextResponse(f"Reloaded{f': {outlook}' if outlook else ''}.\n")
        return PlainTextResponse(f"failed to reload config: {problem}\n", 500)

    async def refresh(self, request: Request) -> Response:
        """Refresh one app, even if it is paused, or all apps except what a reload would leave paused."""
        appid = request.query_params.get("appid")
        if appid is None:
            outlook = await run_in_threadpool(self._exporter.reconfiguration.refresh_all)
            return PlainTextResponse(f"Refreshing: {outlook or 'all apps have just been asked'}.\n")
        if await run_in_threadpool(self._exporter.reconfiguration.refresh, appid.lower()):
            return PlainTextResponse("WeChat is asked now.\n")
        return PlainTextResponse("No such app: POST /-/refresh?appid=wx0123456789abcdef\n", 404)


def make_app(
    exporter: Exporter,
    telemetry_path: str,
    reload: Callable[[], str | None] | None,
    sd_targets: Sequence[str] = (),
    refused: Callable[[], Sequence[str]] = tuple,
) -> Starlette:
    """Make the application, with the metrics at `telemetry_path`.

    `reload` reads the configuration again and returns what is wrong with it; None forbids it over HTTP.
    `sd_targets`: templates of addresses on /sd, one per replica; none for the address of the request.
    `refused` returns what was wrong with the configurations at their last reading.
    """
    cached = {"Cache-Control": "max-age=3600"}
    stylesheet = Response(STYLESHEET.read_bytes(), headers=cached, media_type="text/css")
    scrapes = Scrapes(lambda: exporter.publisher.page, exporter.telemetry)
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
            Route(TICKET_PATH, TicketPushes(exporter).answer, methods=["POST"]),
            Route("/-/reload", lifecycle.reload if reload else OFF, methods=["POST"]),
            Route("/-/refresh", lifecycle.refresh if reload else OFF, methods=["POST"]),
            Route("/config", lifecycle.config, methods=["GET"]),
        ]
    )
    application.router.redirect_slashes = False  # it would redirect to any host in the Host header
    return application
