"""The HTTP server: uvicorn in the main thread, stopped and reloaded by signals."""

import asyncio
import contextlib
import signal
import socket
import sys
import threading
from collections.abc import Callable, Generator, Sequence
from typing import Final

import uvicorn
import uvloop
from starlette.types import ASGIApp

from exporter.web.acceptor import Acceptor
from exporter.web.gate import Gate, Guard
from exporter.web.protocol import IDLE_SECONDS, Connections

CONNECTION_LIMIT: Final = 256
"""Connections at the same time: many times what scrapers and people need, well below usual limits."""

SWITCH_SECONDS: Final = 0.0005
"""How long a refreshing thread may keep the interpreter from the event loop: a tenth of Python's own
value, with which scrapes wait for seconds while dozens of threads are busy."""

_STOP_SECONDS: Final = 2  # for responses under way, after a signal


class Server(uvicorn.Server):
    """uvicorn without its own signal handling, which would end the process by the signal."""

    def __init__(self, config: uvicorn.Config, gate: Gate, when_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._gate = gate
        self._when_started = when_started
        self._connections = Connections(self.server_state.connections)  # type: ignore[arg-type]

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept connections, and tell so."""
        acceptor = Acceptor(
            sockets or (), self._make_protocol, lambda: self._gate.tls, self._connections, CONNECTION_LIMIT
        )
        self.servers = [acceptor]  # type: ignore[list-item]
        acceptor.start()
        self.started = True
        self._when_started()

    async def on_tick(self, counter: int) -> bool:
        """Ten times a second: end connections that are late, take new headers over."""
        self._connections.end_late(asyncio.get_running_loop().time())
        self.config.encoded_headers = list(self._gate.headers)
        return await super().on_tick(counter)

    def _make_protocol(self) -> asyncio.BaseProtocol:
        return self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config, server_state=self.server_state, app_state={}
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave signals alone."""
        yield


def make_server(
    app: ASGIApp, protocol: type[asyncio.Protocol], gate: Gate, when_started: Callable[[], None]
) -> Server:
    """A server for the application behind the gate; calls `when_started` once it accepts connections."""
    settings = uvicorn.Config(
        Guard(app, gate),
        http=protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=IDLE_SECONDS,
        timeout_graceful_shutdown=_STOP_SECONDS,
    )
    return Server(settings, gate, when_started)


def serve(server: Server, sockets: Sequence[socket.socket], hangup: Callable[[], object]) -> None:
    """Serve until SIGTERM or SIGINT; SIGHUP calls `hangup` in a thread of its own."""

    def start_hangup() -> None:
        threading.Thread(target=hangup, name="reload", daemon=True).start()

    async def run() -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, server.handle_exit, number, None)
        loop.add_signal_handler(signal.SIGHUP, start_hangup)
        await server.serve(sockets=list(sockets))

    sys.setswitchinterval(SWITCH_SECONDS)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(run())
