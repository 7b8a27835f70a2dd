import json
from pathlib import Path
from typing import Any

import pytest

from exporter.config.secret import Secret
from exporter.config.token_types import FileToken, HttpToken
from exporter.simulator.faults import Fault
from exporter.simulator.server import Simulator
from exporter.wechat import endpoints
from exporter.wechat.client import Client
from exporter.wechat.endpoints import Endpoint
from exporter.wechat.failures.advice import TOKEN_KEEPER
from exporter.wechat.failures.failure import Action, Failure, Reason
from exporter.wechat.tokens.cache import SHORTEST_KEEP, Token, TokenSource
from exporter.wechat.tokens.sources import (
    AccessTokenSource,
    FileTokenSource,
    HttpTokenSource,
    SecretSource,
    StableTokenSource,
)
from tests.wechat.conftest import APP
from tests.wechat.lines import Clock, Observed, failure_of, opened, outcome
from tests.wechat.peers import Peer, json_body, says, says_in_turn, whole

SAMPLES = Path(__file__).parents[2] / "samples"
APPID = APP.appid
TOKEN_T = b'{"access_token":"T","expires_in":7200}'
SECRET = Secret(APP.secret)


@pytest.fixture(name="source", params=[StableTokenSource, AccessTokenSource])
def _source(request: pytest.FixtureRequest) -> type[SecretSource]:
    """Return each of WeChat's interfaces in turn."""
    kind: type[SecretSource] = request.param
    return kind


def fetched(source: TokenSource) -> Token | Failure:
    return outcome(source.fetch)


def refused(source: TokenSource) -> Failure:
    return failure_of(source.fetch)


def answered(kind: type[SecretSource], answer: bytes, clock: Clock | None = None) -> Token | Failure:
    """Return the token or failure of a source to whose call WeChat gives an answer."""
    with Peer(says(whole(answer))) as peer, opened(peer.url, clock=clock or Clock()) as client:
        return fetched(kind(APPID, SECRET, client))


# Of WeChat


def test_a_stable_token_is_asked_for_in_normal_mode_and_in_the_body_only() -> None:
    with Peer(says(whole(TOKEN_T))) as peer, opened(peer.url) as client:
        StableTokenSource(APPID, SECRET, client).fetch()
    head, _, body = peer.received[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /cgi-bin/stable_token HTTP/1.1")
    assert json.loads(body) == {
        "grant_type": "client_credential",
        "appid": APPID,
        "secret": APP.secret,
        "force_refresh": False,
    }


def test_a_classic_token_is_asked_for_in_the_address() -> None:
    with Peer(says(whole(TOKEN_T))) as peer, opened(peer.url) as client:
        AccessTokenSource(APPID, SECRET, client).fetch()
    query = f"grant_type=client_credential&appid={APPID}&secret={APP.secret}"
    assert peer.received[0].startswith(f"GET /cgi-bin/token?{query} HTTP/1.1\r\n".encode())
    assert peer.received[0].endswith(b"\r\n\r\n")


@pytest.mark.parametrize("name", ["getAccessToken", "getStableAccessToken_second_call"])
def test_the_documentations_examples_are_read(name: str, source: type[SecretSource], clock: Clock) -> None:
    body = (SAMPLES / f"token__doc_{name}.json").read_bytes()
    token = answered(source, body, clock)
    assert isinstance(token, Token)
    assert (token.value, token.expires_at) == ("ACCESS_TOKEN", clock.now + json.loads(body)["expires_in"])


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (Fault.WRONG_SECRET, Reason.INVALID_SECRET),
        (Fault.FROZEN_SECRET, Reason.INVALID_SECRET),
        (Fault.INVALID_APPID, Reason.INVALID_APPID),
        (Fault.IP, Reason.IP_NOT_ALLOWED),
    ],
)
@pytest.mark.parametrize(
    ("kind", "endpoint"),
    [(StableTokenSource, endpoints.STABLE_ACCESS_TOKEN), (AccessTokenSource, endpoints.ACCESS_TOKEN)],
)
def test_a_refused_credential_suspends_and_is_counted_under_its_interfaces_name(
    kind: type[SecretSource], endpoint: Endpoint, fault: Fault, reason: Reason, sim: Simulator
) -> None:
    sim.faults.switch(APPID, fault)
    observed = Observed()
    with opened(sim.base_url, observed=observed) as client:
        problem = refused(kind(APPID, SECRET, client))
    assert (problem.reason, problem.action) == (reason, Action.SUSPEND)
    assert observed.calls == [(endpoint, reason)]


