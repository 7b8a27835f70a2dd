import asyncio
import base64
import threading
from collections.abc import Mapping

import bcrypt
import pytest
from starlette.types import Receive, Scope, Send

from exporter.web.admission import Admission, TokenBucket
from exporter.web.middleware import Middleware
from exporter.web.webconfig.format import RateSection
from exporter.web.webconfig.loading import WebConfig
from exporter.web.webconfig.users import PasswordChecker
from tests.web.asking import Answer, ask, scope_of

HASH = bcrypt.hashpw(b"sesame", bcrypt.gensalt(4))
USERS: Mapping[str, bytes] = {"alice": HASH}


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"alice:{password}".encode()).decode()


async def secret_page(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"version 1.2.3"})


def through(admission: Admission, method: str = "GET", path: str = "/metrics", **headers: str) -> Answer:
    return ask(Middleware(secret_page, admission), method, path, **headers)


def test_without_users_everyone_may_come_in() -> None:
    assert through(Admission(WebConfig())).body == b"version 1.2.3"


@pytest.mark.parametrize("path", ["/", "/metrics", "/style.css", "/-/healthy", "/-/ready", "/-/reload", "/x"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "OPTIONS"])
def test_with_users_every_path_needs_a_password_and_gives_nothing_away(method: str, path: str) -> None:
    answer = through(Admission(WebConfig(users=USERS)), method, path)
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == "Basic"
    assert b"1.2.3" not in answer.body


def test_the_right_password_opens_and_is_checked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    admission = Admission(WebConfig(users=USERS))
    assert through(admission, authorization=basic("sesame")).status == 200
    monkeypatch.setattr(bcrypt, "checkpw", lambda *_: pytest.fail("checked again"))
    assert through(admission, authorization=basic("sesame")).status == 200
    assert through(admission).status == 401


def test_a_wrong_password_is_refused_every_time() -> None:
    admission = Admission(WebConfig(users=USERS))
    assert [through(admission, authorization=basic("wrong")).status for _ in range(2)] == [401, 401]


def test_two_passwords_in_one_request_are_none() -> None:
    admission = Admission(WebConfig(users=USERS))
    pair = (b"authorization", basic("sesame").encode())
    assert asyncio.run(admission.refusal(scope_of("GET", "/", headers=[pair]))) is None
    assert asyncio.run(admission.refusal(scope_of("GET", "/", headers=[pair, pair]))) == 401


def test_a_removed_user_is_out_at_once_and_others_stay_known(monkeypatch: pytest.MonkeyPatch) -> None:
    admission = Admission(WebConfig(users={**USERS, "bob": HASH}))
    through(admission, authorization=basic("sesame"))
    checked: list[bytes] = []
    monkeypatch.setattr(bcrypt, "checkpw", lambda _, hashed: bool(checked.append(hashed)))  # type: ignore[func-returns-value]
    admission.configure(WebConfig(users={**USERS, "bob": HASH.replace(b"$04$", b"$05$"), "carol": HASH}))
    assert through(admission, authorization=basic("sesame")).status == 200
    assert checked == []
    admission.configure(WebConfig(users={"bob": HASH}))
    assert through(admission, authorization=basic("sesame")).status == 401
    assert checked


def test_the_rate_limit_counts_requests() -> None:
    now = [0.0]
    admission = Admission(WebConfig(rate_limit=RateSection(1, 2)), lambda: now[0])
    assert [through(admission).status for _ in range(3)] == [200, 200, 429]
    now[0] += 1
    assert through(admission).status == 200


def test_a_burst_is_allowed_and_then_one_request_per_interval() -> None:
    now = [100.0]
    bucket = TokenBucket(RateSection(0.5, 3), lambda: now[0])
    assert [bucket.take() for _ in range(5)] == [True, True, True, False, False]
    now[0] += 0.5
    assert [bucket.take() for _ in range(2)] == [True, False]


def test_a_long_silence_earns_no_more_than_a_burst() -> None:
    now = [0.0]
    bucket = TokenBucket(RateSection(1, 2), lambda: now[0])
    now[0] += 3600
    assert [bucket.take() for _ in range(3)] == [True, True, False]


