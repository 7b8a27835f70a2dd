import hashlib
import itertools
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from exporter.config.apps import App
from exporter.config.secret import Secret
from exporter.config.token_types import ClassicToken, FileToken, HttpToken, StableToken, TokenSettings
from exporter.wechat import endpoints
from exporter.wechat.access import choose_access
from exporter.wechat.client import Client
from exporter.wechat.endpoints import Endpoint
from exporter.wechat.failures.errcodes import failure
from exporter.wechat.failures.failure import CallError, Reason
from tests.wechat.conftest import Certificate
from tests.wechat.lines import GENEROUS, Observed, daily_trend, everything_in, failure_of, opened
from tests.wechat.peers import (
    Manner,
    Peer,
    Talk,
    hangs,
    head,
    json_body,
    resets,
    says,
    says_and_closes,
    whole,
)

DAY = date(2026, 11, 23)
TOKEN = "99_T0KEN-value_that/must+stay=secret" + hashlib.sha512(b"token").hexdigest()
SECRET = "s3cret/" + hashlib.md5(b"secret").hexdigest() + "+x"
KEEPERS_KEY = "key-of-the-keeper/4711"
KEEPERS_PASSWORD = "password-of-the-keeper"
FRAGMENT = 8  # characters of a secret in a row that give it away


def pieces(secret: str) -> set[str]:
    """Return every part of a secret that is long enough to give it away, also URL-encoded."""
    return {
        written[start : start + FRAGMENT]
        for written in (secret, quote(secret, safe=""))
        for start in range(len(written) - FRAGMENT + 1)
    }


PIECES = pieces(TOKEN) | pieces(SECRET) | pieces(KEEPERS_KEY) | pieces(KEEPERS_PASSWORD)


def asked(client: Client, read: Callable[[dict[str, Any]], object], **given: Any) -> object:
    return client.ask(endpoints.DAILY_VISIT_TREND, read, **{"secrets": [], **given})


# One call


def test_an_answer_is_read_and_counted_once_the_pace_was_waited_for_which_is_no_part_of_its_time() -> None:
    ticks, happened, observed = itertools.count(100.0, 2.5), [], Observed()
    with Peer(says(whole(b'{"n":7}'))) as peer, opened(peer.url, observed=observed) as client:
        client.pace = lambda: happened.append(len(peer.received))
        client.stopwatch = lambda: next(ticks)
        assert asked(client, lambda body: body["n"] + 1) == 8
    assert (happened, observed.seconds) == ([0], [2.5])
    assert observed.calls == [(endpoints.DAILY_VISIT_TREND, None)]


def test_an_interface_is_asked_below_the_clients_address_or_another_one() -> None:
    path = endpoints.DAILY_VISIT_TREND.path
    with Peer(says(whole(b"{}"))) as base, Peer(says(whole(b"{}"))) as other:
        with opened(f"{base.url}/prefix") as client:
            asked(client, dict)
            asked(client, dict, base_url=other.url)
        assert base.received[0].startswith(f"POST /prefix{path} ".encode())
        assert other.received[0].startswith(f"POST {path} ".encode())


@pytest.mark.parametrize(
    ("raised", "reason"),
    [(CallError(failure(Reason.EMPTY, "no row")), Reason.EMPTY), (KeyError("n"), Reason.INTERNAL)],
    ids=["refused by its reader", "a fault of ours"],
)
def test_an_answer_that_cannot_be_read_is_counted_with_its_reason(raised: Exception, reason: Reason) -> None:
    def read(_: object) -> None:
        raise raised

    observed = Observed()
    with (
        Peer(says(whole(b"{}"))) as peer,
        opened(peer.url, observed=observed) as client,
        pytest.raises(type(raised)),
    ):
        asked(client, read)
    assert observed.calls == [(endpoints.DAILY_VISIT_TREND, reason)]


@pytest.mark.parametrize("endpoint", endpoints.ALWAYS, ids=lambda each: each.name)
def test_only_interfaces_that_take_the_secret_blame_it_for_a_refused_token(endpoint: Endpoint) -> None:
    body = whole(b'{"errcode":40001,"errmsg":"invalid credential"}')
    with Peer(says(body)) as peer, opened(peer.url) as client:
        problem = failure_of(lambda: client.ask(endpoint, dict, secrets=[]))
    taken = endpoint in (endpoints.STABLE_ACCESS_TOKEN, endpoints.ACCESS_TOKEN) or endpoint.takes_secret
    assert problem.reason is (Reason.INVALID_SECRET if taken else Reason.TOKEN_REJECTED)


# Secrets stay here


def refused_with(text: str, secrets: list[str]) -> str:
    body = json_body({"errcode": 48001, "errmsg": text})
    with Peer(says(whole(body))) as peer, opened(peer.url) as client:
        return failure_of(lambda: asked(client, dict, secrets=secrets)).detail


