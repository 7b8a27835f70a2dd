import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import Any

import pytest

from exporter.wechat.client import Client
from exporter.wechat.endpoints import ACCESS_TOKEN
from exporter.wechat.failures.failure import Action, Failure, Reason
from exporter.wechat.network import connections, transport
from exporter.wechat.network.transport import Answer
from tests.wechat.conftest import Certificate
from tests.wechat.lines import GENEROUS, Clock, failure_of, open_files, opened, outcome
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
    says_and_resets,
    whole,
)

LIMIT = 0.2
ENOUGH = 0.8  # also for a call that is answered at once, on a busy machine
LATE = 3.0  # seconds that a busy machine may need more; the peers here drip for four
OK = whole(b'{"list":[]}')
CHUNKED = "Transfer-Encoding: chunked"
SPACES = [b" "] * 200


def assert_ends_at_the_limit(client: Client, url: str, limit: float = LIMIT) -> None:
    start = time.monotonic()
    problem = failure_of(lambda: client.transport.send("POST", f"{url}/path", body={}))
    assert limit - 0.01 <= time.monotonic() - start <= limit + LATE
    assert (problem.reason, problem.action) == (Reason.TIMEOUT, Action.RETRY)
    assert problem.detail.endswith(f": no whole answer within {limit:g} s")


DRIPS: dict[str, Manner] = {
    "hang": hangs,
    "dripping head": drips(b"", bytewise(head(2, f"X-Long: {'x' * 200}"))),
    "endless 100 Continue": drips(b"", [b"HTTP/1.1 100 Continue\r\n\r\n"] * 200),
    "dripping body of a known length": drips(head(500), SPACES),
    "dripping chunks": drips(head(None, CHUNKED), chunked(SPACES)),
    "dripping chunk's head": drips(head(None, CHUNKED), bytewise(b"2;" + b"x" * 300)),
    "dripping trailer": drips(head(None, CHUNKED) + b"2\r\n{}\r\n0\r\n", bytewise(b"X: 1\r\n" * 50)),
    "dripping body until the connection's end": drips(head(None), SPACES),
    "dripping gzip": drips(head(None, "Content-Encoding: gzip"), bytewise(b"\x1f\x8b\x08" + b"\0" * 300)),
    "https: hanging handshake": hangs,
    "https: dripping handshake": drips_unasked(b"\x16\x03\x03\x40\x00" + b"\x02" * 300),
}


@pytest.mark.parametrize("name", DRIPS)
def test_a_call_ends_at_its_limit_whatever_the_peer_drips(name: str) -> None:
    with Peer(DRIPS[name]) as peer, opened(peer.url, LIMIT) as client:
        url = peer.url.replace("http:", "https:") if name.startswith("https:") else peer.url
        assert_ends_at_the_limit(client, url)


def test_a_body_that_drips_through_tls_or_a_proxy_ends_at_the_limit(
    certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate.path))
    with (
        Peer(drips(head(500), SPACES), certificate.server) as peer,
        Peer(drips(b"HTTP/1.1 200 OK\r\n", bytewise(b"X: 1\r\n" * 50))) as proxy,
        opened(peer.url, LIMIT) as client,
    ):
        monkeypatch.setenv("https_proxy", proxy.url)
        assert_ends_at_the_limit(client, peer.url)
        assert_ends_at_the_limit(client, "https://wechat.invalid")


# What is left of a late call


def first_connection(first: Manner, later: Manner) -> Manner:
    """Return one manner for the first connection, another for all later ones."""
    manners = [first]

    def manner(talk: Talk) -> None:
        chosen = manners.pop() if manners else later
        chosen(talk)

    return manner


@pytest.mark.parametrize("first", [hangs, drips(head(500), SPACES)], ids=["hang", "drip"])
def test_the_connection_of_a_late_call_is_not_used_again_and_the_next_call_works(first: Manner) -> None:
    with Peer(first_connection(first, says(OK))) as peer, opened(peer.url, ENOUGH) as client:
        assert_ends_at_the_limit(client, peer.url, ENOUGH)
        for _ in range(2):
            assert client.transport.send("GET", peer.url) == Answer(200, b'{"list":[]}')
        assert peer.accepted == 2


