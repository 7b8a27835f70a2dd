import base64
import threading
from collections.abc import Mapping

import bcrypt
import pytest
from starlette.types import Receive, Scope, Send

from exporter.web.gate import Gate, Guard
from exporter.web.webconfig.settings import RateLimit, WebConfig
from exporter.web.webconfig.users import BusyError, Users
from tests.web.asking import Answer, ask

HASH = bcrypt.hashpw(b"sesame", bcrypt.gensalt(4))
USERS: Mapping[str, bytes] = {"alice": HASH}


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"alice:{password}".encode()).decode()


async def secret_page(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"version 1.2.3"})


def through(gate: Gate, method: str = "GET", path: str = "/metrics", **headers: str) -> Answer:
    return ask(Guard(secret_page, gate), method, path, **headers)


def test_without_users_everyone_may_come_in() -> None:
    gate = Gate(WebConfig())
    assert gate.passes(())
    assert through(gate).body == b"version 1.2.3"


@pytest.mark.parametrize("path", ["/", "/metrics", "/style.css", "/-/healthy", "/-/ready", "/-/reload", "/x"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
def test_with_users_every_path_and_method_needs_a_password_and_tells_nothing(method: str, path: str) -> None:
    answer = through(Gate(WebConfig(users=USERS)), method, path)
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == "Basic"
    assert b"1.2.3" not in answer.body


def test_the_right_password_opens_and_then_the_short_way_too() -> None:
    gate = Gate(WebConfig(users=USERS))
    headers = ((b"authorization", basic("sesame").encode()),)
    assert not gate.passes(headers)
    assert through(gate, authorization=basic("sesame")).status == 200
    assert gate.passes(headers)
    assert not gate.passes(())
    assert not gate.passes(((b"authorization", basic("wrong").encode()),))


def test_a_wrong_password_is_refused_every_time() -> None:
    gate = Gate(WebConfig(users=USERS))
    assert [through(gate, authorization=basic("wrong")).status for _ in range(2)] == [401, 401]


def test_two_passwords_in_one_request_are_none() -> None:
    gate = Gate(WebConfig(users=USERS))
    through(gate, authorization=basic("sesame"))
    pair = (b"authorization", basic("sesame").encode())
    assert gate.passes((pair,))
    assert not gate.passes((pair, pair))


def test_a_removed_user_is_out_at_once_and_others_stay_known() -> None:
    gate = Gate(WebConfig(users=USERS))
    headers = ((b"authorization", basic("sesame").encode()),)
    through(gate, authorization=basic("sesame"))
    gate.configure(WebConfig(users=USERS, headers=((b"x-frame-options", b"deny"),)))
    assert gate.passes(headers)
    gate.configure(WebConfig(users={"bob": HASH}))
    assert not gate.passes(headers)
    assert through(gate, authorization=basic("sesame")).status == 401


def test_more_guesses_than_can_be_checked_are_told_to_come_later(monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: object) -> bool:
        raise BusyError

    monkeypatch.setattr(Users, "check", busy)
    assert through(Gate(WebConfig(users=USERS)), authorization=basic("guess")).status == 503


def test_the_rate_limit_counts_both_ways_together() -> None:
    now = [0.0]
    gate = Gate(WebConfig(rate_limit=RateLimit(1, 2)), lambda: now[0])
    assert gate.passes(())
    assert through(gate).status == 200
    assert not gate.passes(())
    assert through(gate).status == 429
    now[0] += 1
    assert through(gate).status == 200


def test_a_head_request_is_refused_without_a_body() -> None:
    assert through(Gate(WebConfig(users=USERS)), "HEAD").body == b""


def test_headers_of_the_file_replace_those_that_are_always_there() -> None:
    gate = Gate(WebConfig())
    assert b"frame-ancestors 'none'" in dict(gate.headers)[b"content-security-policy"]
    gate.configure(WebConfig(headers=((b"content-security-policy", b"default-src 'self'"),)))
    assert [value for name, value in gate.headers if name == b"content-security-policy"] == [
        b"default-src 'self'"
    ]
    assert dict(gate.headers)[b"x-content-type-options"] == b"nosniff"


def test_a_client_needs_one_of_the_allowed_names() -> None:
    gate = Gate(WebConfig(allowed_sans=frozenset({"prometheus", "10.0.0.1"})))
    assert gate.allows({"subjectAltName": (("DNS", "other"), ("DNS", "prometheus"))})
    assert gate.allows({"subjectAltName": (("IP Address", "10.0.0.1"),)})
    assert not gate.allows({"subjectAltName": (("DNS", "other"),)})
    assert not gate.allows({})
    assert not gate.allows(None)


def test_checking_a_password_does_not_hold_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[str] = []

    def check(*_: object) -> bool:
        threads.append(threading.current_thread().name)
        return True

    monkeypatch.setattr(Users, "check", check)
    through(Gate(WebConfig(users=USERS)), authorization=basic("sesame"))
    assert threads != [threading.main_thread().name]
