"""Peers of connections: plain TCP servers on loopback, each with a manner of answering."""

import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Final, Self

_RESET_AT_CLOSE: Final = struct.pack("ii", 1, 0)
_CLOSE: Final = b"Connection: close\r\n"


class Talk:
    """One accepted connection: what has come, and what can be done with it."""

    def __init__(self, sock: socket.socket, ended: threading.Event, received: list[bytes]) -> None:
        self.socket = sock
        self.ended = ended
        self._received = received
        self._pending: list[bytes] = []

    def with_request(self, request: bytes) -> "Talk":
        """Return the connection as it was before a request was taken from it."""
        talk = Talk(self.socket, self.ended, self._received)
        talk._pending.append(request)
        return talk

    def request(self) -> bytes:
        """Return the next whole request; empty when the client has gone."""
        if self._pending:
            return self._pending.pop()
        text = b""
        while b"\r\n\r\n" not in text:
            more = self.socket.recv(65536)
            if not more:
                return b""
            text += more
        head, _, body = text.partition(b"\r\n\r\n")
        length = next(
            (int(line[15:]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
        )
        while len(body) < length:
            body += self.socket.recv(65536)
        whole_ = head + b"\r\n\r\n" + body
        self._received.append(whole_)
        return whole_

    def wait_for_end(self) -> None:
        """Wait until the client has gone."""
        while self.socket.recv(65536):
            pass

    def send_slowly(self, text: Iterable[bytes], seconds: float) -> None:
        """Send piece by piece, until the client has gone or the peer is stopped."""
        for piece in text:
            if self.ended.wait(seconds):
                return
            self.socket.sendall(piece)


Manner = Callable[[Talk], None]


class Peer:
    """A server that treats every connection in the same manner; a context manager."""

    def __init__(self, manner: Manner, tls: ssl.SSLContext | None = None) -> None:
        self.received: list[bytes] = []
        self.accepted = 0
        self._manner = manner
        self._tls = tls
        self._ended = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]

    @property
    def url(self) -> str:
        """Return its address."""
        return f"{'http' if self._tls is None else 'https'}://127.0.0.1:{self.port}"

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        self._listener.close()
        for sock in self._sockets:
            _shut(sock)
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            self._sockets.append(sock)
            thread = threading.Thread(target=self._serve, args=(sock,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, plain: socket.socket) -> None:
        sock = plain
        try:
            if self._tls is not None:
                sock = self._sockets[self._sockets.index(plain)] = self._tls.wrap_socket(
                    plain, server_side=True
                )
            self._manner(Talk(sock, self._ended, self.received))
        except OSError:  # the client has gone
            pass
        finally:
            sock.close()


def _shut(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:  # closed already
        return


def head(length: int | None, *lines: str, status: str = "200 OK") -> bytes:
    """Return a response's head; without a length the body goes on until the connection's end."""
    framing = [] if length is None else [f"Content-Length: {length}"]
    return "\r\n".join([f"HTTP/1.1 {status}", *framing, *lines, "", ""]).encode()


def whole(body: bytes, *lines: str, status: str = "200 OK") -> bytes:
    """Return a whole response."""
    return head(len(body), *lines, status=status) + body


def chunked(pieces: Iterable[bytes]) -> Iterable[bytes]:
    """Return the pieces as chunks of a chunked body, without the last one."""
    return (f"{len(piece):x}\r\n".encode() + piece + b"\r\n" for piece in pieces)


def bytewise(text: bytes) -> list[bytes]:
    """Return a text byte by byte."""
    return [bytes([byte]) for byte in text]


def says(text: bytes) -> Manner:
    """Return a manner that answers every request with a text and keeps the connection."""

    def manner(talk: Talk) -> None:
        while talk.request():
            talk.socket.sendall(text)

    return manner


def says_and_closes(text: bytes, closed: threading.Event | None = None) -> Manner:
    """Return a manner that answers one request and closes the connection; `closed` is set afterwards."""

    def manner(talk: Talk) -> None:
        if talk.request():
            talk.socket.sendall(text)
            talk.socket.shutdown(socket.SHUT_WR)
            if closed is not None:
                closed.set()
            talk.wait_for_end()

    return manner


def says_and_resets(text: bytes) -> Manner:
    """Return a manner that sends the beginning of an answer and resets the connection."""

    def manner(talk: Talk) -> None:
        if talk.request():
            talk.socket.sendall(text)
            talk.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)

    return manner


def drips(at_once: bytes, slowly: Iterable[bytes], seconds: float = 0.02) -> Manner:
    """Return a manner that answers a request with one part at once and the other piece by piece."""
    pieces = list(slowly)

    def manner(talk: Talk) -> None:
        while talk.request():
            talk.socket.sendall(at_once)
            talk.send_slowly(pieces, seconds)

    return manner


def drips_unasked(text: bytes, seconds: float = 0.02) -> Manner:
    """Return a manner that sends bytes at once without having been asked, as a broken TLS peer would."""

    def manner(talk: Talk) -> None:
        talk.send_slowly(bytewise(text), seconds)
        talk.wait_for_end()

    return manner


def hangs(talk: Talk) -> None:
    """Take everything, and send nothing."""
    talk.wait_for_end()


def resets(talk: Talk) -> None:
    """Reset the connection once it was asked."""
    talk.request()
    talk.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)


def json_body(value: object) -> bytes:
    """Return a JSON body."""
    return json.dumps(value, ensure_ascii=False).encode()


def says_in_turn(texts: Iterable[bytes]) -> Manner:
    """Return a manner that answers each request with the next text, whatever the connection."""
    left = iter(texts)

    def manner(talk: Talk) -> None:
        while talk.request():
            talk.socket.sendall(next(left))

    return manner
