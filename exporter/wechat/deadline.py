"""Ends a call at its deadline, whatever the peer drips.

Socket timeouts bound one read, not a call: a peer that sends a byte now and then would hold it for
ever, in the TLS handshake and in the headers too. So one thread watches all calls under way and
shuts the socket of a late one down; the blocked connect or read returns at once. Only the look-up of
a host's name is the resolver's own affair and is bounded by its settings.
"""

import math
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Final

import requests.adapters
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError
from urllib3.util.connection import allowed_gai_family

LINGER_SECONDS: Final = 30.0  # how long the watching thread waits for the next call before it ends


class Call:
    """One call under way: when it must be over, and the socket it uses by now."""

    __slots__ = ("_keeps_socket", "_lock", "_socket", "deadline", "expired")

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.expired = False
        self._socket: socket.socket | None = None
        self._keeps_socket = False
        self._lock = threading.Lock()

    def use(self, sock: socket.socket) -> None:
        """Remember the socket.

        Raises:
            TimeoutError: the call has ended already.
        """
        with self._lock:
            if self.expired:
                raise TimeoutError
            self._let_go()
            self._socket = sock

    def take_over(self, sock: socket.socket) -> bool:
        """Whether the call goes on with a socket that its connection gives up, and will close it.

        A connection gives up when the response is known to be its last, before the body is read.
        """
        with self._lock:
            if self._socket is not sock:
                return False
            self._keeps_socket = True
            return True

    def expire(self) -> None:
        """End the call: connects, reads and writes under way return at once."""
        with self._lock:
            self.expired = True
            if self._socket is not None:
                with suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)

    def finish(self) -> None:
        """The socket may serve another call now; this one must not touch it any more."""
        with self._lock:
            self._let_go()

    def _let_go(self) -> None:
        if self._socket is not None and self._keeps_socket:
            self._socket.close()
        self._socket = None
        self._keeps_socket = False


class Watchdog:
    """Watches calls, one per thread at a time.

    Its thread is there while there are calls and `linger` seconds longer, so that a watchdog that
    nobody uses any more leaves nothing behind.
    """

    def __init__(self, linger: float = LINGER_SECONDS) -> None:
        self._linger = linger
        self._calls: dict[int, Call] = {}
        self._changed = threading.Condition()
        self._stopped = False
        self._wakes_at = math.inf
        self._thread: threading.Thread | None = None

    @contextmanager
    def call(self, seconds: float) -> Iterator[Call]:
        """A call of this thread that must be over in that many seconds."""
        call = Call(time.monotonic() + seconds)
        self._begin(call)
        try:
            yield call
        finally:
            with self._changed:
                del self._calls[threading.get_ident()]
            call.finish()

    def using(self, sock: socket.socket) -> None:
        """Told by connections: this thread's call talks through that socket.

        Raises:
            TimeoutError: the call has ended already.
        """
        call = self._calls.get(threading.get_ident())
        if call is not None:
            call.use(sock)

    def close(self, sock: socket.socket) -> None:
        """Close a connection's socket, at the end of this thread's call if that still uses it."""
        call = self._calls.get(threading.get_ident())
        if call is None or not call.take_over(sock):
            sock.close()

    def stop(self) -> None:
        """End all calls under way and all later ones."""
        with self._changed:
            self._stopped = True
            for call in self._calls.values():
                call.expire()
            self._changed.notify()

    def _begin(self, call: Call) -> None:
        with self._changed:
            self._calls[threading.get_ident()] = call
            if self._stopped:
                call.expire()
            elif self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="deadlines", daemon=True)
                self._thread.start()
            elif call.deadline < self._wakes_at:
                self._changed.notify()

    def _watch(self) -> None:
        with self._changed:
            while not self._stopped:
                now = time.monotonic()
                for call in self._calls.values():
                    if call.deadline <= now and not call.expired:
                        call.expire()
                self._wakes_at = min(
                    (call.deadline for call in self._calls.values() if not call.expired), default=math.inf
                )
                idle = self._wakes_at == math.inf
                woken = self._changed.wait(self._linger if idle else self._wakes_at - now)
                if idle and not woken and not self._calls:
                    break
            self._thread = None


