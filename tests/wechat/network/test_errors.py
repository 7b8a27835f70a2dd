import os
import ssl
from pathlib import Path

import pytest
import urllib3.util.ssl_

from exporter.wechat.failures import advice
from exporter.wechat.failures.failure import Action, Failure, Reason
from exporter.wechat.network import connections
from exporter.wechat.network.transport import Answer
from tests.certificates import Authority
from tests.wechat.conftest import Certificate
from tests.wechat.lines import failure_of, opened
from tests.wechat.peers import Peer, drips_unasked, hangs, says, says_and_closes, whole

ANSWER = Answer(200, b'{"list":[]}')
OK = whole(ANSWER.body)
KEY = "not-a-real-proxy-password"


def answer(url: str, private_ca: str = "") -> Answer:
    """Return what a call there brings."""
    with opened(url, private_ca=private_ca) as client:
        return client.transport.send("GET", f"{url}/cgi-bin/token?secret=TOPSECRET")


def failed(url: str, private_ca: str = "") -> Failure:
    """Return the failure of a call there, for its network."""
    problem = failure_of(lambda: answer(url, private_ca))
    assert "TOPSECRET" not in problem.detail
    assert (problem.reason, problem.action) == (Reason.NETWORK, Action.RETRY)
    return problem


@pytest.fixture(name="gone")
def _gone() -> str:
    """Return an address where nobody listens."""
    with Peer(says(OK)) as peer:
        pass
    return peer.url


# The host


def test_a_failure_names_the_host_and_knows_whether_the_request_has_left(gone: str) -> None:
    with Peer(says_and_closes(b"")) as peer:
        found = [failed(url) for url in (peer.url, gone, "http://wechat.invalid")]
    assert [(problem.detail, problem.unsent) for problem in found] == [
        ("127.0.0.1: the connection broke off (ConnectionError)", False),
        ("127.0.0.1: connection failed: Connection refused", True),
        ("wechat.invalid: the name could not be resolved", True),
    ]


@pytest.mark.parametrize(
    "url",
    [
        "http://[::1/path?key=TOPSECRET",
        "http://?key=TOPSECRET",
        "ftp://example.invalid/?key=TOPSECRET",
        "TOPSECRET",
        f"http://{'x' * 70}.invalid/?key=TOPSECRET",
        "http://host:port/?key=TOPSECRET",
    ],
)
def test_an_address_that_cannot_be_asked_is_a_network_failure_without_it(url: str) -> None:
    failed(url)


@pytest.mark.parametrize("value", ["a\r\nX: 1", "ключ"])
def test_a_header_that_cannot_be_sent_is_a_network_failure_without_it(value: str) -> None:
    with Peer(says(OK)) as peer, opened(peer.url) as client:
        problem = failure_of(lambda: client.transport.send("GET", peer.url, headers={"X-Key": value}))
    assert problem.reason is Reason.NETWORK
    assert value not in problem.detail
    assert peer.received == []


def test_a_process_that_may_open_no_more_files_learns_that_and_not_that_its_network_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(24, os.strerror(24))

    monkeypatch.setattr(connections, "connect", refuse)
    problem = failed("http://wechat.invalid")
    assert problem.detail == "wechat.invalid: connection failed: Too many open files"
    assert problem.advice is advice.DESCRIPTORS


# Proxies


def proxied(monkeypatch: pytest.MonkeyPatch, proxy: str) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, proxy)