@pytest.mark.parametrize("written", [TOKEN, quote(TOKEN, safe="")], ids=["plain", "URL-encoded"])
def test_a_secret_that_an_answer_repeats_is_blotted_out_also_where_the_text_is_cut(written: str) -> None:
    for length in range(180, 260, 5):
        shown = refused_with("x " * (length // 2) + written, [TOKEN])
        assert not [piece for piece in pieces(TOKEN) if piece in shown]
        assert len(shown) <= 240


def test_only_the_secret_is_blotted_out() -> None:
    shown = refused_with(f"api unauthorized {TOKEN} on 20261123 rid: 1-2-3", [TOKEN, "", "Bearer", "rid"])
    assert shown == "errcode 48001: api unauthorized *** on 20261123 rid: 1-2-3"


def sim_like(token_answer: bytes, data: Manner) -> Manner:
    """Return a manner that answers calls for a token by `token_answer`, and data calls by `data`."""

    def manner(talk: Talk) -> None:
        while request := talk.request():
            if b"/datacube/" in request:
                data(talk.with_request(request))
                return
            talk.socket.sendall(token_answer)

    return manner


def echoes(talk: Talk) -> None:
    """Answer with all that was sent, in every place that might be shown."""
    text = talk.request().decode()
    body = json_body(
        {"errcode": 48001, "errmsg": text.replace("\r\n", " "), "list": [], "access_token": text}
    )
    talk.socket.sendall(whole(body))
    talk.wait_for_end()


ROW = {"ref_date": "20261123", "visit_pv": 1}
BAD: dict[str, Manner] = {
    "echo": echoes,
    "token as date": says_and_closes(whole(json_body({"list": [{**ROW, "ref_date": TOKEN}]}))),
    "token as figure": says_and_closes(whole(json_body({"list": [{**ROW, "visit_uv": TOKEN}]}))),
    "token as list": says_and_closes(whole(json_body({"list": TOKEN}))),
    "odd errcode": says_and_closes(whole(json_body({"errcode": TOKEN, "errmsg": TOKEN}))),
    "status": says_and_closes(whole(TOKEN.encode(), status=f"502 {TOKEN}")),
    "redirect": says_and_closes(
        whole(b"", f"Location: https://elsewhere.invalid/{TOKEN}", status="302 Found")
    ),
    "html": says_and_closes(whole(f"<html>{TOKEN}</html>".encode())),
    "no HTTP": says_and_closes(f"{TOKEN} {SECRET}\r\n\r\n".encode()),
    "defective header": says_and_closes(head(2, TOKEN) + b"{}"),
    "broken gzip": says_and_closes(whole(TOKEN.encode(), "Content-Encoding: gzip")),
    "too long": says_and_closes(whole(TOKEN.encode() * 20_000)),
    "reset": resets,
    "hang": hangs,
    "empty": says_and_closes(whole(b'{"list":[]}')),
}


def app_of(kind: str, keeper: str, folder: Path) -> App:
    """Return an app with a token of that kind, all of whose credentials are known here."""
    (folder / "token").write_text(TOKEN)
    address = f"{keeper.replace('//', f'//me:{KEEPERS_PASSWORD}@')}/token?key={quote(KEEPERS_KEY, safe='')}"
    settings: dict[str, TokenSettings] = {
        "stable_token": StableToken(Secret(SECRET)),
        "access_token": ClassicToken(Secret(SECRET)),
        "file": FileToken(folder / "token"),
        "http": HttpToken(address, headers=(("X-Key", f"Bearer {KEEPERS_KEY}"),)),
    }
    return App("wx0123456789abcdef", "app", (), settings[kind])


GOOD_TOKEN = whole(json_body({"access_token": TOKEN, "expires_in": 7200}))
asking_for_tokens = pytest.mark.parametrize("kind", ["stable_token", "access_token", "http"])


def gives_nothing_away(app: App, client: Client) -> bool:
    access = choose_access(app, client)
    with pytest.raises(CallError) as caught:
        daily_trend(access, DAY)
    shown = everything_in(caught.value) + repr((app, client, client.transport, access))
    return sorted(piece for piece in PIECES if piece in shown) == []


@pytest.mark.parametrize("kind", ["stable_token", "access_token", "file", "http"])
@pytest.mark.parametrize("fault", BAD)
def test_no_failure_of_the_data_call_gives_the_token_away(kind: str, fault: str, tmp_path: Path) -> None:
    limit = 0.2 if fault == "hang" else GENEROUS
    with Peer(sim_like(GOOD_TOKEN, BAD[fault])) as peer, opened(peer.url, limit) as client:
        assert gives_nothing_away(app_of(kind, peer.url, tmp_path), client)


@asking_for_tokens
@pytest.mark.parametrize("fault", BAD)
def test_no_failure_of_the_token_call_gives_the_secret_away(kind: str, fault: str, tmp_path: Path) -> None:
    limit = 0.2 if fault == "hang" else GENEROUS
    with Peer(BAD[fault]) as peer, opened(peer.url, limit) as client:
        assert gives_nothing_away(app_of(kind, peer.url, tmp_path), client)


@asking_for_tokens
def test_a_call_that_does_not_connect_gives_nothing_away(
    kind: str, tmp_path: Path, certificate: Certificate
) -> None:
    with Peer(says(GOOD_TOKEN), certificate.server) as untrusted:
        for url in ("http://127.0.0.1:1", untrusted.url, "http://wechat.invalid"):
            with opened(url) as client:
                assert gives_nothing_away(app_of(kind, url, tmp_path), client)


NO_SECRET = [f"{SECRET}\n{SECRET}".encode(), f"\xff{SECRET}".encode("latin-1"), SECRET.encode() * 1000]


@pytest.mark.parametrize("content", NO_SECRET, ids=["two lines", "Latin-1", "too long"])
@pytest.mark.parametrize("kind", ["token file", "JSON token file", "secret file"])
def test_a_file_that_holds_no_secret_is_not_shown(kind: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    settings: TokenSettings = StableToken(Secret(path=path))
    if kind != "secret file":
        settings = FileToken(path, "access_token" if "JSON" in kind else None)
    with opened("http://wechat.invalid") as client:
        assert gives_nothing_away(App("wx0123456789abcdef", "app", (), settings), client)
