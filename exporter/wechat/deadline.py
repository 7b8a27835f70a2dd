"""Ends a call at its deadline, whatever the peer drips.

Socket timeouts bound one read, not a call: a peer that sends a byte now and then would hold it for
ever, in the TLS handshake and in the headers too. So one thread watches all calls under way and
shuts the socket of a late one down; the blocked read returns at once.
"""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final

import requests.adapters
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

_TICK_SECONDS: Final = 0.1


class Call:
    """One call under way: when it must be over, and the socket it uses by now."""

    __slots__ = ("_lock", "_socket", "deadline", "expired")

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline
        self.expired = False
        self._socket: socket.socket | None = None
        self._lock = threading.Lock()

    def use(self, connected: socket.socket) -> None:
        """Remember the socket; a call that is already late ends here."""
        with self._lock:
            self._socket = connected
            if self.expired:
                self._shut()

    def expire(self) -> None:
        """End the call: reads and writes under way return at once."""
        with self._lock:
            self.expired = True
            self._shut()

    def finish(self) -> None:
        """The socket may serve another call now; this one must not touch it any more."""
        with self._lock:
            self._socket = None

    def _shut(self) -> None:
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)


class Watchdog:
    """Watches calls, one per thread at a time."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._calls: dict[int, Call] = {}
        self._busy = threading.Condition()
        self._stopped = False
        self._thread = threading.Thread(target=self._watch, name="deadlines", daemon=True)
        self._thread.start()

    @contextmanager
    def call(self, seconds: float) -> Iterator[Call]:
        """A call of this thread that must be over in that many seconds."""
        call = Call(self._clock() + seconds)
        if self._stopped:
            call.expire()
        self._calls[threading.get_ident()] = call
        if len(self._calls) == 1:
            with self._busy:
                self._busy.notify()
        try:
            yield call
        finally:
            call.finish()
            del self._calls[threading.get_ident()]

    def connected(self, sock: socket.socket) -> None:
        """Told by connections: this thread's call talks through that socket."""
        call = self._calls.get(threading.get_ident())
        if call is not None:
            call.use(sock)

    def stop(self) -> None:
        """End all calls under way and all later ones."""
        self._stopped = True
        for call in list(self._calls.values()):
            call.expire()
        with self._busy:
            self._busy.notify()

    def _watch(self) -> None:
        while not self._stopped:
            with self._busy:
                self._busy.wait_for(lambda: self._calls or self._stopped)
            now = self._clock()
            for call in list(self._calls.values()):
                if call.deadline <= now:
                    call.expire()
            time.sleep(_TICK_SECONDS)


class DeadlineAdapter(requests.adapters.HTTPAdapter):
    """requests' adapter whose connections tell the watchdog about their sockets."""

    def __init__(self, watchdog: Watchdog, connections: int) -> None:
        self._pools = _pool_classes(watchdog)
        super().__init__(pool_connections=8, pool_maxsize=connections)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - requests' own signature
        """Use the watched connections."""
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - requests' own signature
        """Use the watched connections through a proxy too."""
        manager = super().proxy_manager_for(*args, **kwargs)
        manager.pool_classes_by_scheme = self._pools
        return manager


def _pool_classes(watchdog: Watchdog) -> dict[str, type[HTTPConnectionPool]]:
    class Watched:
        """Mixed into a connection: reports a twin of its socket, as TLS takes the socket itself over."""

        _twin: socket.socket | None = None

        def _new_conn(self) -> socket.socket:
            connected: socket.socket = super()._new_conn()  # type: ignore[misc]
            self._twin = connected.dup()
            watchdog.connected(self._twin)
            return connected

        def putrequest(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - http.client's own signature
            if self._twin is not None:
                watchdog.connected(self._twin)
            super().putrequest(*args, **kwargs)  # type: ignore[misc]

        def close(self) -> None:
            super().close()  # type: ignore[misc]
            if self._twin is not None:
                self._twin.close()
                self._twin = None

    class Connection(Watched, HTTPConnection):
        pass

    class TLSConnection(Watched, HTTPSConnection):
        pass

    class Pool(HTTPConnectionPool):
        ConnectionCls = Connection

    class TLSPool(HTTPSConnectionPool):
        ConnectionCls = TLSConnection

    return {"http": Pool, "https": TLSPool}