class DeadlineAdapter(requests.adapters.HTTPAdapter):
    """requests' adapter whose connections tell the watchdog about their sockets."""

    def __init__(self, watchdog: Watchdog, connections: int) -> None:
        self._pools = _pool_classes(watchdog)
        super().__init__(pool_connections=8, pool_maxsize=connections)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - requests' own signature
        """Use the watched connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, proxy: str, **kwargs: Any) -> Any:  # noqa: ANN401 - requests' own signature
        """Use the watched connections through a proxy too."""
        if proxy.lower().startswith("socks"):
            raise requests.exceptions.InvalidSchema("SOCKS proxies are not supported")
        manager = super().proxy_manager_for(proxy, **kwargs)
        manager.pool_classes_by_scheme = self._pools
        return manager


class _Connection(HTTPConnection):
    """Reports a twin of its socket, as TLS takes the socket itself over."""

    watchdog: Watchdog
    _twin: socket.socket | None = None

    def _new_conn(self) -> socket.socket:
        options = self.socket_options or ()
        try:
            return _connect(self._dns_host, self.port, self.timeout, options, self._report)
        except OSError as error:  # urllib3 lets some bare ones pass, taking them for a late write's
            raise NewConnectionError(self, "not connected") from error

    def _report(self, sock: socket.socket) -> None:
        self._drop_twin()
        self._twin = sock.dup()
        self.watchdog.using(self._twin)

    def _drop_twin(self) -> None:
        if self._twin is not None:
            self.watchdog.close(self._twin)
            self._twin = None

    def _check(self) -> None:
        if self._twin is not None:
            self.watchdog.using(self._twin)

    def _tunnel(self) -> None:
        super()._tunnel()
        self._check()  # a proxy's answer that was cut by the deadline passes for a whole one

    def putrequest(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - http.client's own signature
        self._check()  # the connection may have been kept from an earlier call
        super().putrequest(*args, **kwargs)

    def close(self) -> None:
        try:
            super().close()
        finally:
            self._drop_twin()


class _TLSConnection(_Connection, HTTPSConnection):
    """The same with TLS."""


def _pool_classes(watched_by: Watchdog) -> dict[str, type[HTTPConnectionPool]]:
    """Pools of connections that report to that watchdog."""

    class Connection(_Connection):
        watchdog = watched_by

    class TLSConnection(_TLSConnection):
        watchdog = watched_by

    class Pool(HTTPConnectionPool):
        ConnectionCls = Connection

    class TLSPool(HTTPSConnectionPool):
        ConnectionCls = TLSConnection

    return {"http": Pool, "https": TLSPool}


def _connect(
    host: str,
    port: int,
    timeout: float | None,
    options: Sequence[tuple[Any, ...]],
    report: Callable[[socket.socket], None],
) -> socket.socket:
    """A socket to the first of the host's addresses that answers.

    urllib3's own shows its socket only once it is connected, and so gives each address the whole time.
    """
    failed: OSError | None = None
    addresses = socket.getaddrinfo(host.strip("[]"), port, allowed_gai_family(), socket.SOCK_STREAM)
    for family, kind, protocol, _, address in addresses:
        sock = socket.socket(family, kind, protocol)
        try:
            report(sock)
            for option in options:
                sock.setsockopt(*option)
            sock.settimeout(timeout)
            sock.connect(address)
            report(sock)  # again: the call may have ended when there was no connection yet to shut
        except OSError as error:
            sock.close()
            failed = error.with_traceback(None)  # it holds this frame, and the frame would hold it
        else:
            return sock
    raise failed or OSError(f"no address of {host}")
