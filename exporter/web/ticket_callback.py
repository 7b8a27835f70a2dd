"""The endpoint POST /wechat/ticket/{platform} for WeChat's pushes to a third-party platform."""

import asyncio
import time
from collections.abc import Callable
from logging import ERROR, WARNING
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

from exporter.config.platforms import TicketCallback
from exporter.service import Exporter
from exporter.web.throttled_log import ThrottledLog
from exporter.wechat.credential_vault import VaultError

TICKET_PATH: Final = "/wechat/ticket/{platform}"
LARGEST_PUSH: Final = 64 * 1024  # bytes
_BODY_SECONDS: Final = 10.0


class TicketPushes:
    """Answers `success` to WeChat's pushes, 500 if one cannot be kept, and 400 to everything else."""

    def __init__(self, exporter: Exporter, clock: Callable[[], float] = time.time) -> None:
        self._exporter = exporter
        self._log = exporter.log
        self._clock = clock
        self._throttled = ThrottledLog(exporter.log)  # for lines that anybody can cause

    async def answer(self, request: Request) -> Response:
        """Read the body within its limits, and accept the push if WeChat signed it."""
        name = request.path_params["platform"]
        try:
            async with asyncio.timeout(_BODY_SECONDS):
                body = await _body(request)
        except (TimeoutError, ClientDisconnect, ValueError):
            return self._refused(name, "the body is larger than 64 KiB or did not come")
        return await run_in_threadpool(self._taken, name, dict(request.query_params), body)

    def _taken(self, name: str, query: dict[str, str], body: bytes) -> Response:
        platform = self._exporter.apps.platforms.get(name)
        if platform is None or not isinstance(settings := platform.settings.ticket, TicketCallback):
            return self._refused(name, "no such platform, or its tickets come another way")
        from exporter.wechat.platform.pushes import ACCOUNT_EVENTS, PushReader, RefusedPushError  # noqa: PLC0415 - an extra
        from exporter.wechat.platform.tickets import PushedTicketSource  # noqa: PLC0415

        try:
            reader = PushReader(
                platform.settings.component_appid, settings.token.read(), settings.aes_key.read()
            )
            push = reader.read(query, body, self._clock())
            tickets = platform.tickets
            if push.ticket is not None and isinstance(tickets, PushedTicketSource):
                tickets.keep(push.ticket)
                self._exporter.watch.ticket_came(name)
        except RefusedPushError as error:
            return self._refused(name, str(error))
        except (OSError, ValueError, VaultError) as error:  # WeChat pushes again in ten minutes
            self._throttled.write(ERROR, "push not taken", about=name, platform=name, error=str(error))
            return PlainTextResponse("", 500)
        if push.kind in ACCOUNT_EVENTS:
            self._exporter.watch.accounts_changed(name)
        self._log.debug("push taken", platform=name, kind=push.kind)
        return PlainTextResponse("success")

    def _refused(self, name: str, why: str) -> Response:
        known = name if name in self._exporter.apps.platforms else ""  # strangers can make up names
        self._throttled.write(WARNING, "push refused", about=known, platform=name[:60], why=why)
        return PlainTextResponse("", 400, {"Connection": "close"})  # or uvicorn reads the rest of the body


async def _body(request: Request) -> bytes:
    """Read the body; raise ValueError as soon as it is too long, whatever its Content-Length."""
    if int(request.headers.get("content-length") or 0) > LARGEST_PUSH:
        raise ValueError("too long")
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_PUSH:
            raise ValueError("too long")
    return bytes(body)
