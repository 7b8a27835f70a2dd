import gzip
import io
import itertools
import json
import logging
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from exporter import __version__
from exporter.wechat.endpoints import DAILY_VISIT_TREND
from exporter.wechat.failures.failure import Action, CallError, Failure, Reason
from exporter.wechat.network.transport import BODY_LIMIT, Answer
from exporter.wechat.verdict import read_json
from tests.wechat.lines import failure_of, opened, outcome
from tests.wechat.peers import (
    Manner,
    Peer,
    Talk,
    chunked,
    head,
    resets,
    says,
    says_and_closes,
    says_and_resets,
    says_in_turn,
    whole,
)

LIST = b'{"list":[]}'
OK = whole(LIST)
CHUNKED = "Transfer-Encoding: chunked"
MIB = 1024 * 1024


def sent_to(peer: Peer) -> Answer | Failure:
    with opened(peer.url) as client:
        return outcome(
            lambda: client.transport.send("POST", f"{peer.url}/path", params={"access_token": "T"}, body={})
        )


# What is sent


def test_a_request_has_the_parameters_the_json_body_and_our_headers() -> None:
    with Peer(says(OK)) as peer, opened(peer.url) as client:
        answer = client.transport.send(
            "POST",
            f"{peer.url}/path",
            params={"access_token": "a+b/c"},
            body={"begin_date": "20261123"},
            headers={"X-Key": "k"},
        )
    assert answer == Answer(200, b'{"list":[]}')
    head_, _, body = peer.received[0].decode().partition("\r\n\r\n")
    first, *rest = head_.split("\r\n")
    assert first == "POST /path?access_token=a%2Bb%2Fc HTTP/1.1"
    assert json.loads(body) == {"begin_date": "20261123"}
    assert sorted(rest) == sorted(
        [
            f"Host: 127.0.0.1:{peer.port}",
            f"User-Agent: wechat-miniprogram-exporter/{__version__}",
            "Accept: application/json",
            "Accept-Encoding: identity",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            "X-Key: k",
        ]
    )


def test_calls_to_one_host_share_a_connection() -> None:
    with Peer(says(OK)) as peer, opened(peer.url) as client:
        for _ in range(5):
            client.transport.send("GET", peer.url)
        assert (peer.accepted, len(peer.received)) == (1, 5)


def test_a_connection_that_the_peer_has_closed_is_replaced() -> None:
    closed = threading.Event()

    with Peer(says_and_closes(OK, closed)) as peer, opened(peer.url) as client:
        for _ in range(3):
            assert client.transport.send("GET", peer.url).status == 200
            closed.wait(5)
            closed.clear()
        assert peer.accepted == 3


def test_cookies_are_not_sent_back() -> None:
    cookie = whole(b"{}", "Set-Cookie: id=1; Path=/", "Set-Cookie: b=2")
    with Peer(says(cookie)) as peer, opened(peer.url) as client:
        for _ in range(2):
            client.transport.send("GET", peer.url)
        assert b"cookie" not in b"".join(peer.received).lower()


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Perm"])
def test_a_redirect_is_not_followed_so_the_token_goes_nowhere_else(status: str) -> None:
    with Peer(says(OK)) as elsewhere:
        manner = says(whole(b"", f"Location: {elsewhere.url}/taken", status=status))
        with Peer(manner) as peer:
            answer = sent_to(peer)
    assert answer == Answer(int(status[:3]), b"")
    assert elsewhere.accepted == 0


