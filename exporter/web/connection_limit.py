"""A listener that accepts a limited number of connections, each with the present TLS settings.

asyncio's servers keep one TLS context for ever and have no limit. A limit that refuses newcomers would let
anybody with enough idle connections shut the scrapers out; here the newcomer replaces the least useful one.
"""

import asyncio
import contextlib
import errno
import resource
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import Final

from exporter.web.connection import BUFFER_LIMIT, Connections

CONNECTION_LIMIT: Final = 256
"""Connections at the same time: many more than scrapers and people need, well below usual limits."""

HANDSHAKE_SECONDS: Final = 10.0
_AT_ONCE: Final = 16  # connections accepted before serving continues
_PAUSE_SECONDS: Final = 0.5  # seconds to wait if file descriptors are exhausted
_NO_MORE: Final = (errno.EMFILE, errno.ENFILE)


def connection_limit() -> int:
    """Return the limit on connections: at most half of the file descriptors, as other parts need the rest."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return CONNECTION_LIMIT if soft == resource.RLIM_INFINITY else min(CONNECTION_LIMIT, soft // 2)


class Acceptor:
    """Accepts connections in place of the asyncio servers that uvicorn uses."""

    def __init__(
        self,
        sockets: Sequence[socket.socket],
        make_protocol: Callable[[], asyncio.BaseProtocol],
        context: Callable[[], ssl.SSLContext | None],
        connections: Connections,
        refused: Callable[[ssl.SSLError, str], None],
    ) -> None:
        """Accept from listening sockets.

        `context` returns the TLS context of the next connection, None for plain HTTP. `refused` is called
        with the cause of a failed handshake and the client's address.
        """
        self._sockets = sockets
        self._make_protocol = make_protocol
        self._context = context
        self._connections = connections
        self._refused = refused
        self._limit = connection_limit()
        self._loop = asyncio.get_running_loop()
        self._arriving: dict[asyncio.Task[None], None] = {}  # in order of arrival
        self._closed = False

    def start(self) -> None:
        """Begin to accept connections."""
        for listener in self._sockets:
            listener.setblocking(False)  # noqa: FBT003 - the library's own parameter
            self._watch(listener)

    def close(self) -> None:
        """Stop accepting, and abandon handshakes under way."""
        self._closed = True
        for listener in self._sockets:
            self._loop.remove_reader(listener)
        for task in self._arriving:
            task.cancel()

    async def wait_closed(self) -> None:
        """Return at once; called by uvicorn."""

    def _watch(self, listener: socket.socket) -> None:
        if not self._closed:
            self._loop.add_reader(listener, self._accept, listener)

    def _accept(self, listener: socket.socket) -> None:
        for _ in range(_AT_ONCE):
            try:
                client, address = listener.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError as error:
                if error.errno in _NO_MORE and self._make_room():
                    return  # the ended connection frees its descriptor before the next call
                self._loop.remove_reader(listener)  # an immediate retry would be a busy loop
                self._loop.call_later(_PAUSE_SECONDS, self._watch, listener)
                return
            if len(self._connections) + len(self._arriving) >= self._limit and not self._make_room():
                client.close()
                continue
            client.setblocking(False)  # noqa: FBT003 - the library's own parameter
            with contextlib.suppress(OSError, AttributeError):  # unread bytes wait here, not in the system
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, BUFFER_LIMIT)
            task = self._loop.create_task(self._serve(client, str(address[0])))
            self._arriving[task] = None
            task.add_done_callback(self._arriving.pop)

    def _make_room(self) -> bool:
        if self._connections.give_way():
            return True
        oldest = next((task for task in self._arriving if not task.cancelling()), None)
        if oldest is not None:
            oldest.cancel()
        return oldest is not None

    async def _serve(self, client: socket.socket, address: str) -> None:
        context = self._context()
        timeout = None if context is None else HANDSHAKE_SECONDS
        try:
            await self._loop.connect_accepted_socket(
                self._make_protocol, client, ssl=context, ssl_handshake_timeout=timeout
            )
        except asyncio.CancelledError:
            with contextlib.suppress(OSError):
                client.close()
        except OSError as error:  # a failed handshake, or a client that has gone
            client.close()
            if isinstance(error, ssl.SSLError):
                self._refused(error, address)
