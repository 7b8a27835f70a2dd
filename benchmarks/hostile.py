"""Sends hostile requests to an exporter on loopback and counts its answers.

Run: python -m benchmarks.hostile 127.0.0.1:10950 10000
"""

import random
import socket
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final

Maker = Callable[[random.Random], bytes]
_WAIT_SECONDS: Final = 0.5
_CLIENTS: Final = 20
"""Requests at a time: every tenth one gets no answer before the time limit."""
_PATHS: Final = (
    *("/", "/metrics", "/style.css", "/-/healthy", "/-/ready", "/-/reload", "/nowhere", "*", "", "//metrics"),
    *("/../metrics", "/%2e%2e/%2e%2e/etc/passwd", "/metrics%00", "/%6detrics", "/metrics/", "/metrics;a=b"),
    *(
        "/\\..\\metrics",
        "/%",
        "/%zz",
        "/%ff%fe",
        "http://elsewhere/metrics",
        "http://elsewhere",
        "/\xff",
        "?",
    ),
    *("/?lang=%ED%A0%80", "/?lang=zh&lang=en", "/?page=-1", "/?page=99999999999999999999", "/?q=%00%0d%0a"),
    *(
        "/?q=<script>alert(1)</script>",
        "/?sort=__class__",
        "/?state=%F0%9F",
        "/#metrics",
        "/?" + "a=b&" * 2000,
    ),
)
_METHODS: Final = (
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "PATCH",
    "PRI",
    "get",
    "G\0T",
)
_HEADERS: Final = (
    *(
        "Content-Length: 5",
        "Content-Length: -1",
        "Content-Length: 5, 6",
        "Content-Length: 99999999999999999999",
    ),
    *(
        "Content-Length: 0x5",
        "Transfer-Encoding: chunked",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding : chunked",
    ),
    *(
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding:\tchunked",
        "Transfer-Encoding: gzip",
        "Expect: 100-continue",
    ),
    *(
        "Upgrade: websocket\r\nConnection: Upgrade",
        "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings",
        "Connection: close",
    ),
    *(
        "Host: b",
        "Host:",
        "Host: a\r\n b",
        "Authorization: Basic !!!",
        "Authorization: Basic YTpi",
        "Range: bytes=0-5",
    ),
    *(
        "Accept: application/openmetrics-text; q=nan",
        "Accept: ,,;;q=",
        "Accept-Encoding: gzip;q=1e9",
        "Accept-Language: *;q=-",
    ),
    *(
        "Accept: " + "text/plain," * 500,
        "Cookie: " + "a" * 9000,
        "X: \0",
        "X: \x01",
        "X\x80: y",
        ": empty",
        "no colon",
    ),
    *(
        "If-None-Match: *",
        "If-Modified-Since: never",
        "X-Forwarded-For: 127.0.0.1",
        "X-Original-URL: /-/reload",
    ),
)
_BODIES: Final = (
    b"",
    b"0\r\n\r\n",
    b"5\r\nhello\r\n0\r\n\r\n",
    b"FFFFFFFFFFFFFFFF\r\n",
    b"hello",
    b"-1\r\n",
    b"GET /x HTTP/1.1\r\n\r\n",
)


def request(chance: random.Random) -> bytes:
    """Return an approximate request: plausible pieces that rarely fit together."""
    ending = chance.choice(("\r\n", "\r\n", "\r\n", "\n", "\r"))
    version = chance.choice(
        ("HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/0.9", "HTTP/2.0", "HTTP/1.1 ", "")
    )
    lines = [f"{chance.choice(_METHODS)} {chance.choice(_PATHS)} {version}"]
    if chance.random() < 0.8:
        lines.append("Host: a")
    lines += chance.choices(_HEADERS, k=chance.randrange(5))
    head = ending.join([*lines, "", ""])
    return head.encode("latin-1", "replace") + chance.choice(_BODIES)


def pipeline(chance: random.Random) -> bytes:
    """Return many pipelined requests."""
    return b"".join(request(chance) for _ in range(chance.randrange(2, 60)))


def noise(chance: random.Random) -> bytes:
    """Return random bytes, or the beginning of another protocol."""
    hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
    return chance.choice((b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", hello, b"")) + chance.randbytes(
        chance.randrange(400)
    )


def mutated(chance: random.Random) -> bytes:
    """Return a good request with some bytes changed."""
    content = bytearray(
        b"GET /metrics HTTP/1.1\r\nHost: a\r\nAccept: text/plain\r\nAccept-Encoding: gzip\r\n\r\n"
    )
    for _ in range(chance.randrange(1, 5)):
        content[chance.randrange(len(content))] = chance.randrange(256)
    return bytes(content)


def huge(chance: random.Random) -> bytes:
    """Return a request with an excessive head or body."""
    size = chance.randrange(30_000, 400_000)
    return chance.choice(
        (
            b"GET /" + b"a" * size + b" HTTP/1.1\r\nHost: a\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * size,
            b"GET / HTTP/1.1\r\nHost: a\r\n" + b"a: b\r\n" * (size // 6),
            b"POST /-/reload HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % size + b"a" * size,
            b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1\r\na\r\n" * (size // 6),
        )
    )


_MAKERS: Final[Sequence[tuple[Maker, float]]] = (
    (request, 0.6),
    (pipeline, 0.1),
    (noise, 0.1),
    (mutated, 0.15),
    (huge, 0.05),
)


def attack(address: tuple[str, int], count: int, seed: int) -> Counter[int]:
    """Send `count` requests; return counts by HTTP status, 0 for a connection closed without one."""

    def client(number: int) -> Counter[int]:
        share = len(range(number, count, _CLIENTS))
        return _attack_in_turn(address, share, random.Random(f"{seed}/{number}"))

    with ThreadPoolExecutor(_CLIENTS) as clients:
        return sum(clients.map(client, range(_CLIENTS)), Counter())


def _attack_in_turn(address: tuple[str, int], count: int, chance: random.Random) -> Counter[int]:
    makers, weights = zip(*_MAKERS, strict=True)
    statuses: Counter[int] = Counter()
    for maker in chance.choices(makers, weights, k=count):
        statuses.update(_exchange(address, maker(chance)))
    return statuses


def _exchange(address: tuple[str, int], content: bytes) -> list[int]:
    answer = b""
    with socket.create_connection(address, timeout=_WAIT_SECONDS) as client, suppress(OSError):
        client.sendall(content)
        client.shutdown(socket.SHUT_WR)
        while chunk := client.recv(1 << 20):
            answer = (answer + chunk)[-(1 << 22) :]
    found = [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:] if part[:3].isdigit()]
    return found or [0]


def main(words: Sequence[str]) -> None:
    """Print the count of each status."""
    host, _, port = words[0].rpartition(":")
    for status, times in sorted(attack((host, int(port)), int(words[1]), seed=1).items()):
        print(status or "closed", times)


if __name__ == "__main__":
    main(sys.argv[1:])
