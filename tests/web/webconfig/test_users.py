import base64

import bcrypt
import pytest

from exporter.web.webconfig.users import PasswordChecker

HASH = bcrypt.hashpw(b"sesame", bcrypt.gensalt(4))


def basic(name: str, password: str) -> bytes:
    return b"Basic " + base64.b64encode(f"{name}:{password}".encode())


@pytest.fixture
def users() -> PasswordChecker:
    return PasswordChecker({"alice": HASH, "bob": bcrypt.hashpw(b"another", bcrypt.gensalt(4))})


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
def test_only_a_users_own_password_is_good(users: PasswordChecker, authorization: bytes, good: bool) -> None:  # noqa: FBT001
    assert users.check(authorization) is good


def test_a_password_is_checked_once(users: PasswordChecker, monkeypatch: pytest.MonkeyPatch) -> None:
    assert users.verdict(basic("alice", "sesame")) is None
    users.check(basic("alice", "sesame"))
    users.check(basic("alice", "wrong"))
    monkeypatch.setattr(bcrypt, "checkpw", lambda *_: pytest.fail("checked again"))
    assert users.verdict(basic("alice", "sesame")) is True
    assert users.verdict(basic("alice", "wrong")) is False


def test_no_number_of_guesses_fills_the_memory_or_pushes_a_user_out(
    users: PasswordChecker, monkeypatch: pytest.MonkeyPatch
) -> None:
    users.check(basic("alice", "sesame"))
    monkeypatch.setattr(bcrypt, "checkpw", lambda *_: False)
    for number in range(1000):
        users.check(basic("alice", f"guess {number}"))
    assert users.verdict(basic("alice", "sesame")) is True
    assert users.verdict(basic("alice", "guess 999")) is False
    assert len(users._verdicts) <= 257


def test_what_is_remembered_is_no_password(users: PasswordChecker) -> None:
    authorization = basic("alice", "sesame")
    users.check(authorization)
    remembered = b"".join(users._verdicts)
    assert b"sesame" not in remembered
    assert authorization[6:] not in remembered
    assert PasswordChecker({"alice": HASH})._digest(authorization) != users._digest(authorization)


@pytest.mark.parametrize("name", ["nobody", "alice", "bob"])
def test_a_wrong_password_takes_as_long_whoever_has_the_name(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    work: list[int] = []

    def checkpw(_password: bytes, hashed: bytes) -> bool:
        work.append(2 ** int(hashed[4:6]))
        return False

    monkeypatch.setattr(bcrypt, "checkpw", checkpw)
    dearer = bcrypt.hashpw(b"another", bcrypt.gensalt(6))
    assert not PasswordChecker({"alice": HASH, "bob": dearer}).check(basic(name, "wrong"))
    assert sum(work) == 2**6


def test_what_is_known_of_a_user_who_stays_the_same_outlives_a_change(users: PasswordChecker) -> None:
    for name, password in (("alice", "sesame"), ("alice", "wrong"), ("bob", "another"), ("carol", "guess")):
        users.check(basic(name, password))
    users.hashes = {"alice": HASH, "bob": HASH, "carol": HASH}
    assert users.verdict(basic("alice", "sesame")) is True
    assert users.verdict(basic("alice", "wrong")) is False
    assert users.verdict(basic("bob", "another")) is None
    assert users.verdict(basic("carol", "guess")) is None
