import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from exporter.wechat.errors import Action, CallError, Failure, Reason
from exporter.wechat.line import Line
from exporter.wechat.transport import Answer
from tests.wechat.conftest import Certificate
from tests.wechat.lines import open_files, opened
from tests.wechat.peers import (
    Manner,
    Peer,
    Talk,
    bytewise,
    chunked,
    drips,
    drips_unasked,
    hangs,
    head,
    resets,
    says,
    whole,
)

LIMIT = 0.2
LATE = 1.0  # seconds that a busy machine may need more; the peers here drip for four
OK = whole(b'{"list":[]}')
CHUNKED = "Transfer-Encoding: chunked"
SPACES = [b" "] * 200


def timed(call: Callable[[], object]) -> tuple[Failure | object, float]:
    start = time.monotonic()
    try:
        outcome = call()
    except CallError as error:
        outcome = error.failure
    return outcome, time.monotonic() - start


def assert_ends_at_the_limit(line: Line, url: str, limit: float = LIMIT) -> None:
    problem, seconds = timed(lambda: line.transport.send("POST", f"{url}/path", body={}))
    assert isinstance(problem, Failure)
    assert (problem.reason, problem.action) == (Reason.TIMEOUT, Action.RETRY)
    assert problem.detail.endswith(f": no whole answer within {limit:g} s")
    assert limit - 0.01 <= seconds <= limit + LATE


@pytest.mark.parametrize(
    "manner",
    [
        pytest.param(hangs, id="hang"),
        pytest.param(drips(b"", bytewise(head(2, f"X-Long: {'x' * 200}"))), id="dripping head"),
        pytest.param(drips(b"", [b"HTTP/1.1 100 Continue\r\n\r\n"] * 200), id="endless 100 Continue"),
        pytest.param(drips(head(500), SPACES), id="dripping body of a told length"),
        pytest.param(drips(head(None, CHUNKED), chunked(SPACES)), id="dripping chunks"),
        pytest.param(drips(head(None, CHUNKED), bytewise(b"2;" + b"x" * 300)), id="dripping chunk's head"),
        pytest.param(
            drips(head(None, CHUNKED) + b"2\r\n{}\r\n0\r\n", bytewise(b"X: 1\r\n" * 50)),
            id="dripping trailer",
        ),
        pytest.param(drips(head(None), SPACES), id="dripping body until the connection's end"),
        pytest.param(
            drips(head(None, "Content-Encoding: gzip"), bytewise(b"\x1f\x8b\x08" + b"\0" * 300)),
            id="dripping gzip",
        ),
    ],
)
def test_a_call_ends_at_its_limit_whatever_the_peer_drips(manner: Manner) -> None:
    with Peer(manner) as peer, opened(peer.url, LIMIT) as line:
        assert_ends_at_the_limit(line, peer.url)


@pytest.mark.parametrize(
    "manner",
    [
        pytest.param(hangs, id="hang"),
        pytest.param(drips_unasked(b"\x16\x03\x03\x40\x00" + b"\x02" * 300), id="drip"),
    ],
)
def test_a_tls_handshake_that_does_not_end_does_not_hold_the_call(manner: Manner) -> None:
    with Peer(manner) as peer, opened(peer.url, LIMIT) as line:
        assert_ends_at_the_limit(line, peer.url.replace("http:", "https:"))


def test_a_body_that_drips_through_tls_ends_at_the_limit(
    certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate.path))
    with Peer(drips(head(500), SPACES), certificate.server) as peer, opened(peer.url, LIMIT) as line:
        assert_ends_at_the_limit(line, peer.url)


def test_a_proxy_that_drips_ends_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    with Peer(drips(b"HTTP/1.1 200 OK\r\n", bytewise(b"X: 1\r\n" * 50))) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        with opened("https://wechat.invalid", LIMIT) as line:
            assert_ends_at_the_limit(line, "https://wechat.invalid")


@contextmanager
def nobody_accepts() -> Iterator[tuple[str, int]]:
    """An address whose queue is full: Linux lets the next connects wait."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        address: tuple[str, int] = listener.getsockname()
        waiting = [socket.socket() for _ in range(4)]
        for sock in waiting:
            sock.settimeout(0)
            sock.connect_ex(address)
        try:
            yield address
        finally:
            for sock in waiting:
                sock.close()


def test_a_connect_that_does_not_come_about_ends_at_the_limit() -> None:
    with nobody_accepts() as (host, port), opened(f"http://{host}:{port}", LIMIT) as line:
        problem, seconds = timed(lambda: line.transport.send("GET", f"http://{host}:{port}"))
        assert isinstance(problem, Failure)
        assert problem.reason is Reason.TIMEOUT
        assert seconds <= LIMIT + LATE


def resolved(monkeypatch: pytest.MonkeyPatch, *addresses: tuple[str, int]) -> None:
    """`wechat.invalid` has those addresses."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in addresses]

    def getaddrinfo(*_: object, **__: object) -> list[Any]:
        return found

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


def test_many_addresses_do_not_make_a_call_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    with nobody_accepts() as address, opened("http://wechat.invalid", LIMIT) as line:
        resolved(monkeypatch, *[address] * 20)
        assert_ends_at_the_limit(line, "http://wechat.invalid")


def test_the_next_address_is_tried_where_one_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    with Peer(says(OK)) as gone:
        pass
    with Peer(says(OK)) as peer, opened("http://wechat.invalid") as line:
        resolved(monkeypatch, ("127.0.0.1", gone.port), ("127.0.0.1", peer.port))
        assert line.transport.send("GET", "http://wechat.invalid").status == 200


