"""The outermost layer: refuses requests that must not reach the application, and sends answers in slices."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from exporter.web.admission import Admission

SLICE: Final = 64 * 1024
"""Bytes of an answer to hand over at once; the next slice waits until the client reads."""


class Middleware:
    """Passes on well-formed requests that admission control allows, and refuses all others."""

    def __init__(
        self, app: ASGIApp, admission: Admission, unwell: Callable[[], bool] = lambda: False
    ) -> None:
        """Wrap the application; `unwell` returns whether the exporter has failed, shown on /-/healthy."""
        self._app = app
        self._admission = admission
        self._unwell = unwell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, and notify its connection of the beginning and the end."""
        connection = scope["state"]["connection"]
        connection.begun()
        try:
            await self._answer(scope, receive, send)
        finally:
            connection.answered()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it without a detail about the application."""
        unmeasured = any(name == b"transfer-encoding" for name, _ in scope["headers"])
        status = 400 if _is_ambiguous(scope) else await self._admission.refusal(scope)
        if status is None and unmeasured:
            status = 400  # the rest is not read, as trailers may contain headers
        if status == HTTPStatus.UNAUTHORIZED and scope["path"] == "/-/healthy" and self._unwell():
            status = 503
        if status is None:
            await self._app(scope, receive, _slicing(send))
            return
        headers = {"Cache-Control": "no-store"}
        if status == HTTPStatus.UNAUTHORIZED:
            headers["WWW-Authenticate"] = "Basic"
        if status == HTTPStatus.BAD_REQUEST or unmeasured:
            headers["Connection"] = "close"
        await PlainTextResponse(f"{HTTPStatus(status).phrase}\n", status, headers)(scope, receive, send)


def _is_ambiguous(scope: Scope) -> bool:
    """Return whether a proxy may have understood another host (RFC 9112, 3.2) or path than we do."""
    hosts = sum(name == b"host" for name, _ in scope["headers"])
    return hosts > 1 or (hosts == 0 and scope["http_version"] == "1.1") or not scope["path"].isprintable()


def _slicing(send: Send) -> Send:
    """Return a `send` that cuts bodies into slices, as the inner one waits for slow clients."""

    async def send_sliced(message: Message) -> None:
        body = message.get("body", b"")
        for start in range(0, max(len(body) - SLICE, 0), SLICE):
            part = body[start : start + SLICE]
            await send({"type": "http.response.body", "body": part, "more_body": True})
        if len(body) > SLICE:
            message = {**message, "body": body[(len(body) - 1) // SLICE * SLICE :]}
        await send(message)

    return send_sliced
