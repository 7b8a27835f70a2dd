import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from exporter.wechat.client import Client
from exporter.wechat.endpoints import ACCESS_TOKEN
from exporter.wechat.failures.failure import Action, CallError, Failure, Reason
from exporter.wechat.network import connections, transport
from exporter.wechat.network.transport import Answer
from tests.wechat.conftest import Certificate
from tests.wechat.lines import GENEROUS, open_files, opened
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


def assert_ends_at_the_limit(client: Client, url: str, limit: float = LIMIT) -> None:
    problem, seconds = timed(lambda: client.transport.send("POST", f"{url}/path", body={}))
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
    with Peer(manner) as peer, opened(peer.url, LIMIT) as client:
        assert_ends_at_the_limit(client, peer.url)


@pytest.mark.parametrize(
    "manner",
    [
        pytest.param(hangs, id="hang"),
        pytest.param(drips_unasked(b"\x16\x03\x03\x40\x00" + b"\x02" * 300), id="drip"),
    ],
)
def test_a_tls_handshake_that_does_not_end_does_not_hold_the_call(manner: Manner) -> None:
    with Peer(manner) as peer, opened(peer.url, LIMIT) as client:
        assert_ends_at_the_limit(client, peer.url.replace("http:", "https:"))


def test_a_body_that_drips_through_tls_ends_at_the_limit(
    certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate.path))
    with Peer(drips(head(500), SPACES), certificate.server) as peer, opened(peer.url, LIMIT) as client:
        assert_ends_at_the_limit(client, peer.url)


def test_a_proxy_that_drips_ends_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    with Peer(drips(b"HTTP/1.1 200 OK\r\n", bytewise(b"X: 1\r\n" * 50))) as proxy:
        monkeypatch.setenv("https_proxy", proxy.url)
        with opened("https://wechat.invalid", LIMIT) as client:
            assert_ends_at_the_limit(client, "https://wechat.invalid")


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
    with Peer(first_connection(first, says(OK))) as peer, opened(peer.url, LIMIT) as client:
        assert_ends_at_the_limit(client, peer.url)
        for _ in range(2):
            assert client.transport.send("GET", peer.url) == Answer(200, b'{"list":[]}')
        assert peer.accepted == 2


def test_a_deadline_holds_on_a_kept_connection_too() -> None:
    def manner(talk: Talk) -> None:
        talk.request()
        talk.socket.sendall(OK)
        drips(head(500), SPACES)(talk)

    with Peer(manner) as peer, opened(peer.url, LIMIT) as client:
        client.transport.send("GET", peer.url)
        assert_ends_at_the_limit(client, peer.url)
        assert peer.accepted == 1


def test_a_call_has_its_deadline_also_where_no_thread_can_be_started(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: threading.Timer) -> None:
        raise RuntimeError("can't start new thread")

    with Peer(hangs) as hanging, Peer(says(OK)) as peer, opened(peer.url, LIMIT) as client:
        monkeypatch.setattr(threading.Timer, "start", refuse)
        assert_ends_at_the_limit(client, hanging.url)
        assert client.transport.send("GET", peer.url).status == 200


# Connections that something between forgets


def relay(forgets_after: float, then: Manner) -> Manner:
    """Answers what comes soon after what was before; what comes later is treated so, as a NAT does."""

    def manner(talk: Talk) -> None:
        begun = time.monotonic()
        while request := talk.request():
            if time.monotonic() - begun > forgets_after:
                then(talk.with_request(request))
                return
            talk.socket.sendall(OK)
            begun = time.monotonic()

    return manner


