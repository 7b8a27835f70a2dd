"""The outermost application: refuse what must not reach the others, and send answers in slices."""

from collections.abc import Callable, Mapping
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from exporter.web.gate import Gate

SLICE: Final = 64 * 1024
"""Bytes of an answer that are handed over at once; the next ones wait till the client reads."""

_WORDS: Final[Mapping[int, bytes]] = {
    400: b"Bad Request\n",
    401: b"Unauthorized\n",
    429: b"Too Many Requests\n",
    503: b"Service Unavailable\n",
}


class Guard:
    """An application that answers only what is well formed, and only whom the gate lets in."""

    def __init__(self, app: ASGIApp, gate: Gate, unwell: Callable[[], bool] = lambda: False) -> None:
        """`unwell`: whether the exporter does not work, which health checks may know without a password."""
        self._app = app
        self._gate = gate
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
        status = 400 if _is_ambiguous(scope) else await self._gate.refusal(scope)
        if status is None and unmeasured:
            status = 400  # what follows such a head is not read: in a trailer there may be headers
        if status == 401 and scope["path"] == "/-/healthy" and self._unwell():  # noqa: PLR2004
            status = 503
        if status is None:
            await self._app(scope, receive, _slicing(send))
            return
        body = _WORDS[status]
        headers = [
            (b"content-type", b"text/plain; charset=utf-8"),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
        ]
        if status == 401:  # noqa: PLR2004
            headers.append((b"www-authenticate", b"Basic"))
        if status == 400 or unmeasured:  # noqa: PLR2004
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body if scope["method"] != "HEAD" else b""})


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