UNUSABLE_LIFETIMES: list[Any] = [0, -1, "2 hours", "", "7" * 99, True, None, [7200], {}, 1e7, 1e400, 10**400]
UNUSABLE_TOKENS: list[Any] = [None, "", " ", "a b", "a\n", "\ufeffT", True, 7, ["T"], {}, "x" * 4097]
UNUSABLE = [("T", each) for each in UNUSABLE_LIFETIMES] + [(each, 7200) for each in UNUSABLE_TOKENS]


def token_body(value: object, lifetime: object) -> bytes:
    return json_body({"access_token": value, "expires_in": lifetime}).replace(b"Infinity", b"1e400")


@pytest.mark.parametrize(("value", "lifetime"), UNUSABLE, ids=lambda each: repr(each)[:20])
def test_an_answer_without_a_usable_token_or_lifetime_is_malformed(
    value: object, lifetime: object, source: type[SecretSource]
) -> None:
    problem = answered(source, token_body(value, lifetime))
    assert isinstance(problem, Failure)
    assert problem.reason is Reason.MALFORMED


def test_a_lifetime_counts_from_before_the_call(client: Client, clock: Clock) -> None:
    start = clock.now
    client.pace = lambda: setattr(clock, "now", start + 100)
    assert StableTokenSource(APPID, SECRET, client).fetch().expires_at == start + 7200


# The secret's file


def written(folder: Path, content: bytes | None) -> Path:
    """Return a file with that content; None: no file."""
    path = folder / "file"
    if content is not None:
        path.write_bytes(content)
    return path


def test_a_secret_that_was_rotated_in_its_file_is_picked_up_at_the_next_fetch(
    source: type[SecretSource], client: Client, tmp_path: Path
) -> None:
    path = written(tmp_path, b"an-older-secret\n")
    tokens = source(APPID, Secret(path=path), client)
    before = tokens.fingerprint()
    assert refused(tokens).reason is Reason.INVALID_SECRET
    path.write_text(f"\ufeff {APP.secret}\r\n")
    assert isinstance(fetched(tokens), Token)
    assert tokens.fingerprint() != before


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "No such file or directory"),
        (b"", "empty"),
        (b" \n", "empty"),
        (b"\xff", "not a UTF-8 text"),
        (b"a\nb", "not a text of one line"),
        (b"x" * 70_000, "larger than 64 KiB"),
    ],
    ids=["missing", "empty", "blank", "binary", "two lines", "too large"],
)
def test_a_secret_that_cannot_be_read_suspends_without_a_call(
    content: bytes | None, why: str, source: type[SecretSource], client: Client, tmp_path: Path
) -> None:
    path = written(tmp_path, content)
    tokens = source(APPID, Secret(path=path), client)
    problem = refused(tokens)
    assert (problem.reason, problem.action, problem.unsent) == (Reason.INVALID_SECRET, Action.SUSPEND, True)
    assert problem.detail == f"secret file {path}: {why}"
    assert tokens.fingerprint() == b""


def test_a_fingerprint_differs_by_secret_and_appid_and_hides_them(
    source: type[SecretSource], client: Client
) -> None:
    pairs = [(appid, secret) for appid in ("wx1", "wx2") for secret in ("secret-1", "secret-2")]
    prints = {source(appid, Secret(secret), client).fingerprint() for appid, secret in pairs}
    assert len(prints) == 4
    assert not any(b"secret" in each or b"wx" in each for each in prints)


# A file that another program keeps


def test_a_token_file_is_read_each_time(tmp_path: Path) -> None:
    path = tmp_path / "token"
    source = FileTokenSource(FileToken(path))
    seen = set()
    for value in ("one", "two"):
        path.write_text(f"\ufeff{value}\n")
        assert source.fetch() == Token(value, None, 0.0)
        seen.add(source.fingerprint())
    assert len(seen) == 2
    assert source.kind == "file"


@pytest.mark.parametrize(
    ("content", "field"),
    [
        (b'{"access_token": "T"}', "access_token"),
        (b'{"data": {"access_token": "T"}, "access_token": "other"}', "data.access_token"),
        (b' {"a": {"b": {"c": "T"}}}\n', "a.b.c"),
    ],
)
def test_a_token_file_may_be_json_with_the_token_under_a_field(
    content: bytes, field: str, tmp_path: Path
) -> None:
    assert FileTokenSource(FileToken(written(tmp_path, content), field)).fetch().value == "T"