@pytest.mark.parametrize("then", [resets, hangs], ids=["reset", "silence"])
@pytest.mark.parametrize("forgets_after", [2, 6])
def test_a_connection_that_may_have_been_forgotten_is_not_used_again(
    forgets_after: float, then: Manner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In twentieths of the time."""
    monkeypatch.setattr(connections, "IDLE_SECONDS", connections.IDLE_SECONDS / 20)
    forgets_after /= 20
    with Peer(relay(forgets_after, then)) as peer, opened(peer.url) as client:
        for rounds in range(1, 4):
            for _ in range(5):
                answer, seconds = timed(lambda: client.transport.send("GET", peer.url))
                assert answer == Answer(200, b'{"list":[]}')
                assert seconds < LATE
            assert peer.accepted == rounds
            time.sleep(forgets_after * 1.1)


def resets_when_asked_again(talk: Talk) -> None:
    """Answers once and resets the connection at the next request."""
    talk.request()
    talk.socket.sendall(OK)
    resets(talk)


def test_a_kept_connection_that_fails_before_an_answer_is_replaced_at_once() -> None:
    with Peer(resets_when_asked_again) as peer, opened(peer.url) as client, ThreadPoolExecutor(4) as threads:
        for _ in range(5):
            answers = threads.map(lambda _: client.transport.send("GET", peer.url), range(4))
            assert {answer.status for answer in answers} == {200}


@pytest.mark.parametrize(
    "second", [b"HTTP/1.1 200 OK\r\n", head(500) + b"{"], ids=["in its head", "in its body"]
)
def test_a_call_is_made_once_where_an_answer_has_begun(second: bytes) -> None:
    def manner(talk: Talk) -> None:
        talk.request()
        talk.socket.sendall(OK)
        says_and_resets(second)(talk)

    with Peer(manner) as peer, opened(peer.url) as client:
        client.transport.send("GET", peer.url)
        problem, _ = timed(lambda: client.transport.send("GET", peer.url))
        assert isinstance(problem, Failure)
        assert len(peer.received) == 2


def test_a_call_on_a_connection_of_its_own_is_made_once() -> None:
    with Peer(resets) as peer, opened(peer.url) as client:
        timed(lambda: client.transport.send("GET", peer.url))
        assert len(peer.received) == 1


def test_what_must_not_be_repeated_has_a_connection_of_its_own() -> None:
    with Peer(resets_when_asked_again) as peer, opened(peer.url) as client:
        client.transport.send("GET", peer.url)
        assert client.transport.send("GET", peer.url, repeatable=False).status == 200
        assert (peer.accepted, len(peer.received)) == (2, 2)


def test_a_classic_token_is_never_asked_for_on_a_kept_connection() -> None:
    with Peer(resets_when_asked_again) as peer, opened(peer.url) as client:
        client.transport.send("GET", peer.url)
        client.ask(ACCESS_TOKEN, dict, secrets=[])
        assert (peer.accepted, len(peer.received)) == (2, 2)


# Stopping


def asked(peer: Peer) -> None:
    """Until somebody has connected."""
    while not peer.accepted:
        time.sleep(0.005)


# Calls take turns in computing, not in waiting


@pytest.mark.parametrize(
    "waits",
    [
        pytest.param(hangs, id="for an answer"),
        pytest.param(drips(head(500), SPACES), id="for the rest of one"),
        pytest.param(hangs, id="for a handshake"),
    ],
)
def test_a_call_that_waits_for_its_peer_holds_up_no_other(
    waits: Manner, request: pytest.FixtureRequest
) -> None:
    with (
        Peer(waits) as slow,
        Peer(says(OK)) as quick,
        opened(quick.url) as client,
        ThreadPoolExecutor(1) as threads,
    ):
        url = slow.url.replace("http:", "https:" if "handshake" in request.node.name else "http:")
        late = threads.submit(timed, lambda: client.transport.send("GET", url))
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
        late = threads.submit(timed, lambda: client.transport.send("GET", "http://wechat.invalid"))
        assert begun.wait(GENEROUS)
        assert client.transport.send("GET", peer.url).status == 200
        found.set()
        assert isinstance(late.result()[0], Failure)


def test_stopping_ends_the_calls_under_way_at_once_and_later_ones_too() -> None:
    with Peer(hangs) as peer, opened(peer.url) as client, ThreadPoolExecutor(4) as threads:
        late = [threads.submit(timed, lambda: client.transport.send("GET", peer.url)) for _ in range(4)]
        asked(peer)
        client.transport.stop()
        for each in late:
            problem, seconds = each.result()
            assert isinstance(problem, Failure)
            assert seconds < 1
        accepted = peer.accepted
        problem, seconds = timed(lambda: client.transport.send("GET", peer.url))
        assert isinstance(problem, Failure)
        assert problem.detail == "127.0.0.1: not asked, the exporter stops"
        assert seconds < 0.1
        assert peer.accepted == accepted


def test_stopping_again_does_nothing() -> None:
    with opened("http://127.0.0.1:1") as client:
        client.transport.stop()
        client.transport.stop()


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
    with Peer(manner) as peer, opened(peer.url, 0.02) as client:
        for _ in range(10):
            timed(lambda: client.transport.send("GET", peer.url))
        assert open_files() <= files + 1 + 2 * 11  # the listener, and both ends
    assert open_files() == files
    assert threading.active_count() == threads


def test_a_connection_takes_one_descriptor(certificate: Certificate) -> None:
    files = open_files()
    with (
        Peer(hangs, certificate.server) as peer,
        ThreadPoolExecutor(8) as threads,
        opened(peer.url, private_ca=certificate.path.read_text()) as client,
    ):
        for _ in range(8):
            threads.submit(timed, lambda: client.transport.send("GET", peer.url))
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
