"""Requests of operators: the configuration in force, a reload, a refresh of one app or all."""

from collections.abc import Callable
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from exporter.config.redacted import config_text
from exporter.service import Exporter

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