def test_headers_of_the_file_replace_those_that_are_always_there() -> None:
    admission = Admission(WebConfig())
    assert b"frame-ancestors 'none'" in dict(admission.headers)[b"content-security-policy"]
    admission.configure(WebConfig(headers=((b"content-security-policy", b"default-src 'self'"),)))
    assert [value for name, value in admission.headers if name == b"content-security-policy"] == [
        b"default-src 'self'"
    ]
    assert dict(admission.headers)[b"x-content-type-options"] == b"nosniff"


def test_a_client_needs_one_of_the_allowed_names() -> None:
    admission = Admission(WebConfig(allowed_sans=frozenset({"prometheus", "10.0.0.1"})))
    assert admission.allows({"subjectAltName": (("DNS", "other"), ("DNS", "prometheus"))})
    assert admission.allows({"subjectAltName": (("IP Address", "10.0.0.1"),)})
    assert not admission.allows({"subjectAltName": (("DNS", "other"),)})
    assert not admission.allows({})
    assert not admission.allows(None)


@pytest.mark.parametrize("written", ["2001:DB8::1", "2001:db8:0:0:0:0:0:1", "2001:0db8::0001"])
def test_an_ipv6_address_is_the_same_however_it_is_written(written: str) -> None:
    admission = Admission(WebConfig(allowed_sans=frozenset({written})))
    assert admission.allows({"subjectAltName": (("IP Address", "2001:DB8:0:0:0:0:0:1"),)})
    assert admission.allows(
        {"subjectAltName": (("IP Address", "2001:DB8:0:0:0:0:0:1\n"),)}
    )  # of older Pythons
    assert not admission.allows({"subjectAltName": (("IP Address", "2001:DB8:0:0:0:0:0:2"),)})


def test_checking_a_password_does_not_hold_the_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    threads: list[str] = []

    def check(*_: object) -> bool:
        threads.append(threading.current_thread().name)
        return True

    monkeypatch.setattr(PasswordChecker, "check", check)
    through(Admission(WebConfig(users=USERS)), authorization=basic("sesame"))
    assert threads != [threading.main_thread().name]


class Guessing:
    """Counts endless guesses of clients until Prometheus is admitted."""

    def __init__(self, admission: Admission) -> None:
        self.admission = admission
        self.checked: list[str] = []
        self.over = False

    def check(self, authorization: bytes) -> bool:
        name, _, password = base64.b64decode(authorization[6:]).decode().partition(":")
        self.checked.append(password)
        return name == "alice" and password == "sesame"

    async def guess(self, client: str, number: int) -> None:
        for attempt in range(1000):
            if self.over:
                return
            await self.ask(client, f"{number} {attempt}")

    async def ask(self, client: str, password: str) -> int | None:
        headers = [(b"authorization", basic(password).encode())]
        return await self.admission.refusal({**scope_of("GET", "/", headers=headers), "client": (client, 1)})

    async def run(self, guessers: int, guesser: str, ours: str) -> int | None:
        async with asyncio.TaskGroup() as group:
            for number in range(guessers):
                group.create_task(self.guess(guesser, number))
            await asyncio.sleep(0.05)
            del self.checked[:]
            status = await self.ask(ours, "sesame")
            self.over = True
        return status


@pytest.mark.parametrize("guessers", [24, 64])
@pytest.mark.parametrize(("ours", "wait"), [("10.0.0.1", 4), ("10.0.0.66", 70)])
def test_however_many_guess_the_right_password_waits_for_its_turn_alone(
    monkeypatch: pytest.MonkeyPatch, guessers: int, ours: str, wait: int
) -> None:
    guessing = Guessing(Admission(WebConfig(users=USERS)))
    monkeypatch.setattr(PasswordChecker, "check", lambda _, authorization: guessing.check(authorization))
    assert asyncio.run(guessing.run(guessers, "10.0.0.66", ours)) is None
    assert guessing.checked.index("sesame") <= wait


def test_nothing_is_checked_for_a_client_that_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    class Gone:
        gone = True

    monkeypatch.setattr(PasswordChecker, "check", lambda *_: pytest.fail("checked"))
    scope = scope_of("GET", "/", headers=[(b"authorization", basic("sesame").encode())])
    admission = Admission(WebConfig(users=USERS))
    assert asyncio.run(admission.refusal({**scope, "state": {"connection": Gone()}})) == 401
