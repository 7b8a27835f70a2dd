"""The outermost layer: refuse what must not reach the application, and send its answers in slices."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Final

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from exporter.web.admission import Admission

SLICE: Final = 64 * 1024
"""Bytes of an answer that are handed over at once; the next ones wait till the client reads."""


class Middleware:
    """Answers only what is well formed, and only whom admission control lets in."""

    def __init__(
        self, app: ASGIApp, admission: Admission, unwell: Callable[[], bool] = lambda: False
    ) -> None:
        """`unwell`: whether the exporter does not work, which health checks may know without a password."""
        self._app = app
        self._admission = admission
        self._unwell = unwell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, between the two moments that the connection must know."""
        connection = scope["state"]["connection"]
        connection.begun()
        try:
            await self._answer(scope, receive, send)
        finally:
            connection.answered()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or refuse without a word about what is behind."""
        unmeasured = any(name == b"transfer-encoding" for name, _ in scope["headers"])
        status = 400 if _is_ambiguous(scope) else await self._admission.refusal(scope)
        if status is None and unmeasured:
            status = 400  # what follows such a head is not read: in a trailer there may be headers
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
    """Return whether a proxy may have read another host (RFC 9112, 3.2) or another path than we do."""
    hosts = sum(name == b"host" for name, _ in scope["headers"])
    return hosts > 1 or (hosts == 0 and scope["http_version"] == "1.1") or not scope["path"].isprintable()


def _slicing(send: Send) -> Send:
    """Return a `send` that cuts bodies into slices; the inner one waits while the client does not read."""

    async def send_sliced(message: Message) -> None:
        body = message.get("body", b"")
        for start in range(0, max(len(body) - SLICE, 0), SLICE):
            part = body[start : start + SLICE]
            await send({"type": "http.response.body", "body": part, "more_body": True})
        if len(body) > SLICE:
            message = {**message, "body": body[(len(body) - 1) // SLICE * SLICE :]}
        await send(message)

    return send_sliced