def test_a_netrc_does_not_put_its_password_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("default login me password mine\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with Peer(says(OK)) as peer:
        sent_to(peer)
    assert b"authorization" not in peer.received[0].lower()


def test_the_libraries_log_lines_which_have_the_token_go_nowhere() -> None:
    written = io.StringIO()  # not caplog, which also listens where lines do not propagate to the root
    handler, root = logging.StreamHandler(written), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        with Peer(says(head(11, "no colon here") + b'{"list":[]}')) as peer:
            sent_to(peer)
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    assert written.getvalue() == ""


# What breaks off

BROKEN: dict[str, Manner] = {
    "reset": resets,
    "cut within a chunk": says_and_closes(head(None, CHUNKED) + b"5\r\n{}"),
    "no last chunk": says_and_closes(head(None, CHUNKED) + b"2\r\n{}\r\n"),
    "no chunk's length": says_and_closes(head(None, CHUNKED) + b"zz\r\n{}\r\n"),
    "no HTTP": says_and_closes(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "too many headers": says_and_closes(head(2, *(f"X-{n}: 1" for n in range(200))) + b"{}"),
    "too long a header": says_and_closes(head(2, f"X: {'x' * 70_000}") + b"{}"),
    "broken compression": says(whole(b"not gzip", "Content-Encoding: gzip")),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_connection_that_breaks_off_is_a_failure_with_its_reason(name: str) -> None:
    with Peer(BROKEN[name]) as peer:
        problem = sent_to(peer)
    assert isinstance(problem, Failure)
    reason = Reason.MALFORMED if name == "broken compression" else Reason.NETWORK
    assert (problem.reason, problem.action, problem.unsent) == (reason, Action.RETRY, False)
    assert problem.detail.startswith("127.0.0.1: ")


@pytest.mark.parametrize("ends", [says_and_closes, says_and_resets])
def test_an_answer_that_ends_at_any_byte_is_no_answer(ends: Callable[[bytes], Manner]) -> None:
    answer = whole(b'{"list":[{"ref_date":"20261123","visit_pv":1}]}')
    for length in range(len(answer)):
        with Peer(ends(answer[:length])) as peer:
            found = sent_to(peer)
        # cut in the head, before the length, it looks like an answer without a body
        assert isinstance(found, Failure) or found == Answer(200, b""), answer[:length]


CHUNKS = head(None, CHUNKED) + b"".join(chunked([b'{"list"', b":[]}"])) + b"0\r\n\r\n"
FRAMED: dict[str, Manner] = {
    "any Content-Type": says(whole(LIST, "Content-Type: text/plain")),
    "until the connection's end": says_and_closes(head(None) + LIST),
    "chunked": says(CHUNKS),
    "gzip although not asked for": says(whole(gzip.compress(LIST), "Content-Encoding: gzip")),
    "deflate likewise": says(whole(zlib.compress(LIST), "Content-Encoding: deflate")),
    "after a 100 Continue": says(b"HTTP/1.1 100 Continue\r\n\r\n" + OK),
    "with a defective header": says(head(11, "no colon here") + LIST),
    "longer than it says": says_and_closes(head(11) + LIST + b"TRAILING"),
}


@pytest.mark.parametrize("name", FRAMED)
def test_a_body_comes_whole_however_it_is_framed(name: str) -> None:
    with Peer(FRAMED[name]) as peer:
        assert sent_to(peer) == Answer(200, LIST)


def test_what_follows_a_body_is_not_taken_for_the_next_answer() -> None:
    with Peer(says(OK + whole(b'{"list":["of another"]}'))) as peer, opened(peer.url) as client:
        for _ in range(3):
            assert client.transport.send("GET", peer.url) == Answer(200, b'{"list":[]}')


def test_a_body_cut_by_a_wrong_content_length_is_malformed() -> None:
    with Peer(says_and_closes(head(5) + LIST)) as peer, opened(peer.url) as client:
        problem = failure_of(lambda: client.ask(DAILY_VISIT_TREND, dict, secrets=[]))
    assert problem.reason is Reason.MALFORMED


# The body's limit


def endless_chunks(size: int) -> Manner:
    chunk = b"".join(chunked([b" " * size]))

    def manner(talk: Talk) -> None:
        talk.request()
        talk.socket.sendall(head(None, CHUNKED))
        talk.send_slowly(itertools.repeat(chunk), 0)

    return manner


BOMB = gzip.compress(b" " * (64 * MIB))


TOO_LONG: dict[str, Manner] = {
    "one byte too long": says(whole(b" " * (BODY_LIMIT + 1))),
    "a huge Content-Length": says(head(10**15) + b" " * (2 * BODY_LIMIT)),
    "endless chunks": endless_chunks(65536),
    "gzip bomb": says(whole(BOMB, "Content-Encoding: gzip")),
    "bomb in a bomb": says(whole(gzip.compress(BOMB), "Content-Encoding: gzip, gzip")),
}


@pytest.mark.parametrize("name", TOO_LONG)
def test_a_body_over_the_limit_is_refused(name: str) -> None:
    with Peer(TOO_LONG[name]) as peer:
        problem = sent_to(peer)
    assert isinstance(problem, Failure)
    assert problem.reason is Reason.MALFORMED
    assert problem.detail == f"127.0.0.1: the answer is longer than {BODY_LIMIT} bytes"


MEASURED = """
import resource, sys
from tests.wechat.lines import opened
from exporter.wechat.failures.failure import CallError

with opened(sys.argv[1]) as client:
    for path in ("/ok", "/bomb", "/redirect", "/error"):
        try:
            print(client.transport.send("GET", sys.argv[1] + path).status)
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        except CallError as error:
            print(error)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_a_bomb_takes_little_memory_whatever_the_status() -> None:
    bombs = [
        whole(BOMB, "Content-Encoding: gzip", "Location: /elsewhere", status=status)
        for status in ("200 OK", "302 Found", "500 Internal Server Error")
    ]
    with Peer(says_in_turn([OK, *bombs])) as peer:
        ran = subprocess.run(
            [sys.executable, "-c", MEASURED, peer.url], capture_output=True, check=True, text=True
        )
    ok, *refused, grown = ran.stdout.splitlines()
    assert ok == "200"
    assert refused == [f"127.0.0.1: the answer is longer than {BODY_LIMIT} bytes"] * 3
    assert int(grown) < 8 * 1024  # KiB


@pytest.mark.parametrize("lines", [(), ("Content-Encoding: gzip",)], ids=["plain", "gzip"])
def test_a_body_of_just_the_limit_is_read(lines: tuple[str, ...]) -> None:
    body = b"[" + b" " * (BODY_LIMIT - 2) + b"]"
    with Peer(says(whole(gzip.compress(body) if lines else body, *lines))) as peer:
        assert sent_to(peer) == Answer(200, body)


def test_an_oversize_answer_leaves_the_connection_usable() -> None:
    with Peer(says_in_turn([whole(b" " * (2 * BODY_LIMIT)), OK])) as peer, opened(peer.url) as client:
        with pytest.raises(CallError, match="longer than"):
            client.transport.send("GET", peer.url)
        assert client.transport.send("GET", peer.url).body == b'{"list":[]}'
        assert peer.accepted == 2


# Retry-After


@pytest.mark.parametrize(
    ("status", "lines", "seconds"),
    [
        (429, ["Retry-After: 60"], 60.0),
        (503, ["Retry-After:  0 "], 0.0),
        (503, ["Date: Sat, 28 Nov 2026 12:00:00 GMT", "Retry-After: Sat, 28 Nov 2026 12:02:30 GMT"], 150.0),
        (503, ["Retry-After: Sat, 28 Nov 2026 12:02:30 GMT"], None),
        (429, ["Retry-After: soon"], None),
        (429, ["Retry-After: -5"], None),
        (429, [], None),
        (500, ["Retry-After: 60"], None),
    ],
)
def test_a_failure_says_how_long_the_server_asks_to_wait(
    status: int, lines: list[str], seconds: float | None
) -> None:
    with Peer(says(whole(b"{}", *lines, status=f"{status} No"))) as peer:
        answer = sent_to(peer)
    assert isinstance(answer, Answer)
    problem = failure_of(lambda: read_json(answer))
    assert (problem.reason, problem.retry_after) == (Reason.HTTP_STATUS, seconds)