UNUSABLE_FILES: list[tuple[list[bytes | None], str | None, str]] = [
    ([None], None, ": No such file or directory"),
    ([b"", b"\n \n", b"two words", b"two\nlines", b"x" * 4097], None, " holds no usable token"),
    ([b"\xff\xfe\x00", b"x" * 70_000], None, " is not a short text"),
    ([b"", b"T", b"[" * 60_000], "access_token", " is not JSON"),
    (
        [b"[]", b"{}", b'{"access_token": null}', b'{"access_token": ["T"]}'],
        "access_token",
        " holds no usable token under access_token",
    ),
    ([b'{"data": "T"}'], "data.access_token", " holds no usable token under data.access_token"),
    (
        [b'{"access_token": "T"}', b'{\n"access_token": "T"\n}'],
        None,
        " holds a JSON object: name the token's key in it with `field`",
    ),
]


@pytest.mark.parametrize(
    ("content", "field", "why"),
    [(content, field, why) for contents, field, why in UNUSABLE_FILES for content in contents],
    ids=lambda each: repr(each)[:30],
)
def test_a_file_without_a_usable_token_says_which_and_why(
    content: bytes | None, field: str | None, why: str, tmp_path: Path
) -> None:
    path = written(tmp_path, content)
    source = FileTokenSource(FileToken(path, field))
    problem = refused(source)
    assert content is not None or source.fingerprint() == b""
    assert (problem.reason, problem.action) == (Reason.TOKEN_REJECTED, Action.NEXT_ROUND)
    assert problem.detail == f"token file {path}{why}"
    assert problem.advice.en.startswith("The token's file")


def test_a_path_that_never_ends_is_no_token() -> None:
    assert refused(FileTokenSource(FileToken(Path("/dev/zero")))).detail.endswith("is not a short text")


# An address of the operator's own


def asked(
    answer: bytes,
    field: str | None = "access_token",
    status: str = "200 OK",
    headers: tuple[tuple[str, str], ...] = (),
) -> tuple[Token | Failure, bytes]:
    """Return the token or failure from an answer of a token service at time 1000, and the request."""
    with (
        Peer(says(whole(answer, status=status))) as service,
        opened("http://wechat.invalid", clock=lambda: 1000.0) as client,
    ):
        source = HttpTokenSource(HttpToken(f"{service.url}/token?app=wx1", field, headers), client)
        assert source.fingerprint() == b""
        return fetched(source), service.received[0]


def refusal(answer: bytes, field: str | None = "access_token", status: str = "200 OK") -> Failure:
    """Return the failure from an answer of the service, whose advice is about the service."""
    problem, _ = asked(answer, field, status)
    assert isinstance(problem, Failure)
    assert problem.advice is TOKEN_KEEPER
    return problem


def test_an_address_is_asked_with_its_headers() -> None:
    outcome, request = asked(TOKEN_T, headers=(("Authorization", "Bearer k"), ("X-Team", "a")))
    assert isinstance(outcome, Token)
    assert request.startswith(b"GET /token?app=wx1 HTTP/1.1\r\n")
    assert b"\r\nAuthorization: Bearer k\r\n" in request
    assert b"\r\nX-Team: a\r\n" in request


SOON = Token("T", None, 1000 + SHORTEST_KEEP)
LONG = Token("T", 8200.0, 7900.0)


@pytest.mark.parametrize(
    ("body", "field", "expected"),
    [
        ({"access_token": "T"}, "access_token", SOON),
        ({"access_token": "T", "expires_in": 7200}, "access_token", LONG),
        ({"access_token": "T", "expires_in": "7200"}, "access_token", LONG),
        ({"access_token": "T", "expires_in": 100.5}, "access_token", Token("T", 1100.5, 1050.25)),
        ({"data": {"t": "T", "expires_in": 7200}}, "data.t", LONG),
        ({"data": {"t": "T"}, "expires_in": 7200}, "data.t", SOON),
    ],
    ids=lambda each: repr(each)[:60],
)
def test_the_lifetime_beside_the_token_is_honoured(
    body: dict[str, object], field: str, expected: Token
) -> None:
    assert asked(json_body(body), field)[0] == expected


@pytest.mark.parametrize("lifetime", UNUSABLE_LIFETIMES, ids=lambda each: repr(each)[:20])
def test_a_services_token_without_a_usable_lifetime_is_asked_for_again_soon(lifetime: object) -> None:
    assert asked(token_body("T", lifetime))[0] == SOON


