"""Connections with a deadline per call, and their TLS and proxies.

A socket's timeout limits one read, not a call: a peer that sends a byte now and then would hold it for ever.
So these sockets set the time left before each read, write and handshake. Only the resolver's settings limit a
DNS lookup.
"""

import os
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any, Final

import requests.adapters
import requests.utils
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NameResolutionError, NewConnectionError
from urllib3.response import HTTPResponse
from urllib3.util.ssl_ import create_urllib3_context

from exporter.wechat.failures import advice
from exporter.wechat.failures.errcodes import failure
from exporter.wechat.failures.failure import CallError, Reason
from exporter.wechat.network.addresses import connect

IDLE_SECONDS: Final = 1.0
"""Seconds after which an idle connection is not used again, as a NAT or a firewall may have dropped it."""

_BUNDLES: Final = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")  # the environment variables of requests


class Call:
    """A call under way: its deadline, and the progress of its connection.

    Only the call that holds the lock `turn` computes; it releases the lock while it waits for its peer. So
    the web server's thread competes for the interpreter with one thread, not with dozens.
    """

    __slots__ = ("_deadline", "_socket", "answered", "connected", "turn", "wants_new")

    def __init__(self, seconds: float, turn: threading.Lock, *, wants_new: bool = False) -> None:
        self.turn = turn
        self.wants_new = wants_new  # whether to refuse a used connection
        self.connected = False  # whether a new connection was made
        self.answered = False  # whether the peer has sent a byte
        self._deadline = time.monotonic() + seconds
        self._socket: socket.socket | None = None

    def left(self) -> float:
        """Return the seconds left; raise TimeoutError if there are none."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    @contextmanager
    def waiting(self, sock: socket.socket | None = None) -> Iterator[None]:
        """Release the turn during a wait for at most the time left, which `abort` ends."""
        if sock is not None:
            self._socket = sock
            sock.settimeout(self.left())
        self.turn.release()
        try:
            yield
        finally:
            self.turn.acquire()

    def abort(self) -> None:
        """End the call from another thread: its pending read or write returns at once."""
        self._deadline = 0.0
        if self._socket is not None:
            with suppress(OSError):  # closed already; the base class's method, as TLS sockets override it
                socket.socket.shutdown(self._socket, socket.SHUT_RDWR)


_CALL: Final[ContextVar[Call]] = ContextVar("call")


@contextmanager
def under_way(call: Call) -> Iterator[None]:
    """Assign the connections that this thread uses meanwhile to a call."""
    token = _CALL.set(call)
    try:
        with call.turn:
            yield
    finally:
        _CALL.reset(token)


class _Socket(socket.socket):
    """A TCP socket that keeps its call's deadline."""

    def recv(self, *args: Any) -> bytes:  # noqa: ANN401 - as the socket module's
        with _CALL.get().waiting(self):
            return super().recv(*args)

    def recv_into(self, *args: Any) -> int:  # noqa: ANN401
        call = _CALL.get()
        with call.waiting(self):
            count = super().recv_into(*args)
        call.answered = call.answered or count > 0
        return count

    def sendall(self, *args: Any) -> None:  # noqa: ANN401
        with _CALL.get().waiting(self):
            super().sendall(*args)


class _TLSSocket(_Socket, ssl.SSLSocket):
    """A TLS socket that keeps its call's deadline."""

    def do_handshake(self, block: bool = False) -> None:  # noqa: FBT001, FBT002 - as the ssl module's
        with _CALL.get().waiting(self):
            super().do_handshake(block)


class _Connection(HTTPConnection):
    """A connection that is not used again once it has been idle for some time."""

    _used_at = 0.0

    def _new_conn(self) -> socket.socket:
        # The only private name of urllib3 used here: its method gives every address the whole time.
        call = _CALL.get()
        call.connected = True
        try:
            with call.waiting():
                return connect(self.host, self.port, call.left, _Socket, self.socket_options or ())
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        except OSError as error:
            raise NewConnectionError(self, "not connected") from error

    def getresponse(self) -> HTTPResponse:  # type: ignore[override]
        response = super().getresponse()
        self._used_at = time.monotonic()
        return response

    @property
    def is_connected(self) -> bool:
        """Return whether the connection may be used again."""
        recent = time.monotonic() - self._used_at < IDLE_SECONDS
        return recent and not _CALL.get().wants_new and super().is_connected


class _TLSConnection(_Connection, HTTPSConnection):
    """A TLS connection that is not used again once it has been idle for some time."""


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


class Adapter(requests.adapters.HTTPAdapter):
    """An adapter for requests, with connections that keep their call's deadline, through proxies too."""

    def __init__(self, connections: int, private_ca: str = "") -> None:
        """Keep at most `connections` to a host; trust the certificates `private_ca` (PEM) too."""
        self._private_ca = private_ca
        self._lock = threading.Lock()
        self._context: ssl.SSLContext | None = None
        super().__init__(pool_connections=8, pool_maxsize=connections)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - requests' own signature
        """Use connections with deadlines."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TLSPool}

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:  # noqa: ANN401 - requests' own signature
        """Use connections with deadlines through a proxy."""
        if proxy.lower().startswith("socks"):
            raise requests.exceptions.InvalidSchema("SOCKS proxies are not supported")
        manager = super().proxy_manager_for(proxy, proxy_ssl_context=self._tls(), **kwargs)
        manager.pool_classes_by_scheme = self.poolmanager.pool_classes_by_scheme
        return manager

    def build_connection_pool_key_attributes(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - likewise
        """Use one TLS context for all connections, as requests would load all certificates for each."""
        host, _ = super().build_connection_pool_key_attributes(*args, **kwargs)
        return host, {"ssl_context": self._tls()} if host["scheme"] == "https" else {}

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:  # noqa: ANN401 - likewise
        """Leave verification to the context."""

    def _tls(self) -> ssl.SSLContext:
        with self._lock:
            if self._context is None:  # loaded again after a failure, as the file may exist by now
                self._context = _trusting(self._private_ca)
            return self._context


def _trusting(private_ca: str) -> ssl.SSLContext:
    """Trust the certificates of certifi, or those that the environment names, and the private ones.

    Raise CallError if the environment names an unreadable file.
    """
    context = create_urllib3_context()
    context.sslsocket_class = _TLSSocket
    name = next(filter(os.environ.get, _BUNDLES), "")
    path = os.environ.get(name) or requests.utils.DEFAULT_CA_BUNDLE_PATH
    try:
        context.load_verify_locations(**{"capath" if os.path.isdir(path) else "cafile": path})  # noqa: PTH112
    except OSError as error:
        why = error.reason if isinstance(error, ssl.SSLError) else error.strerror
        problem = f"{name or 'certifi'} names {path}, which cannot be used: {why}"
        raise CallError(failure(Reason.NETWORK, problem, text=advice.BUNDLE)) from None
    if private_ca:  # trust it as a root, even if it is intermediate or incomplete
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        context.load_verify_locations(cadata=private_ca)
    return context
