"""The HTTP server: uvicorn in the main thread, controlled by signals."""

import asyncio
import contextlib
import signal
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Generator, Sequence
from logging import WARNING
from typing import Final

import uvicorn
import uvloop
from starlette.types import ASGIApp

from exporter.web.admission import Admission
from exporter.web.connection import IDLE_SECONDS, Connections, HttpConnection
from exporter.web.connection_limit import Acceptor
from exporter.web.middleware import Middleware
from exporter.web.throttled_log import ThrottledLog

SWITCH_SECONDS: Final = 0.0005
"""Seconds for which a thread may hold the interpreter: a tenth of Python's default, with which scrapes wait
for seconds while dozens of threads are busy."""

_STOP_SECONDS: Final = 2  # seconds for responses under way, after a signal
_NO_CERTIFICATE: Final = "PEER_DID_NOT_RETURN_A_CERTIFICATE"


class Server(uvicorn.Server):
    """uvicorn behind admission control: with our acceptor, and without its signal handling."""

    def __init__(
        self,
        app: ASGIApp,
        admission: Admission,
        log: ThrottledLog,
        when_started: Callable[[], None],
        unwell: Callable[[], bool] = lambda: False,
    ) -> None:
        """Serve the application.

        `when_started` is called once connections are accepted; `unwell` returns whether the exporter has
        failed.
        """
        settings = uvicorn.Config(
            Middleware(app, admission, unwell),
            http="httptools",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=IDLE_SECONDS,
            timeout_graceful_shutdown=_STOP_SECONDS,
        )
        super().__init__(settings)
        self._admission = admission
        self._log = log
        self._when_started = when_started
        self._connections = Connections()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to accept connections, and call `when_started`."""
        acceptor = Acceptor(
            sockets or (),
            self._connection,
            lambda: self._admission.config.tls,
            self._connections,
            self._refused,
        )
        self.servers = [acceptor]  # type: ignore[list-item]
        acceptor.start()
        self.started = True
        self._when_started()

    async def on_tick(self, counter: int) -> bool:
        """End late connections and adopt new headers; called ten times a second."""
        self._connections.end_late(asyncio.get_running_loop().time())
        self.config.encoded_headers = list(self._admission.headers)
        return await super().on_tick(counter)

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Do nothing in place of uvicorn's signal handling."""
        yield

    def _connection(self) -> HttpConnection:
        return HttpConnection(self._inner, self._connections, self._admits, lambda: self._admission.headers)

    def _inner(self, connection: HttpConnection) -> asyncio.Protocol:
        return self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config, server_state=self.server_state, app_state={"connection": connection}
        )

    def _admits(self, transport: asyncio.BaseTransport) -> bool:
        tls = transport.get_extra_info("ssl_object")
        if tls is None or self._admission.allows(tls.getpeercert()):
            return True
        address = str((transport.get_extra_info("peername") or ("",))[0])
        why = "none of its names is among client_allowed_sans"
        self._log.write(WARNING, "client certificate refused", client=address, error=why)
        return False

    def _refused(self, error: ssl.SSLError, address: str) -> None:
        """Log a failed handshake that an operator can correct, but not strangers without TLS."""
        if isinstance(error, ssl.SSLCertVerificationError):
            self._log.write(WARNING, "client certificate refused", client=address, error=error.verify_message)
        elif error.reason == _NO_CERTIFICATE:
            self._log.write(WARNING, "client certificate refused", client=address, error="none was sent")


def serve(server: Server, sockets: Sequence[socket.socket], hangup: Callable[[], object]) -> None:
    """Serve until SIGTERM or SIGINT; SIGHUP calls `hangup` in a new thread."""

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