@pytest.mark.parametrize("value", UNUSABLE_TOKENS, ids=lambda each: repr(each)[:20])
def test_an_address_that_gives_no_usable_token_says_so(value: object) -> None:
    for body, field in (({"access_token": value}, "access_token"), ({"data": value}, "data.access_token")):
        problem = refusal(json_body(body), field)
        assert (problem.reason, problem.action) == (Reason.TOKEN_REJECTED, Action.NEXT_ROUND)
        assert problem.detail == f"the token's address gave no usable token under {field}"


@pytest.mark.parametrize(
    ("answer", "field", "token"),
    [
        (b"TOKEN", None, "TOKEN"),
        (b"\xef\xbb\xbfTOKEN\r\n", None, "TOKEN"),
        (b'"TOKEN"', None, "TOKEN"),
        (b'{"errcode":null,"access_token":"T"}', None, "T"),
        (b'{"errcode":null,"errmsg":null,"access_token":"T","expires_in":null}', "access_token", "T"),
        (b'{"errcode":"OK","access_token":"T"}', None, "T"),
        (b'{"errCode":200,"data":{"token":"T"}}', "data.token", "T"),
    ],
)
def test_a_services_answer_is_the_token_or_has_it_under_the_field_whatever_its_errcode(
    answer: bytes, field: str | None, token: str
) -> None:
    found, _ = asked(answer, field)
    assert isinstance(found, Token)
    assert found.value == token


@pytest.mark.parametrize(
    ("answer", "field"),
    [
        (b"TOKEN", "access_token"),
        (b'"TOKEN"', "access_token"),
        *((answer, None) for answer in (b"", b"null", b"true", b"7", b'["T"]', b"no token yet", b"a\nb")),
        (b"<!doctype html>\n<title>Sign in</title>", None),
    ],
)
def test_another_answer_of_a_service_is_no_token(answer: bytes, field: str | None) -> None:
    assert refusal(answer, field).reason is Reason.TOKEN_REJECTED


@pytest.mark.parametrize(
    ("status", "action"),
    [
        ("401 Unauthorized", Action.NEXT_ROUND),
        ("404 Not Found", Action.NEXT_ROUND),
        ("503 Service Unavailable", Action.RETRY),
        ("302 Found", Action.NEXT_ROUND),
    ],
)
def test_the_status_of_an_address_counts(status: str, action: Action) -> None:
    problem = refusal(TOKEN_T, status=status)
    assert (problem.reason, problem.action) == (Reason.HTTP_STATUS, action)


def test_a_service_that_is_away_is_the_one_to_look_at() -> None:
    with opened("http://wechat.invalid") as client:
        problem = refused(HttpTokenSource(HttpToken("http://127.0.0.1:9/token"), client))
    assert (problem.reason, problem.advice) == (Reason.NETWORK, TOKEN_KEEPER)


def test_a_refusal_of_wechats_that_a_service_hands_on_is_the_services_and_quoted() -> None:
    problem = refusal(json_body({"errcode": 40164, "errmsg": "invalid ip 203.0.113.7"}), None)
    assert (problem.reason, problem.errcode) == (Reason.TOKEN_REJECTED, None)
    assert problem.detail.endswith("it answers errcode 40164: invalid ip 203.0.113.7")


def test_a_body_is_posted_and_names_the_token_that_wechat_refused_which_no_failure_shows() -> None:
    answers = [
        b'{"access_token":"a-refused-fake-token"}',
        b'{"errcode":1,"errmsg":"still a-refused-fake-token"}',
    ]
    observed = Observed()
    with (
        Peer(says_in_turn(map(whole, answers))) as service,
        opened("http://wechat.invalid", observed=observed) as client,
    ):
        body = (("app", "wx1"), ("bad", "{refused}"))
        source = HttpTokenSource(HttpToken(service.url, method="POST", body=body), client)
        source.refuse(source.fetch().value)
        assert refused(source).detail.endswith("errcode 1: still ***")
    for request, bad in zip(service.received, ("", "a-refused-fake-token"), strict=True):
        assert request.startswith(b"POST / HTTP/1.1")
        assert json.loads(request.partition(b"\r\n\r\n")[2]) == {"app": "wx1", "bad": bad}
    assert observed.calls == [(endpoints.HTTP_TOKEN, None), (endpoints.HTTP_TOKEN, Reason.TOKEN_REJECTED)]