def test_the_environments_proxy_is_used_unless_no_proxy_names_the_host(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Peer(says(OK)) as proxy:
        proxied(monkeypatch, proxy.url)
        monkeypatch.setenv("no_proxy", "direct.invalid")
        assert answer("http://wechat.invalid") == ANSWER
        assert failed("http://direct.invalid").detail == "direct.invalid: the name could not be resolved"
    assert [text.split()[1].partition(b"?")[0] for text in proxy.received] == [
        b"http://wechat.invalid/cgi-bin/token"
    ]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_loopback_never_goes_to_a_proxy(host: str, gone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    proxied(monkeypatch, gone)
    with Peer(says(OK)) as peer:
        assert answer(peer.url.replace("127.0.0.1", host)) == ANSWER


@pytest.mark.parametrize("status", ["407 Who are you", "403 Forbidden", "503 Unavailable"])
def test_a_proxys_refusal_names_the_proxy_and_its_status(
    status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Peer(says_and_closes(whole(b"", status=status))) as proxy:
        proxied(monkeypatch, proxy.url.replace("//", f"//me:{KEY}@"))
        problem = failed("https://wechat.invalid")
    assert problem.detail == f"proxy {proxy.url}: CONNECT was answered with HTTP status {status[:3]}"
    assert (problem.reason, problem.advice) == (Reason.NETWORK, advice.PROXY)
    assert proxy.received[0].startswith(b"CONNECT wechat.invalid:443 ")
    assert b"TOPSECRET" not in proxy.received[0]


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize(
    ("proxy", "why"),
    [
        ("127.0.0.1:1", "connection failed: Connection refused"),
        ("proxy.invalid:3128", "the name could not be resolved"),
    ],
)
def test_a_proxy_that_is_down_or_unknown_is_named(
    scheme: str, proxy: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxied(monkeypatch, f"http://me:{KEY}@{proxy}")
    problem = failed(f"{scheme}://wechat.invalid")
    assert (problem.detail, problem.advice) == (f"proxy http://{proxy}: {why}", advice.PROXY)


def test_what_fails_behind_a_proxy_names_both(monkeypatch: pytest.MonkeyPatch) -> None:
    with Peer(says_and_closes(b"HTTP/1.1 200 Connection established\r\n\r\n")) as proxy:
        proxied(monkeypatch, proxy.url)
        problem = failed("https://wechat.invalid")
    assert problem.detail.startswith(f"wechat.invalid through the proxy {proxy.url}: ")


def test_a_proxy_that_is_silent_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with Peer(hangs) as proxy, opened("https://wechat.invalid", 0.2) as client:
        proxied(monkeypatch, proxy.url)
        problem = failure_of(lambda: client.transport.send("GET", "https://wechat.invalid"))
    assert problem.reason is Reason.TIMEOUT
    assert problem.detail.endswith(f"proxy {proxy.url}: no whole answer within 0.2 s")


def test_a_socks_proxy_is_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("all_proxy", "socks5h://127.0.0.1:1")
    assert failed("http://wechat.invalid").detail.endswith("the address's or proxy's scheme is not supported")


# Certificates


def test_a_certificate_that_nobody_vouches_for_is_refused_with_a_way_on(certificate: Certificate) -> None:
    with Peer(says(OK), certificate.server) as peer:
        problem = failed(peer.url)
    assert problem.detail == "127.0.0.1: TLS certificate refused: self-signed certificate"
    assert "wechat.ca_file" in problem.advice.en
    assert peer.received == []


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
def test_a_certificate_that_the_environment_vouches_for_is_accepted(
    name: str, certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, str(certificate.path))
    with Peer(says(OK), certificate.server) as peer:
        assert answer(peer.url) == ANSWER


def test_a_bundle_of_the_environments_that_is_missing_is_named_and_used_once_it_is_there(
    certificate: Certificate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = tmp_path / "bundle.pem"
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    with Peer(says(OK), certificate.server) as peer, opened(peer.url) as client:
        problem = failure_of(lambda: client.transport.send("GET", peer.url))
        missing = f"REQUESTS_CA_BUNDLE names {bundle}, which cannot be used: No such file or directory"
        assert (problem.detail, problem.advice) == (missing, advice.BUNDLE)
        bundle.write_bytes(certificate.path.read_bytes())
        assert client.transport.send("GET", peer.url) == ANSWER


def as_python_3_13(**kwargs: object) -> object:
    """Return a TLS context that refuses a CA's certificate without all that X.509 asks for."""
    context = urllib3.util.ssl_.create_urllib3_context(**kwargs)  # type: ignore[arg-type]
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    return context


def test_a_private_ca_is_trusted_also_where_python_3_13_would_refuse_its_certificate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "create_urllib3_context", as_python_3_13)
    authority = Authority(tmp_path)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    pair = authority.issue("wechat")
    server.load_cert_chain(pair.cert, pair.key)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.file))
    with Peer(says(OK), server) as peer:
        assert failed(peer.url).advice is advice.CERTIFICATE
        monkeypatch.delenv("REQUESTS_CA_BUNDLE")
        assert answer(peer.url, authority.file.read_text()) == ANSWER


def test_a_certificate_for_another_host_is_refused(certificate: Certificate) -> None:
    with Peer(says(OK), certificate.server) as peer:
        problem = failed(peer.url.replace("127.0.0.1", "localhost"), certificate.path.read_text())
    assert "TLS certificate refused: Hostname mismatch" in problem.detail


def test_a_peer_that_speaks_no_tls_is_a_network_failure() -> None:
    with Peer(drips_unasked(b"HTTP/1.1 400 Bad Request\r\n\r\n", 0)) as peer:
        assert "TLS failed" in failed(peer.url.replace("http:", "https:")).detail
