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
from tests.wechat.lines import opened
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

OK = whole(b'{"list":[]}')
CHUNKED = "Transfer-Encoding: chunked"
MIB = 1024 * 1024


def sent_to(peer: Peer, timeout: float = 5.0) -> Answer | Failure:
    with opened(peer.url, timeout) as client:
        try:
            return client.transport.send("POST", f"{peer.url}/path", params={"access_token": "T"}, body={})
        except CallError as error:
            return error.failure


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


def test_connections_are_used_again() -> None:
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

GZIPPED = gzip.compress(b'{"list":[]}')


@pytest.mark.parametrize(
    ("manner", "reason"),
    [
        pytest.param(resets, Reason.NETWORK, id="reset"),
        pytest.param(
            says_and_closes(head(None, CHUNKED) + b"5\r\n{}"), Reason.NETWORK, id="cut within a chunk"
        ),
        pytest.param(
            says_and_closes(head(None, CHUNKED) + b"2\r\n{}\r\n"), Reason.NETWORK, id="no last chunk"
        ),
        pytest.param(
            says_and_closes(head(None, CHUNKED) + b"zz\r\n{}\r\n"), Reason.NETWORK, id="no chunk's length"
        ),
        pytest.param(says_and_closes(b"SSH-2.0-OpenSSH_9.6\r\n"), Reason.NETWORK, id="no HTTP"),
        pytest.param(
            says_and_closes(head(2, *(f"X-{n}: 1" for n in range(200))) + b"{}"),
            Reason.NETWORK,
            id="too many headers",
        ),
        pytest.param(
            says_and_closes(head(2, f"X: {'x' * 70_000}") + b"{}"), Reason.NETWORK, id="too long a header"
        ),
        pytest.param(
            says(whole(b"not gzip", "Content-Encoding: gzip")), Reason.MALFORMED, id="broken compression"
        ),
    ],
)
def test_a_connection_that_breaks_off_is_told_by_its_reason(manner: Manner, reason: Reason) -> None:
    with Peer(manner) as peer:
        problem = sent_to(peer)
    assert isinstance(problem, Failure)
    assert (problem.reason, problem.action) == (reason, Action.RETRY)
    assert problem.detail.startswith("127.0.0.1: ")
    assert not problem.unsent


@pytest.mark.parametrize("ends", [says_and_closes, says_and_resets])
def test_an_answer_that_ends_at_any_byte_is_no_answer(ends: Callable[[bytes], Manner]) -> None:
    answer = whole(b'{"list":[{"ref_date":"20261123","visit_pv":1}]}')
    for length in range(len(answer)):
        with Peer(ends(answer[:length])) as peer:
            found = sent_to(peer)
        # cut in the head, before the length, it looks like an answer without a body
        assert isinstance(found, Failure) or found == Answer(200, b""), answer[:length]


@pytest.mark.parametrize(
    "manner",
    [
        pytest.param(says(whole(b'{"list":[]}', "Content-Type: text/plain")), id="any Content-Type"),
        pytest.param(says_and_closes(head(None) + b'{"list":[]}'), id="until the connection's end"),
        pytest.param(
            says(head(None, CHUNKED) + b"".join(chunked([b'{"list"', b":[]}"])) + b"0\r\n\r\n"), id="chunked"
        ),
        pytest.param(says(whole(GZIPPED, "Content-Encoding: gzip")), id="gzip although not asked for"),
        pytest.param(
            says(whole(zlib.compress(b'{"list":[]}'), "Content-Encoding: deflate")), id="deflate likewise"
        ),
        pytest.param(says(b"HTTP/1.1 100 Continue\r\n\r\n" + OK), id="after a 100 Continue"),
        pytest.param(says(head(11, "no colon here") + b'{"list":[]}'), id="with a defective header"),
        pytest.param(says_and_closes(head(11) + b'{"list":[]}TRAILING'), id="longer than it says"),
    ],
)
def test_a_body_comes_whole_however_it_is_framed(manner: Manner) -> None:
    with Peer(manner) as peer:
        assert sent_to(peer) == Answer(200, b'{"list":[]}')


