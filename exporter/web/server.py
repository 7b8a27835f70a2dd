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

SWITCH_SECONDS: Final = 0.0005
"""How long a refreshing thread may keep the interpreter from the event loop: a tenth of Python's own
value, with which scrapes wait for seconds while dozens of threads are busy."""

_STOP_SECONDS: Final = 2  # for responses under way, after a signal
_IDLE_SECONDS: Final = 75  # keep-alive between scrapes of the usual 15 to 60 s


class Server(uvicorn.Server):
    """uvicorn without its own signal handling, which would end the process by the signal."""

    def __init__(self, config: uvicorn.Config, when_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._when_started = when_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept connections, and tell so."""
        await super().startup(sockets)
        self._when_started()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Leave signals alone."""
        yield


def make_server(app: ASGIApp, protocol: type[asyncio.Protocol], when_started: Callable[[], None]) -> Server:
    """A server for the application; `when_started` is called once connections are accepted."""
    settings = uvicorn.Config(
        app,
        http=protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=_IDLE_SECONDS,
        timeout_graceful_shutdown=_STOP_SECONDS,
    )
    return Server(settings, when_started)


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
