import base64
import threading
import time

import bcrypt
import pytest

from exporter.web.webconfig.users import BusyError, Users

HASH = bcrypt.hashpw(b"sesame", bcrypt.gensalt(4))


def basic(name: str, password: str) -> bytes:
    return b"Basic " + base64.b64encode(f"{name}:{password}".encode())


@pytest.fixture
def users() -> Users:
    return Users({"alice": HASH, "bob": bcrypt.hashpw(b"another", bcrypt.gensalt(4))})


@pytest.mark.parametrize(
    ("authorization", "good"),
    [
        (basic("alice", "sesame"), True),
        (basic("alice", "sesame").replace(b"Basic", b"basic"), True),
        (basic("alice", "wrong"), False),
        (basic("alice", ""), False),
        (basic("bob", "sesame"), False),
        (basic("nobody", "sesame"), False),
        (basic("alice", "x" * 5000), False),
        (basic("alice", "\0"), False),
        (b"Basic YWxpY2U=", False),  # no colon
        (b"Basic !!!", False),
        (b"Basic /////w==", False),  # no UTF-8
        (b"Basic", False),
        (b"Bearer sesame", False),
        (b"", False),
    ],
)
def test_only_a_users_own_password_is_good(users: Users, authorization: bytes, good: bool) -> None:  # noqa: FBT001
    assert users.check(authorization) is good
    assert users.known(authorization) is good


def test_a_password_is_checked_once(users: Users, monkeypatch: pytest.MonkeyPatch) -> None:
    assert users.verdict(basic("alice", "sesame")) is None
    users.check(basic("alice", "sesame"))
    users.check(basic("alice", "wrong"))
    monkeypatch.setattr(bcrypt, "checkpw", lambda *_: pytest.fail("checked again"))
    assert users.verdict(basic("alice", "sesame")) is True
    assert users.verdict(basic("alice", "wrong")) is False


def test_no_number_of_guesses_fills_the_memory_or_pushes_a_user_out(
    users: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    users.check(basic("alice", "sesame"))
    monkeypatch.setattr(bcrypt, "checkpw", lambda *_: False)
    for number in range(1000):
        users.check(basic("alice", f"guess {number}"))
    assert users.known(basic("alice", "sesame"))
    assert len(users._verdicts) <= 256


def test_what_is_remembered_is_no_password(users: Users) -> None:
    authorization = basic("alice", "sesame")
    users.check(authorization)
    remembered = b"".join((*users._admitted, *users._verdicts))
    assert b"sesame" not in remembered
    assert authorization[6:] not in remembered
    assert Users({"alice": HASH})._digest(authorization) != users._digest(authorization)


def test_a_name_that_nobody_has_takes_as_long_as_a_wrong_password(
    users: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[bytes] = []

    def checkpw(_password: bytes, hashed: bytes) -> bool:
        checked.append(hashed)
        return True

    monkeypatch.setattr(bcrypt, "checkpw", checkpw)
    assert not users.check(basic("nobody", "sesame"))
    assert checked == [HASH]


def test_guessers_in_great_number_are_turned_away(users: Users, monkeypatch: pytest.MonkeyPatch) -> None:
    release = threading.Event()
    monkeypatch.setattr(bcrypt, "checkpw", lambda *_: not release.wait(5))
    threads = [
        threading.Thread(target=users.check, args=(basic("alice", f"{number}"),)) for number in range(16)
    ]
    for thread in threads:
        thread.start()
    end = time.monotonic() + 5
    while users._waiting._value and time.monotonic() < end:
        time.sleep(0.01)
    with pytest.raises(BusyError):
        users.check(basic("alice", "one more"))
    release.set()
    for thread in threads:
        thread.join()