def test_a_name_without_an_address_is_a_network_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    with opened("http://wechat.invalid") as line:
        resolved(monkeypatch)
        problem, _ = timed(lambda: line.transport.send("GET", "http://wechat.invalid"))
    assert isinstance(problem, Failure)
    assert problem.reason is Reason.NETWORK


# What is left of a late call


def first_connection(first: Manner, later: Manner) -> Manner:
    """One manner for the first connection, another for all later ones."""
    manners = [first]

    def manner(talk: Talk) -> None:
        chosen = manners.pop() if manners else later
        chosen(talk)

    return manner


@pytest.mark.parametrize("first", [hangs, drips(head(500), SPACES)], ids=["hang", "drip"])
def test_the_connection_of_a_late_call_is_not_used_again_and_the_next_call_works(first: Manner) -> None:
    with Peer(first_connection(first, says(OK))) as peer, opened(peer.url, LIMIT) as line:
        assert_ends_at_the_limit(line, peer.url)
        for _ in range(2):
            assert line.transport.send("GET", peer.url) == Answer(200, b'{"list":[]}')
        assert peer.accepted == 2


def test_a_kept_connection_outlives_the_deadline_of_the_call_that_opened_it() -> None:
    with Peer(says(OK)) as peer, opened(peer.url, 0.1) as line:
        line.transport.send("GET", peer.url)
        with opened(peer.url, 0.2) as other, Peer(hangs) as hanging:  # time that is waited for in a call
            timed(lambda: other.transport.send("GET", hanging.url))
        assert line.transport.send("GET", peer.url).status == 200
        assert peer.accepted == 1


def test_a_deadline_holds_on_a_kept_connection_too() -> None:
    def manner(talk: Talk) -> None:
        talk.request()
        talk.socket.sendall(OK)
        drips(head(500), SPACES)(talk)

    with Peer(manner) as peer, opened(peer.url, LIMIT) as line:
        line.transport.send("GET", peer.url)
        assert_ends_at_the_limit(line, peer.url)
        assert peer.accepted == 1


def test_calls_of_many_threads_all_end_at_the_limit_and_others_are_left_alone() -> None:
    start = threading.Barrier(17)
    with Peer(hangs) as hanging, Peer(says(OK)) as peer, opened(peer.url, 0.8) as line:

        def late(_: int) -> None:
            start.wait()
            assert_ends_at_the_limit(line, hanging.url, 0.8)

        def quick() -> int:
            start.wait()
            return sum(line.transport.send("GET", peer.url).status for _ in range(20))

        with ThreadPoolExecutor(17) as threads:
            good = threads.submit(quick)
            list(threads.map(late, range(16)))
            assert good.result() == 4000
        assert peer.accepted == 1


# Stopping


def asked(peer: Peer) -> None:
    """Until somebody has connected."""
    while not peer.accepted:
        time.sleep(0.005)


def test_stopping_ends_the_calls_under_way_at_once_and_later_ones_too() -> None:
    with Peer(hangs) as peer, opened(peer.url) as line, ThreadPoolExecutor(4) as threads:
        late = [threads.submit(timed, lambda: line.transport.send("GET", peer.url)) for _ in range(4)]
        asked(peer)
        line.transport.stop()
        for each in late:
            problem, seconds = each.result()
            assert isinstance(problem, Failure)
            assert seconds < 1
        accepted = peer.accepted
        problem, seconds = timed(lambda: line.transport.send("GET", peer.url))
        assert isinstance(problem, Failure)
        assert problem.detail == "127.0.0.1: not asked, the exporter stops"
        assert seconds < 0.1
        assert peer.accepted == accepted


def test_stopping_ends_a_connect_under_way() -> None:
    with nobody_accepts() as (host, port), opened(f"http://{host}:{port}") as line:
        with ThreadPoolExecutor(1) as threads:
            late = threads.submit(timed, lambda: line.transport.send("GET", f"http://{host}:{port}"))
            time.sleep(0.05)
            line.transport.stop()
            problem, seconds = late.result()
        assert isinstance(problem, Failure)
        assert seconds < 1


def test_stopping_again_does_nothing() -> None:
    with opened("http://127.0.0.1:1") as line:
        line.transport.stop()
        line.transport.stop()


# Nothing is left behind


@pytest.mark.parametrize(
    "manner",
    [
        pytest.param(says(OK), id="good"),
        pytest.param(resets, id="reset"),
        pytest.param(hangs, id="hang"),
        pytest.param(says(whole(b" " * 2_000_000)), id="too long"),
        pytest.param(says(b"no HTTP\r\n\r\n"), id="no HTTP"),
    ],
)
def test_no_file_and_no_thread_is_left_after_many_calls(manner: Manner) -> None:
    files, threads = open_files(), threading.active_count()
    with Peer(manner) as peer, opened(peer.url, 0.02) as line:
        for _ in range(10):
            timed(lambda: line.transport.send("GET", peer.url))
        assert open_files() <= files + 1 + 2 * 11  # the listener, and both ends
    assert open_files() == files
    assert threading.active_count() == threads


def test_calls_to_nowhere_leave_nothing_open() -> None:
    with Peer(says(OK)) as peer:
        pass
    files = open_files()
    with opened(peer.url) as line:
        for _ in range(20):
            timed(lambda: line.transport.send("GET", peer.url))
        assert open_files() == files