def test_a_deadline_holds_on_a_kept_connection_too() -> None:
    def manner(talk: Talk) -> None:
        talk.request()
        talk.socket.sendall(OK)
        drips(head(500), SPACES)(talk)

    with Peer(manner) as peer, opened(peer.url, ENOUGH) as client:
        client.transport.send("GET", peer.url)
        assert_ends_at_the_limit(client, peer.url, ENOUGH)
        assert peer.accepted == 1


def test_a_call_has_its_deadline_also_where_no_thread_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Timer) -> None:
        raise RuntimeError("can't start new thread")

    with Peer(hangs) as hanging, Peer(says(OK)) as peer, opened(peer.url, ENOUGH) as client:
        monkeypatch.setattr(threading.Timer, "start", refuse)
        assert_ends_at_the_limit(client, hanging.url, ENOUGH)
        assert client.transport.send("GET", peer.url).status == 200


# Connections that something between forgets


def relay(forgets_after: float, then: Manner, clock: Clock) -> Manner:
    """Return a manner that answers quick requests, and treats later ones by `then`, as a NAT does."""

    def manner(talk: Talk) -> None:
        begun = clock.now
        while request := talk.request():
            if clock.now - begun > forgets_after:
                then(talk.with_request(request))
                return
            talk.socket.sendall(OK)
            begun = clock.now

    return manner


@pytest.mark.parametrize("then", [resets, hangs], ids=["reset", "silence"])
@pytest.mark.parametrize("forgets_after", [2, 6])
def test_a_connection_that_may_have_been_forgotten_is_not_used_again(
    forgets_after: float, then: Manner, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "time", SimpleNamespace(monotonic=clock))
    with Peer(relay(forgets_after, then, clock)) as peer, opened(peer.url) as client:
        for rounds in range(1, 4):
            for _ in range(5):
                assert client.transport.send("GET", peer.url) == Answer(200, b'{"list":[]}')
            assert peer.accepted == rounds
            clock.now += forgets_after * 1.1


def resets_when_asked_again(talk: Talk) -> None:
    """Answer once and resets the connection at the next request."""
    talk.request()
    talk.socket.sendall(OK)
    resets(talk)


def test_a_kept_connection_that_fails_before_an_answer_is_replaced_at_once() -> None:
    with Peer(resets_when_asked_again) as peer, opened(peer.url) as client, ThreadPoolExecutor(4) as threads:
        for _ in range(5):
            answers = threads.map(lambda _: client.transport.send("GET", peer.url), range(4))
            assert {answer.status for answer in answers} == {200}


@pytest.mark.parametrize(
    ("calls", "last"),
    [
        (2, says_and_resets(b"HTTP/1.1 200 OK\r\n")),
        (2, says_and_resets(head(500) + b"{")),
        (1, resets),
    ],
    ids=["in its head", "in its body", "on a connection of its own"],
)
def test_a_call_is_made_once_where_an_answer_has_begun(calls: int, last: Manner) -> None:
    def manner(talk: Talk) -> None:
        for _ in range(calls - 1):
            talk.request()
            talk.socket.sendall(OK)
        last(talk)

    with Peer(manner) as peer, opened(peer.url) as client:
        outcomes = [outcome(lambda: client.transport.send("GET", peer.url)) for _ in range(calls)]
        assert isinstance(outcomes[-1], Failure)
        assert len(peer.received) == calls


def test_a_classic_token_is_never_asked_for_on_a_kept_connection() -> None:
    with Peer(resets_when_asked_again) as peer, opened(peer.url) as client:
        client.transport.send("GET", peer.url)
        client.ask(ACCESS_TOKEN, dict, secrets=[])
        assert (peer.accepted, len(peer.received)) == (2, 2)


# Calls take turns in computing, not in waiting