def test_what_follows_a_body_is_not_taken_for_the_next_answer() -> None:
    with Peer(says(OK + whole(b'{"list":["of another"]}'))) as peer, opened(peer.url) as client:
        for _ in range(3):
            assert client.transport.send("GET", peer.url) == Answer(200, b'{"list":[]}')


def test_a_body_cut_by_a_wrong_content_length_is_malformed() -> None:
    answer = says_and_closes(head(5) + b'{"list":[]}')
    with Peer(answer) as peer, opened(peer.url) as client, pytest.raises(CallError) as caught:
        client.ask(DAILY_VISIT_TREND, dict, secrets=[])
    assert caught.value.failure.reason is Reason.MALFORMED


# The body's limit


def endless_chunks(size: int) -> Manner:
    chunk = b"".join(chunked([b" " * size]))

    def manner(talk: Talk) -> None:
        talk.request()
        talk.socket.sendall(head(None, CHUNKED))
        talk.send_slowly(itertools.repeat(chunk), 0)

    return manner


def bomb(size: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    return b"".join(packer.compress(b" " * MIB) for _ in range(size // MIB)) + packer.flush()


@pytest.mark.parametrize(
    "manner",
    [
        pytest.param(says(whole(b" " * (BODY_LIMIT + 1))), id="one byte too long"),
        pytest.param(says(head(10**15) + b" " * (2 * BODY_LIMIT)), id="a huge Content-Length"),
        pytest.param(endless_chunks(65536), id="endless chunks"),
        pytest.param(says(whole(bomb(64 * MIB), "Content-Encoding: gzip")), id="gzip bomb"),
        pytest.param(
            says(whole(gzip.compress(bomb(64 * MIB)), "Content-Encoding: gzip, gzip")), id="bomb in a bomb"
        ),
    ],
)
def test_a_body_over_the_limit_is_refused(manner: Manner) -> None:
    with Peer(manner) as peer:
        problem = sent_to(peer)
    assert isinstance(problem, Failure)
    assert problem.reason is Reason.MALFORMED
    assert problem.detail == f"127.0.0.1: the answer is longer than {BODY_LIMIT} bytes"


MEASURED = """
import resource, sys
from tests.wechat.lines import opened
from exporter.wechat.failures.failure import CallError

with opened(sys.argv[1]) as client:
    for path in ("/ok", "/bomb"):
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        try:
            print(client.transport.send("GET", sys.argv[1] + path).status)
        except CallError as error:
            print(error)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


@pytest.mark.parametrize("status", ["200 OK", "302 Found", "500 Internal Server Error"])
def test_a_bomb_takes_little_memory_whatever_the_status(status: str) -> None:
    text = whole(bomb(256 * MIB), "Content-Encoding: gzip", "Location: /elsewhere", status=status)
    with Peer(says_in_turn([OK, text])) as peer:
        ran = subprocess.run(
            [sys.executable, "-c", MEASURED, peer.url], capture_output=True, check=True, text=True
        )
    ok, refused, grown = ran.stdout.splitlines()
    assert (ok, refused) == ("200", f"127.0.0.1: the answer is longer than {BODY_LIMIT} bytes")
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
        ("429 Too Many Requests", ["Retry-After: 60"], 60.0),
        ("503 Service Unavailable", ["Retry-After:  0 "], 0.0),
        (
            "503 Service Unavailable",
            ["Date: Sat, 28 Nov 2026 12:00:00 GMT", "Retry-After: Sat, 28 Nov 2026 12:02:30 GMT"],
            150.0,
        ),
        ("503 Service Unavailable", ["Retry-After: Sat, 28 Nov 2026 12:02:30 GMT"], None),
        ("429 Too Many Requests", ["Retry-After: soon"], None),
        ("429 Too Many Requests", ["Retry-After: -5"], None),
        ("429 Too Many Requests", [], None),
        ("500 Internal Server Error", ["Retry-After: 60"], None),
    ],
)
def test_a_failure_says_how_long_the_server_asks_to_wait(
    status: str, lines: list[str], seconds: float | None
) -> None:
    with Peer(says(whole(b"{}", *lines, status=status))) as peer:
        answer = sent_to(peer)
    assert isinstance(answer, Answer)
    with pytest.raises(CallError) as caught:
        read_json(answer)
    assert caught.value.failure.reason is Reason.HTTP_STATUS
    assert caught.value.failure.retry_after == seconds
