"""Accept connections, a limited number, each with the TLS settings in force at that moment.

asyncio's own servers keep one TLS context for good and have no limit; and a limit that turns newcomers away
would let whoever holds idle connections shut the scrapers out. Here the newcomer gets the place of the one
that is least missed.
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
"""Connections at the same time: many times what scrapers and people need, well below usual limits."""

HANDSHAKE_SECONDS: Final = 10.0
_AT_ONCE: Final = 16  # connections taken in before others are served again
_PAUSE_SECONDS: Final = 0.5  # when the system has no more file descriptors, and nobody gives way
_NO_MORE: Final = (errno.EMFILE, errno.ENFILE)


def connection_limit() -> int:
    """Return how many connections there may be: half of the file descriptors are for everything else."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return CONNECTION_LIMIT if soft == resource.RLIM_INFINITY else min(CONNECTION_LIMIT, soft // 2)


class Acceptor:
    """Accepts connections in place of asyncio's servers, which uvicorn would use."""

    def __init__(
        self,
        sockets: Sequence[socket.socket],
        make_protocol: Callable[[], asyncio.BaseProtocol],
        context: Callable[[], ssl.SSLContext | None],
        connections: Connections,
        refused: Callable[[ssl.SSLError, str], None],
    ) -> None:
        """Accept from these sockets.

        Args:
            sockets: that listen.
            make_protocol: for one connection.
            context: returns the TLS context of the next connection, None for plain HTTP.
            connections: those that there are.
            refused: is given why a handshake failed, and the client's address.
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
        """Begin to accept."""
        for listener in self._sockets:
            listener.setblocking(False)  # noqa: FBT003 - the library's own parameter
            self._watch(listener)

    def close(self) -> None:
        """Accept no more, and abandon handshakes under way."""
        self._closed = True
        for listener in self._sockets:
            self._loop.remove_reader(listener)
        for task in self._arriving:
            task.cancel()

    async def wait_closed(self) -> None:
        """Return at once; uvicorn calls it."""

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
                    return  # whoever gives way lets go of its descriptor before we are called again
                self._loop.remove_reader(listener)  # trying again at once would only spin
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
        except OSError as error:  # a failed handshake, a client that is gone
            client.close()
            if isinstance(error, ssl.SSLError):
                self._refused(error, address)
