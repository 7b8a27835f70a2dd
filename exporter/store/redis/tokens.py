"""Tokens that a whole fleet shares, each fetched by one exporter at a time."""

import json
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from typing import Final

from exporter.store.encryption import Seal
from exporter.store.redis import scripts
from exporter.store.redis.connection import Connection
from exporter.wechat.tokens.cache import Token

_AT_ONCE: Final = 1000  # tokens in one message
_UNKNOWN_LIFETIME: Final = 60.0  # seconds to keep a token whose end is not known


class RedisTokens:
    """A `TokenPool` in Redis; safe to use from many threads."""

    def __init__(
        self, connection: Connection, prefix: str, seal: Seal, clock: Callable[[], float] = time.time
    ) -> None:
        self._connection = connection
        self._prefix = prefix
        self._seal = seal
        self._clock = clock
        self._held: dict[str, Token] = {}  # what this exporter has from there, or has put there

    def token(self, key: str) -> Token | None:
        """What was kept last under that key; None where nothing was, or it has ended."""
        with self._connection.reading() as client:
            kept = client.get(self._token(key))
        if kept is None:
            return None
        text = self._seal.open(kept.partition(" ")[2])
        with suppress(ValueError, TypeError):  # written by another version in another way
            value, expires_at, renew_at = json.loads(text)
            self._held[key] = Token(str(value), expires_at, float(renew_at))
            return self._held[key]
        return None

    def lock(self, key: str, seconds: float) -> str | None:
        """The right to fetch that token, as a text that is like no other; None: another has it."""
        fence = secrets.token_hex(16)
        with self._connection.writing() as client:
            taken = client.set(self._lock(key), fence, nx=True, px=int(seconds * 1000))
        return fence if taken else None

    def keep(self, key: str, token: Token, fence: str) -> bool:
        """Keep what was fetched and give the right back; False where the right had passed to another."""
        names = self._token(key), self._lock(key)
        with self._connection.writing() as client:
            kept = bool(client.eval(scripts.KEEP, 2, *names, fence, self._text(token), self._left(token)))
        if kept:
            self._held[key] = token
        return kept

    def unlock(self, key: str, fence: str) -> None:
        """Give the right back without a token."""
        with self._connection.writing() as client:
            client.eval(scripts.UNLOCK, 1, self._lock(key), fence)

    def drop(self, key: str, value: str) -> None:
        """Forget a token that WeChat refused, unless another one is kept by now."""
        if (held := self._held.get(key)) is not None and held.value == value:
            del self._held[key]
        with self._connection.writing() as client:
            client.eval(scripts.DROP, 1, self._token(key), _mark(value))

    def put_back(self) -> None:
        """Keep again what Redis has lost and is still good, unless another exporter was faster."""
        now = self._clock()
        held = [(key, token) for key, token in list(self._held.items()) if now < token.renew_at]
        for start in range(0, len(held), _AT_ONCE):
            with self._connection.writing() as client:
                asked = client.pipeline(transaction=False)
                for key, token in held[start : start + _AT_ONCE]:
                    asked.set(self._token(key), self._text(token), nx=True, px=self._left(token))
                asked.execute()

    def _text(self, token: Token) -> str:
        kept = json.dumps([token.value, token.expires_at, token.renew_at])
        return f"{_mark(token.value)} {self._seal.close(kept)}"

    def _left(self, token: Token) -> int:
        """For how many milliseconds to keep it."""
        lifetime = _UNKNOWN_LIFETIME if token.expires_at is None else token.expires_at - self._clock()
        return max(1, int(lifetime * 1000))

    def _token(self, key: str) -> str:
        return f"{self._prefix}token:{key}"

    def _lock(self, key: str) -> str:
        return f"{self._prefix}lock:{key}"


def _mark(value: str) -> str:
    """Say which token it is, also where tokens are kept encrypted."""
    return sha256(value.encode()).hexdigest()[:32]
