"""A listening thread on a loopback port, which can stop and start again."""

import asyncio
import ipaddress
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final, Self

import uvloop

from exporter.simulator.call_log import CallLog
from exporter.simulator.messages import Reply, Request
from exporter.simulator.wire import SimConnection

_BACKLOG: Final = 2048  # hundreds of clients may connect at once
_START_SECONDS: Final = 10.0  # seconds; the thread answers much earlier unless it died


class ListenAddressError(ValueError):
    """The simulator refuses to listen on an address; the text says which are allowed."""


class Listener:
    """Answers requests by `decide`, from `start` to `stop`."""

    def __init__(self, host: str, port: int, decide: Callable[[Request], Reply], log: CallLog) -> None:
        """Prepare a loopback host and a port, 0 for any free one; raise ListenAddressError for others."""
        self._host, self._port = _loopback(host), port
        self._decide = decide
        self._log = log
        self._thread: threading.Thread | None = None
        self._stopping = threading.Lock()  # two threads may call `stop` at once
        self._end: Callable[[], object] = lambda: None

    @property
    def base_url(self) -> str:
        """Return the base URL; valid once started."""
        host = f"[{self._host}]" if ":" in self._host else self._host
        return f"http://{host}:{self._port}"

    def start(self) -> Self:
        """Listen, and answer from a daemon thread until `stop`; raise OSError if the port is taken.

        After `stop` it starts again on the same port, as a server does after an outage.
        """
        if self._thread is not None:
            raise RuntimeError(f"the simulator runs already on {self.base_url}")
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        listener = socket.create_server((self._host, self._port), family=family, backlog=_BACKLOG)
        self._port = listener.getsockname()[1]
        running: Future[Callable[[], object]] = Future()
        self._thread = threading.Thread(
            target=self._run, args=(listener, running), name="simulator", daemon=True
        )
        self._thread.start()
        self._end = running.result(timeout=_START_SECONDS)
        return self

    def stop(self) -> None:
        """Drop all connections and end the thread; do nothing if it does not run."""
        with self._stopping:
            if self._thread is not None:
                self._end()
                self._thread.join()
                self._thread = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _run(self, listener: socket.socket, running: Future[Callable[[], object]]) -> None:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._serve(listener, running))

    async def _serve(self, listener: socket.socket, running: Future[Callable[[], object]]) -> None:
        loop = asyncio.get_running_loop()
        end = asyncio.Event()
        connections: set[SimConnection] = set()
        server = await loop.create_server(
            lambda: SimConnection(self._decide, self._log, connections), sock=listener
        )
        running.set_result(lambda: loop.call_soon_threadsafe(end.set))
        await end.wait()
        server.close()
        for connection in list(connections):
            connection.abort()
        await server.wait_closed()


def _loopback(host: str) -> str:
    """Return a host's address; raise ListenAddressError unless it is loopback."""
    if host == "localhost":
        return "127.0.0.1"
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise ListenAddressError(
            f"the simulator listens on loopback only: {host or 'every interface'} is refused, "
            "allowed are 127.0.0.1, ::1 and localhost"
        )
    return host
