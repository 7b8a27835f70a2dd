"""Basic authentication: passwords against bcrypt hashes, each remembered so that a scrape costs none."""

import base64
import binascii
import hmac
import secrets
import threading
from collections.abc import Mapping
from typing import Final

import bcrypt

_REMEMBERED: Final = 256
_LONGEST_PASSWORD: Final = 72  # bytes; bcrypt has never looked at more
_WAITING: Final = 16  # checks in line; a guesser fills it, and must not fill the threads


class BusyError(Exception):
    """Too many passwords wait to be checked."""


class Users:
    """Knows who may come in; safe to use from many threads.

    An `Authorization` header is remembered as a keyed hash, under a key that never leaves the process: no
    password is in memory longer than its check, and how long a lookup takes tells nothing of it.
    """

    def __init__(self, hashes: Mapping[str, bytes]) -> None:
        """`hashes`: bcrypt hashes by user name; at least one."""
        self._hashes = hashes
        self._key = secrets.token_bytes(32)
        self._verdicts: dict[bytes, bool] = {}
        self._admitted: set[bytes] = set()
        self._one_by_one = threading.Lock()  # bcrypt is heavy: not on all processors at once
        self._waiting = threading.Semaphore(_WAITING)

    def known(self, authorization: bytes) -> bool:
        """Whether this header was found good before; takes microseconds."""
        return self._digest(authorization) in self._admitted

    def verdict(self, authorization: bytes) -> bool | None:
        """What was found of this header before; None: it was never checked, or that is forgotten."""
        digest = self._digest(authorization)
        return True if digest in self._admitted else self._verdicts.get(digest)

    def check(self, authorization: bytes) -> bool:
        """Whether the header has a user's name and password; may take long, for a thread of its own.

        Raises:
            BusyError: too many others wait.
        """
        pair = _name_and_password(authorization)
        if pair is None:
            return False
        if not self._waiting.acquire(blocking=False):
            raise BusyError
        try:
            with self._one_by_one:
                good = self._matches(*pair)
        finally:
            self._waiting.release()
        self._remember(self._digest(authorization), good=good)
        return good

    def _matches(self, name: str, password: bytes) -> bool:
        hashed = self._hashes.get(name)
        against = hashed or next(iter(self._hashes.values()))  # as slow for a name that nobody has
        try:
            good = bcrypt.checkpw(password[:_LONGEST_PASSWORD], against)
        except ValueError:  # a password that no hash can be of, or a hash with a salt that none has
            return False
        return good and hashed is not None

    def _remember(self, digest: bytes, *, good: bool) -> None:
        if good:
            if len(self._admitted) >= _REMEMBERED:
                self._admitted = set()
            self._admitted.add(digest)
            return
        if len(self._verdicts) >= _REMEMBERED:  # wrong ones push only each other out
            self._verdicts = {}
        self._verdicts[digest] = False

    def _digest(self, authorization: bytes) -> bytes:
        return hmac.digest(self._key, authorization, "sha256")


def _name_and_password(authorization: bytes) -> tuple[str, bytes] | None:
    """RFC 7617, section 2; None where the header is anything else."""
    scheme, _, encoded = authorization.partition(b" ")
    if scheme.lower() != b"basic":
        return None
    try:
        name, colon, password = base64.b64decode(encoded.strip(), validate=True).partition(b":")
        return (name.decode(), password) if colon else None
    except (binascii.Error, UnicodeDecodeError):
        return None
