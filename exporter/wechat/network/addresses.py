"""Connects to hosts with several addresses, some of which may be black holes (RFC 8305)."""

import errno
import os
import selectors
import socket
from collections.abc import Callable, Sequence
from itertools import zip_longest
from typing import Any, Final

from urllib3.util.connection import allowed_gai_family

NEXT_ADDRESS_SECONDS: Final = 0.25  # section 5
_Selector: Final = getattr(selectors, "PollSelector", selectors.SelectSelector)  # epoll takes a descriptor
_Address = tuple[Any, ...]  # a result of getaddrinfo
_Option = tuple[Any, ...]


def connect(
    host: str,
    port: int,
    left: Callable[[], float],
    socket_type: type[socket.socket] = socket.socket,
    options: Sequence[_Option] = (),
) -> socket.socket:
    """Connect to the first of the host's addresses that answers.

    The next address is tried a moment later, or at once where one refuses. `left` returns the seconds left;
    it raises TimeoutError if there are none.

    Raises:
        OSError: the name is unknown, no address answers, or the time is over.
    """
    found = socket.getaddrinfo(host.strip("[]"), port, allowed_gai_family(), socket.SOCK_STREAM)
    waiting = alternating(found)
    pause = min(NEXT_ADDRESS_SECONDS, left() / (2 * len(waiting) or 1))
    failed = OSError(f"no address of {host}")
    with _Selector() as trying:
        try:
            while waiting or trying.get_map():
                if waiting:
                    try:
                        begun = _begin(waiting.pop(0), socket_type, options)
                    except OSError as error:
                        failed = error.with_traceback(None)  # breaks the cycle of exception and frame
                        continue
                    trying.register(begun, selectors.EVENT_WRITE, begun)
                for key, _ in trying.select(min(pause, left())):
                    sock: socket.socket = key.data
                    sock.settimeout(left())
                    trying.unregister(sock)
                    code = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
                    if code == 0:
                        return sock
                    sock.close()
                    failed = OSError(code, os.strerror(code))
            raise failed
        finally:
            for key in trying.get_map().values():
                key.data.close()


def _begin(address: _Address, socket_type: type[socket.socket], options: Sequence[_Option]) -> socket.socket:
    """Return a socket that has begun to connect."""
    family, kind, protocol, _, place = address
    sock = socket_type(family, kind, protocol)
    for option in options:
        sock.setsockopt(*option)
    sock.settimeout(0)
    code = sock.connect_ex(place)
    if code in (0, errno.EINPROGRESS, errno.EWOULDBLOCK):
        return sock
    sock.close()
    raise OSError(code, os.strerror(code))


def alternating(addresses: Sequence[_Address]) -> list[_Address]:
    """Order addresses so that their families take turns: a whole family may be a black hole."""
    families: dict[int, list[_Address]] = {}
    for address in addresses:
        families.setdefault(address[0], []).append(address)
    return [each for turn in zip_longest(*families.values()) for each in turn if each is not None]