def asked(peer: Peer) -> None:
    """Wait until somebody has connected."""
    while not peer.accepted:
        time.sleep(0.005)


@pytest.mark.parametrize(
    ("waits", "scheme"),
    [(hangs, "http:"), (drips(head(500), SPACES), "http:"), (hangs, "https:")],
    ids=["for an answer", "for the rest of one", "for a handshake"],
)
def test_a_call_that_waits_for_its_peer_holds_up_no_other(waits: Manner, scheme: str) -> None:
    with (
        Peer(waits) as slow,
        Peer(says(OK)) as quick,
        opened(quick.url) as client,
        ThreadPoolExecutor(1) as threads,
    ):
        url = slow.url.replace("http:", scheme)
        late = threads.submit(outcome, lambda: client.transport.send("GET", url))
        asked(slow)
        assert client.transport.send("GET", quick.url).status == 200
        assert not late.done()
        client.transport.stop()


def test_a_call_that_waits_for_a_name_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, found, look_up = threading.Event(), threading.Event(), socket.getaddrinfo

    def slow(host: str, *rest: Any) -> Any:
        if host == "wechat.invalid":
            begun.set()
            assert found.wait(GENEROUS)
            raise socket.gaierror
        return look_up(host, *rest)

    monkeypatch.setattr(socket, "getaddrinfo", slow)
    with Peer(says(OK)) as peer, opened(peer.url) as client, ThreadPoolExecutor(1) as threads:
        late = threads.submit(failure_of, lambda: client.transport.send("GET", "http://wechat.invalid"))
        assert begun.wait(GENEROUS)
        assert client.transport.send("GET", peer.url).status == 200
        found.set()
        late.result()


def test_stopping_ends_the_calls_under_way_at_once_and_later_ones_too() -> None:
    def failed() -> Failure:
        return failure_of(lambda: client.transport.send("GET", peer.url))

    with Peer(hangs) as peer, opened(peer.url, 60) as client, ThreadPoolExecutor(4) as threads:
        late = [threads.submit(failed) for _ in range(4)]
        asked(peer)
        client.transport.stop()
        client.transport.stop()  # again does nothing
        for each in late:
            each.result(30)
        accepted = peer.accepted
        assert failed().detail == "127.0.0.1: not asked, the exporter stops"
        assert peer.accepted == accepted


# Nothing is left behind


@pytest.mark.parametrize(
    "manner",
    [says(OK), resets, hangs, says(whole(b" " * 2_000_000)), says(b"no HTTP\r\n\r\n")],
    ids=["good", "reset", "hang", "too long", "no HTTP"],
)
def test_no_file_and_no_thread_is_left_after_many_calls(manner: Manner) -> None:
    files, threads = open_files(), threading.active_count()
    with Peer(manner) as peer, opened(peer.url, 0.02) as client:
        for _ in range(10):
            outcome(lambda: client.transport.send("GET", peer.url))
        assert open_files() <= files + 1 + 2 * 11  # the listener, and both ends
    assert (open_files(), threading.active_count()) == (files, threads)


def test_a_connection_takes_one_descriptor(certificate: Certificate) -> None:
    files = open_files()
    with (
        Peer(hangs, certificate.server) as peer,
        ThreadPoolExecutor(8) as threads,
        opened(peer.url, private_ca=certificate.path.read_text()) as client,
    ):
        for _ in range(8):
            threads.submit(outcome, lambda: client.transport.send("GET", peer.url))
        while peer.accepted < 8:
            time.sleep(0.005)
        assert open_files() == files + 1 + 8 + 8  # the listener, their ends, ours


def test_no_connection_is_kept_once_there_are_no_more_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "KEEP_SECONDS", 0.05)
    files = open_files()
    with Peer(says(OK)) as peer, opened(peer.url) as client:
        for _ in range(2):
            client.transport.send("GET", peer.url)
            end = time.monotonic() + 5
            while open_files() > files + 1 and time.monotonic() < end:
                time.sleep(0.01)
            assert open_files() == files + 1  # the listener
