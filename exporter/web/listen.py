"""Sockets for `--web.listen-address`: host:port as in Prometheus; an empty host means all addresses."""

import contextlib
import socket


class ListenError(Exception):
    """An address cannot be used; the text says which and why."""


def parse_address(address: str) -> tuple[str, int]:
    """Split `host:port`, `:port` or `[::1]:port`; raise ListenError for another form."""
    host, colon, port = address.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not colon or not (port.isascii() and port.isdigit()) or int(port) > 65535:  # noqa: PLR2004
        raise ListenError(f"{address!r} is not an address: write host:port, :port or [::1]:port")
    if ":" in host and not bracketed:
        raise ListenError(f"{address!r}: write the IPv6 address in brackets, [::1]:{port}")
    return host[1:-1] if bracketed else host, int(port)


def listen(address: str, backlog: int = 1024) -> socket.socket:
    """Return a listening socket, for all addresses if the host is empty; raise ListenError."""
    host, port = parse_address(address)
    try:
        if not host and socket.has_dualstack_ipv6():
            with contextlib.suppress(OSError):  # IPv6 may be compiled in but disabled
                return socket.create_server(
                    ("::", port), family=socket.AF_INET6, backlog=backlog, dualstack_ipv6=True
                )
        family, _, _, _, place = socket.getaddrinfo(
            host or "0.0.0.0",  # noqa: S104 - what an empty host means
            port,
            type=socket.SOCK_STREAM,
            flags=socket.AI_PASSIVE,
        )[0]
        return socket.create_server(place, family=family, backlog=backlog)  # with its zone, [fe80::1%eth0]
    except (OSError, UnicodeError) as error:
        why = getattr(error, "strerror", None) or "no such host"
        raise ListenError(
            f"cannot listen on {address!r}: {why}; choose another with --web.listen-address"
        ) from error


def listening_on(address: str, listener: socket.socket) -> str:
    """Return the address as written, with the chosen port in place of 0."""
    host, _, _ = address.rpartition(":")
    return f"{host}:{listener.getsockname()[1]}"
