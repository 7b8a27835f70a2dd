"""Basic authentication: bcrypt hashes, with remembered verdicts so that scrapes cost no hashing."""

import base64
import binascii
import hmac
import secrets
from collections.abc import Mapping
from typing import Final, NamedTuple

import bcrypt

_REMEMBERED: Final = 256
_LONGEST_PASSWORD: Final = 72  # bytes; bcrypt ignores further ones


class _Verdict(NamedTuple):
    """The result of a check, with the user's name and hash at that time (None: no such user)."""

    name: str
    hashed: bytes | None
    good: bool


class PasswordChecker:
    """Checks passwords; one `check` at a time may run in another thread.

    It remembers an `Authorization` header as a keyed hash, under a key that never leaves the process: no
    password stays in memory after its check, and the duration of a lookup reveals nothing. A verdict holds
    until the user's hash in `hashes` changes.
    """

    def __init__(self, hashes: Mapping[str, bytes]) -> None:
        """Begin without verdicts; `hashes` are bcrypt hashes by user name."""
        self.hashes = hashes
        self._key = secrets.token_bytes(32)
        self._verdicts: dict[bytes, _Verdict] = {}

    def verdict(self, authorization: bytes) -> bool | None:
        """Return the remembered verdict on a header; None if there is none."""
        found = self._verdicts.get(self._digest(authorization))
        return found.good if found is not None and found.hashed == self.hashes.get(found.name) else None

    def check(self, authorization: bytes) -> bool:
        """Return whether a header has a user's name and password; takes as long as bcrypt."""
        pair = _name_and_password(authorization)
        if pair is None:
            return False
        name, password = pair
        hashes = self.hashes
        good = _matches(hashes, name, password[:_LONGEST_PASSWORD])
        alike = [digest for digest, each in self._verdicts.items() if each.good is good]
        if len(alike) >= _REMEMBERED:  # wrong headers displace only each other
            del self._verdicts[alike[0]]
        self._verdicts[self._digest(authorization)] = _Verdict(name, hashes.get(name), good)
        return good

    def _digest(self, authorization: bytes) -> bytes:
        return hmac.digest(self._key, authorization, "sha256")


def _matches(hashes: Mapping[str, bytes], name: str, password: bytes) -> bool:
    """Return whether the password matches, in equal time for known and unknown names."""
    dearest = max(map(_cost, hashes.values()), default=0)
    hashed = hashes.get(name)
    if hashed is not None and _is_of(password, hashed):
        return True
    for cost in range(dearest if hashed is None else _cost(hashed), dearest + (hashed is None)):
        _is_of(password, b"$2b$%02d$" % cost + b"." * 53)  # each step of cost doubles the time
    return False


def _is_of(password: bytes, hashed: bytes) -> bool:
    try:
        return bcrypt.checkpw(password, hashed)
    except ValueError:  # an impossible password, or a hash with an impossible salt
        return False


def _cost(hashed: bytes) -> int:
    return int(hashed[4:6])


def _name_and_password(authorization: bytes) -> tuple[str, bytes] | None:
    """Split a header by RFC 7617, section 2; return None for any other header."""
    scheme, _, encoded = authorization.partition(b" ")
    if scheme.lower() != b"basic":
        return None
    try:
        name, colon, password = base64.b64decode(encoded.strip(), validate=True).partition(b":")
        return (name.decode(), password) if colon else None
    except (binascii.Error, UnicodeDecodeError):
        return None
