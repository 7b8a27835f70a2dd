"""Basic authentication: passwords against bcrypt hashes, each remembered so that a scrape costs none."""

import base64
import binascii
import hmac
import secrets
from collections.abc import Mapping
from typing import Final, NamedTuple

import bcrypt

_REMEMBERED: Final = 256
_LONGEST_PASSWORD: Final = 72  # bytes; bcrypt has never looked at more


class _Verdict(NamedTuple):
    """What a check has found: of which user's name, against which hash (None: nobody's)."""

    name: str
    hashed: bytes | None
    good: bool


class PasswordChecker:
    """Checks passwords; `check` may run in another thread than the rest, one at a time.

    An `Authorization` header is remembered as a keyed hash, under a key that never leaves the process: no
    password is in memory longer than its check, and how long a lookup takes says nothing about it. A verdict
    holds as long as the user's hash among `hashes` is the same.
    """

    def __init__(self, hashes: Mapping[str, bytes]) -> None:
        """`hashes`: bcrypt hashes by user name."""
        self.hashes = hashes
        self._key = secrets.token_bytes(32)
        self._verdicts: dict[bytes, _Verdict] = {}

    def verdict(self, authorization: bytes) -> bool | None:
        """Return what was found of this header before; None: it was never checked, or that is forgotten."""
        found = self._verdicts.get(self._digest(authorization))
        return found.good if found is not None and found.hashed == self.hashes.get(found.name) else None

    def check(self, authorization: bytes) -> bool:
        """Return whether the header has a user's name and password; takes long."""
        pair = _name_and_password(authorization)
        if pair is None:
            return False
        name, password = pair
        hashes = self.hashes
        good = _matches(hashes, name, password[:_LONGEST_PASSWORD])
        alike = [digest for digest, each in self._verdicts.items() if each.good is good]
        if len(alike) >= _REMEMBERED:  # wrong ones push only each other out
            del self._verdicts[alike[0]]
        self._verdicts[self._digest(authorization)] = _Verdict(name, hashes.get(name), good)
        return good

    def _digest(self, authorization: bytes) -> bytes:
        return hmac.digest(self._key, authorization, "sha256")


def _matches(hashes: Mapping[str, bytes], name: str, password: bytes) -> bool:
    """Return whether it is the password; a wrong one takes as long for every name, whoever has it."""
    dearest = max(map(_cost, hashes.values()), default=0)
    hashed = hashes.get(name)
    if hashed is not None and _is_of(password, hashed):
        return True
    for cost in range(dearest if hashed is None else _cost(hashed), dearest + (hashed is None)):
        _is_of(password, b"$2b$%02d$" % cost + b"." * 53)  # each step of cost takes twice as long
    return False


def _is_of(password: bytes, hashed: bytes) -> bool:
    try:
        return bcrypt.checkpw(password, hashed)
    except ValueError:  # a password that no hash can be of, or a hash with a salt that none has
        return False


def _cost(hashed: bytes) -> int:
    return int(hashed[4:6])


def _name_and_password(authorization: bytes) -> tuple[str, bytes] | None:
    """Split the header by RFC 7617, section 2; None where it is anything else."""
    scheme, _, encoded = authorization.partition(b" ")
    if scheme.lower() != b"basic":
        return None
    try:
        name, colon, password = base64.b64decode(encoded.strip(), validate=True).partition(b":")
        return (name.decode(), password) if colon else None
    except (binascii.Error, UnicodeDecodeError):
        return None
